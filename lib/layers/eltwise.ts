import { type Blob, sameShape, shapeText } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import { type CoordMap, inPlace, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'

/** Value by value over bottoms of one shape: Σ coeff·x, Π x or max x. */
export class EltwiseLayer extends Layer {
  static override coordinates(): CoordMap {
    return inPlace
  }
  static override readonly param = ['eltwise_param'] as const
  static override readonly uses = [
    'eltwiseSum',
    'eltwiseProduct',
    'eltwiseProductGradient',
    'eltwiseMax',
    'eltwiseMaxGradient',
    'axpby',
  ] as const
  static override readonly onlyKernels = true
  override readonly bottomCount = { atLeast: 2 }
  override readonly topCount = { exactly: 1 }

  private readonly operation = withDefaults('EltwiseParameter', this.param.eltwise_param).operation
  private coefficients: readonly number[] = []
  private inputs: readonly Memory[] = []
  /** MAX: which bottom each value came from. */
  private readonly mask = new Memory(0, this.engine.heap)

  override setup(bottom: Blob[]): void {
    const { coeff } = withDefaults('EltwiseParameter', this.param.eltwise_param)
    if (coeff.length && coeff.length !== bottom.length)
      throw this.error(
        `coeff is given ${coeff.length} times for ${bottom.length} bottoms: give it once per bottom or not at all`,
      )
    if (coeff.length && this.operation === 'PROD') throw this.error('coeff goes with operation: SUM only')
    this.coefficients = bottom.map((_, i) => coeff[i] ?? 1)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    for (const blob of bottom)
      if (!sameShape(blob.shape, bottom[0].shape))
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) and '${bottom[0].name}' (${shapeText(bottom[0].shape)}) must have the same shape`,
        )
    top[0].reshapeLike(bottom[0])
    this.inputs = bottom.map(blob => blob.memory.data)
    if (this.operation === 'MAX') this.mask.resize(bottom[0].count)
  }

  override get fuses(): FusingKernel | undefined {
    return this.operation === 'SUM' ? 'eltwiseSum' : undefined
  }

  override forward(_bottom: Blob[], top: Blob[], after?: After): void {
    const { count } = top[0]
    const y = top[0].memory.data
    if (this.operation === 'SUM') this.kernels.eltwiseSum(count, this.inputs, this.coefficients, y, after)
    else if (this.operation === 'PROD') this.kernels.eltwiseProduct(count, this.inputs, y)
    else this.kernels.eltwiseMax(count, this.inputs, y, this.mask)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { count } = top[0]
    const dy = top[0].memory.diff
    bottom.forEach((blob, i) => {
      if (!propagateDown[i]) return
      const dx = blob.memory.diff
      if (this.operation === 'SUM') this.kernels.axpby(count, this.coefficients[i], dy, 0, dx)
      else if (this.operation === 'PROD') this.kernels.eltwiseProductGradient(count, i, this.inputs, dy, dx)
      else this.kernels.eltwiseMaxGradient(count, i, this.mask, dy, dx)
    })
  }

  override dispose(): void {
    this.mask.dispose()
  }
}
