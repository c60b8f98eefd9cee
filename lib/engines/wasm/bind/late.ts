import type { LateKernels } from '../../../engine.js'
import type { BoundsOf } from '../../bounds.js'
import type { AfterExports } from '../after.js'
import { type ActivationsExports, activationsBounds, bindActivations } from './activations.js'
import { type AxesExports, axesBounds, bindAxes } from './axes.js'
import { bindChannels, type ChannelsExports, channelsBounds } from './channels.js'
import type { ElementwiseExports } from './elementwise.js'
import { bindFlow, type FlowExports, flowBounds } from './flow.js'
import { bindLrn, type LrnExports, lrnBounds } from './lrn.js'
import { bindNamed, type NamedExports, namedBounds } from './named.js'
import { bindOtherLosses, type OtherLossesExports, otherLossesBounds } from './other_losses.js'
import { bindRecurrence, type RecurrenceExports, recurrenceBounds } from './recurrence.js'
import { bindRegions, type RegionsExports, regionsBounds } from './regions.js'
import { bindResize, type ResizeExports, resizeBounds } from './resize.js'

/** What the late kernels are bound to. */
export type LateExports = AfterExports &
  ActivationsExports &
  AxesExports &
  ChannelsExports &
  FlowExports &
  LrnExports &
  NamedExports &
  OtherLossesExports &
  RecurrenceExports &
  RegionsExports &
  ResizeExports

/** The late kernels that WebAssembly has; what these cannot do is done by `plain`. */
export function bindLate(
  wasm: LateExports & Pick<ElementwiseExports, 'copy' | 'copyRows' | 'fill'>,
  plain: LateKernels,
) {
  return {
    ...bindActivations(wasm),
    ...bindAxes(wasm, plain),
    ...bindChannels(wasm),
    ...bindFlow(wasm),
    ...bindLrn(wasm, plain),
    ...bindNamed(wasm, plain),
    ...bindOtherLosses(wasm),
    ...bindRecurrence(wasm),
    ...bindRegions(wasm),
    ...bindResize(wasm),
  } satisfies Partial<LateKernels>
}

/** What stands before each of them, those of the plain loops included. */
export const lateBounds: BoundsOf<LateKernels> = {
  ...activationsBounds,
  ...axesBounds,
  ...channelsBounds,
  ...flowBounds,
  ...lrnBounds,
  ...namedBounds,
  ...otherLossesBounds,
  ...recurrenceBounds,
  ...regionsBounds,
  ...resizeBounds,
}
