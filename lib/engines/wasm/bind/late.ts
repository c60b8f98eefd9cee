import type { LateKernels } from '../../../engine.js'
import type { BoundsOf } from '../../bounds.js'
import { type AxesExports, axesBounds, bindAxes } from './axes.js'
import type { ElementwiseExports } from './elementwise.js'
import { bindFlow, type FlowExports, flowBounds } from './flow.js'
import { bindNamed, type NamedExports, namedBounds } from './named.js'
import { bindRecurrence, type RecurrenceExports, recurrenceBounds } from './recurrence.js'
import { bindRegions, type RegionsExports, regionsBounds } from './regions.js'
import { bindResize, type ResizeExports, resizeBounds } from './resize.js'

/** What the late kernels are bound to. */
export type LateExports = AxesExports & FlowExports & NamedExports & RecurrenceExports & RegionsExports & ResizeExports

/** The late kernels that WebAssembly has; what these cannot do is done by `plain`. */
export function bindLate(
  wasm: LateExports & Pick<ElementwiseExports, 'copy' | 'copyRows' | 'fill'>,
  plain: LateKernels,
) {
  return {
    ...bindAxes(wasm, plain),
    ...bindFlow(wasm),
    ...bindNamed(wasm, plain),
    ...bindRecurrence(wasm),
    ...bindRegions(wasm),
    ...bindResize(wasm),
  } satisfies Partial<LateKernels>
}

/** What stands before each of them, those of the plain loops included. */
export const lateBounds: BoundsOf<LateKernels> = {
  ...axesBounds,
  ...flowBounds,
  ...namedBounds,
  ...recurrenceBounds,
  ...regionsBounds,
  ...resizeBounds,
}
