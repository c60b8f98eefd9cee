import type { CommonKernels } from '../../../engine.js'
import type { BoundsOf } from '../../bounds.js'
import type { AfterExports } from '../after.js'
import { bindChannels, type ChannelsExports, channelsBounds } from './channels.js'
import { bindConvolution, type ConvolutionExports, convolutionBounds } from './convolution.js'
import { bindElementwise, type ElementwiseExports, elementwiseBounds } from './elementwise.js'
import { bindLosses, type LossesExports, lossesBounds } from './losses.js'
import { bindLrn, type LrnExports, lrnBounds } from './lrn.js'
import { bindMatrices, type MatricesExports, matricesBounds } from './matrices.js'
import { bindNeurons, type NeuronsExports, neuronsBounds } from './neurons.js'
import { bindPooling, type PoolingExports, poolingBounds } from './pooling.js'
import { bindUpdates, type UpdatesExports, updatesBounds } from './updates.js'

/** What the common kernels are bound to: a family of kernels each, as in lib/testing/kernel_cases. */
export type CommonExports = AfterExports &
  ChannelsExports &
  ConvolutionExports &
  ElementwiseExports &
  LossesExports &
  LrnExports &
  MatricesExports &
  NeuronsExports &
  PoolingExports &
  UpdatesExports

/** The common kernels that WebAssembly has; what these cannot do is done by `plain`. */
export function bindCommon(wasm: CommonExports, plain: CommonKernels) {
  return {
    ...bindChannels(wasm),
    ...bindConvolution(wasm, plain),
    ...bindElementwise(wasm, plain),
    ...bindLosses(wasm),
    ...bindLrn(wasm, plain),
    ...bindMatrices(wasm),
    ...bindNeurons(wasm, plain),
    ...bindPooling(wasm),
    ...bindUpdates(wasm),
  } satisfies Partial<CommonKernels>
}

/** What stands before each of them, those of the plain loops included. */
export const commonBounds: BoundsOf<CommonKernels> = {
  ...channelsBounds,
  ...convolutionBounds,
  ...elementwiseBounds,
  ...lossesBounds,
  ...lrnBounds,
  ...matricesBounds,
  ...neuronsBounds,
  ...poolingBounds,
  ...updatesBounds,
}
