import { type Blob, shapeText } from '../blob.js'
import type { LRNShape } from '../engine.js'
import { lrnProblem } from '../engines/kernel_limits.js'
import type { FilledLRNParameter } from '../generated/caffe.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/**
 * top = bottom · (k + alpha/n · Σ bottom²)^−beta over n = local_size neighbouring channels, or with WITHIN_CHANNEL
 * bottom · (1 + alpha/n · Σ bottom²)^−beta over the n = local_size² positions around. (N, C, H, W) → same.
 */
export class LRNLayer extends KeptInputLayer {
  static override readonly param = ['lrn_param'] as const
  static override readonly uses = ['copy', 'lrnAcross', 'lrnAcrossGradient', 'lrnWithin', 'lrnWithinGradient'] as const
  static override readonly onlyKernels = true
  private p!: FilledLRNParameter
  private sizes!: LRNShape
  private readonly scale = new Memory(0, this.engine.heap)

  override setup(): void {
    this.p = withDefaults('LRNParameter', this.param.lrn_param)
    const problem = lrnProblem({ size: this.p.local_size })
    if (problem !== undefined) throw this.error(problem)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    if (bottom[0].numAxes !== 4)
      throw this.error(
        `'${bottom[0].name}' (${shapeText(bottom[0].shape)}) must have 4 axes: batch, channels, height and width`,
      )
    super.reshape(bottom, top)
    const { local_size: size, alpha, beta, k } = this.p
    const [batch, channels, height, width] = bottom[0].shape
    this.sizes = { batch, channels, height, width, size, alpha, beta, k }
    this.scale.resize(bottom[0].count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    const x = bottom[0].memory.data
    const y = top[0].memory.data
    if (this.p.norm_region === 'WITHIN_CHANNEL') this.kernels.lrnWithin(this.sizes, x, this.scale, y)
    else this.kernels.lrnAcross(this.sizes, x, this.scale, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const x = this.input(bottom, top)
    const { diff } = top[0].memory
    const ratio = this.engine.scratch(bottom[0].count)
    if (this.p.norm_region === 'WITHIN_CHANNEL')
      this.kernels.lrnWithinGradient(this.sizes, x, this.scale, diff, ratio, bottom[0].memory.diff)
    else this.kernels.lrnAcrossGradient(this.sizes, x, this.scale, diff, ratio, bottom[0].memory.diff)
  }

  override work(bottom: Blob[]): number {
    const { local_size: size, norm_region: region } = this.p
    return bottom[0].count * (region === 'WITHIN_CHANNEL' ? 2 * size : size)
  }

  override dispose(): void {
    super.dispose()
    this.scale.dispose()
  }
}
