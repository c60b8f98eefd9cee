import type { ExportOptions } from './builder.js'

/** How a net becomes an ONNX file. */
export interface OnnxOptions extends ExportOptions {
  /**
   * 'fixed': the batch is the one that the net has. 'dynamic': any, and a RistrettoError where that has no form. Default: any
   * where it has a form, else a fixed one, with a note in the log.
   */
  readonly batch?: 'fixed' | 'dynamic'
  /** Write the net as it stands, labels and EuclideanLoss layers too, instead of its deploy net. */
  readonly losses?: boolean
}
