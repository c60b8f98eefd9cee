import type { ToOnnx } from '../builder.js'

/** How layers of a type are written, and what docs/onnx.md says about it. */
export interface Exporter {
  readonly write: ToOnnx
  /** The operators that it may write; none where the layer leaves nothing behind. */
  readonly ops: readonly string[]
  /** What has no ONNX form, and what differs. */
  readonly note?: string
}

export type Exporters = Readonly<Record<string, Exporter>>
