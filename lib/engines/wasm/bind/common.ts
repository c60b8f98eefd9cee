import type { CommonKernels } from '../../../engine.js'
import type { BoundsOf } from '../../bounds.js'
import type { AfterExports } from '../after.js'
import type { ActivationsExports } from './activations.js'
import { bindConvolution, type ConvolutionExports, convolutionBounds } from './convolution.js'
import { bindElementwise, type ElementwiseExports, elementwiseBounds } from './elementwise.js'
import { bindLosses, type LossesExports, lossesBounds } from './losses.js'
import { bindMatrices, type MatricesExports, matricesBounds } from './matrices.js'
import { bindNeurons, type NeuronsExports, neuronsBounds } from './neurons.js'
import { bindPooling, type PoolingExports, poolingBounds } from './pooling.js'
import { bindUpdates, type UpdatesExports, updatesBounds } from './updates.js'

/** What the common kernels are bound to: a family of kernels each, as in lib/testing/kernel_cases. */
export type CommonExports = AfterExports &
  ConvolutionExports &
  ElementwiseExports &
  LossesExports &
  MatricesExports &
  NeuronsExports &
  PoolingExports &
  UpdatesExports

/** The common kernels that WebAssembly has; what these cannot do is done by `plain`. */
export function bindCommon(wasm: CommonExports & Pick<ActivationsExports, 'hardSwish'>, plain: CommonKernels) {
  return {
    ...bindConvolution(wasm, plain),
    ...bindElementwise(wasm, plain),
    ...bindLosses(wasm),
    ...bindMatrices(wasm),
    ...bindNeurons(wasm, plain),
    ...bindPooling(wasm),
    ...bindUpdates(wasm),
  } satisfies Partial<CommonKernels>
}

/** What stands before each of them, those of the plain loops included. */
export const commonBounds: BoundsOf<CommonKernels> = {
  ...convolutionBounds,
  ...elementwiseBounds,
  ...lossesBounds,
  ...matricesBounds,
  ...neuronsBounds,
  ...poolingBounds,
  ...updatesBounds,
}
