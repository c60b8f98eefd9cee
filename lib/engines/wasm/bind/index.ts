import type { Kernels } from '../../../engine.js'
import type { Bounds } from '../../bounds.js'
import { jsKernels } from '../../js.js'
import type { AfterExports } from '../after.js'
import { type AxesExports, axesBounds, bindAxes } from './axes.js'
import { bindChannels, type ChannelsExports, channelsBounds } from './channels.js'
import { bindConvolution, type ConvolutionExports, convolutionBounds } from './convolution.js'
import { bindElementwise, type ElementwiseExports, elementwiseBounds } from './elementwise.js'
import { bindFlow, type FlowExports, flowBounds } from './flow.js'
import { bindLosses, type LossesExports, lossesBounds } from './losses.js'
import { bindLrn, type LrnExports, lrnBounds } from './lrn.js'
import { bindMatrices, type MatricesExports, matricesBounds } from './matrices.js'
import { bindNamed, type NamedExports, namedBounds } from './named.js'
import { bindNeurons, type NeuronsExports, neuronsBounds } from './neurons.js'
import { bindPooling, type PoolingExports, poolingBounds } from './pooling.js'
import { bindRecurrence, type RecurrenceExports, recurrenceBounds } from './recurrence.js'
import { bindRegions, type RegionsExports, regionsBounds } from './regions.js'
import { bindResize, type ResizeExports, resizeBounds } from './resize.js'
import { bindUpdates, type UpdatesExports, updatesBounds } from './updates.js'

/** Everything that kernels are bound to: a family of kernels each, as in lib/testing/kernel_cases. */
export type KernelExports = AfterExports &
  AxesExports &
  ChannelsExports &
  ConvolutionExports &
  ElementwiseExports &
  FlowExports &
  NamedExports &
  LossesExports &
  LrnExports &
  MatricesExports &
  NeuronsExports &
  PoolingExports &
  RecurrenceExports &
  RegionsExports &
  ResizeExports &
  UpdatesExports

/**
 * The kernels that WebAssembly has; the others are those of the js engine, and what these cannot do is done by `plain`.
 */
export function wasmKernels(wasm: KernelExports, plain: Kernels = jsKernels) {
  return {
    ...bindAxes(wasm, plain),
    ...bindChannels(wasm),
    ...bindConvolution(wasm, plain),
    ...bindElementwise(wasm, plain),
    ...bindFlow(wasm),
    ...bindNamed(wasm, plain),
    ...bindLosses(wasm),
    ...bindLrn(wasm, plain),
    ...bindMatrices(wasm),
    ...bindNeurons(wasm, plain),
    ...bindPooling(wasm),
    ...bindRecurrence(wasm),
    ...bindRegions(wasm),
    ...bindResize(wasm),
    ...bindUpdates(wasm),
  } satisfies Partial<Kernels>
}

/** What stands before every kernel of the contract, those of the js engine included. */
export const bounds: Bounds = {
  ...axesBounds,
  ...channelsBounds,
  ...convolutionBounds,
  ...elementwiseBounds,
  ...flowBounds,
  ...namedBounds,
  ...lossesBounds,
  ...lrnBounds,
  ...matricesBounds,
  ...neuronsBounds,
  ...poolingBounds,
  ...recurrenceBounds,
  ...regionsBounds,
  ...resizeBounds,
  ...updatesBounds,
}
