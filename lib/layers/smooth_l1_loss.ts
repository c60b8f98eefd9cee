import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { LossLayer } from './parts/loss.js'

/**
 * a, b [, inner weights [, outer weights]], all of one shape: d = inner·(a − b), loss = Σ outer·f(d) / N, with
 * c = d between −turn and turn, f(d) = curvature·c²/2 + |d − c|: a parabola, then a line of slope 1. Weights get no
 * gradient. A second top has Σ over channels of outer·f at each place, (N, 1, H, W); then N counts places, too.
 */
export class SmoothL1LossLayer extends LossLayer {
  static override readonly param = ['smooth_l1_loss_param', 'smoothl1_param', 'loss_param'] as const
  static override readonly uses = [
    'axpby',
    'multiply',
    'clip',
    'absolute',
    'absoluteGradient',
    'sumMiddle',
    'reduce',
    'reduceGradient',
  ] as const
  override readonly bottomCount: Count = { atLeast: 2, atMost: 4 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  private turn = 1
  private curvature = 1
  /** d − c, and c. */
  private readonly beyond = new Memory(0, this.engine.heap)
  private readonly clipped = new Memory(0, this.engine.heap)

  override setup(): void {
    const { smooth_l1_loss_param, smoothl1_param } = this.param
    if (smooth_l1_loss_param && smoothl1_param)
      throw this.error('smooth_l1_loss_param and smoothl1_param are of two layers of this name: give one of them')
    const { sigma } = withDefaults('SmoothL1LossParameter', smooth_l1_loss_param)
    const { turn_point } = withDefaults('SmoothL1Parameter', smoothl1_param)
    if (!(sigma > 0)) throw this.error(`sigma: ${sigma} must be larger than 0`)
    if (!(turn_point > 0)) throw this.error(`turn_point: ${turn_point} must be larger than 0`)
    this.turn = smoothl1_param ? turn_point : 1 / (sigma * sigma)
    this.curvature = sigma * sigma
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex < 2
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    for (const blob of bottom.slice(1))
      if (blob.count !== bottom[0].count)
        throw this.error(
          `'${bottom[0].name}' (${shapeText(bottom[0].shape)}) and '${blob.name}' (${shapeText(blob.shape)}) must have the same number of values`,
        )
    top[1]?.reshape(this.placesOf(bottom[0]))
    this.beyond.resize(bottom[0].count)
    this.clipped.resize(bottom[0].count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, beyond, clipped, turn } = this
    const [a, b, inner, outer] = bottom.map(blob => blob.memory.data)
    const n = bottom[0].count
    kernels.axpby(n, 1, a, 0, beyond)
    kernels.axpby(n, -1, b, 1, beyond)
    if (inner) kernels.multiply(n, beyond, inner, beyond)
    kernels.clip(n, -turn, turn, beyond, clipped)
    kernels.axpby(n, -1, clipped, 1, beyond)
    const loss = this.engine.scratch(n)
    const squares = this.engine.scratch(n, 1)
    kernels.absolute(n, beyond, loss)
    kernels.multiply(n, clipped, clipped, squares)
    kernels.axpby(n, this.curvature / 2, squares, 1, loss)
    if (outer) kernels.multiply(n, loss, outer, loss)
    kernels.reduce('SUM', 1, n, 1 / this.batch(bottom, top), loss, top[0].memory.data)
    const [batch, channels] = bottom[0].shape
    if (top[1]) kernels.sumMiddle(batch, channels, bottom[0].size(2), loss, top[1].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, clipped, beyond, turn, curvature } = this
    for (let i = 2; i < bottom.length; i++) this.refuseLabelGradient(propagateDown, bottom, i)
    const n = bottom[0].count
    const slope = this.engine.scratch(n)
    const line = this.engine.scratch(n, 1)
    const batch = this.batch(bottom, top)
    const { diff } = top[0].memory
    // dloss·f′(d)/N = dloss·curvature·c/N, which is 1 on the line unless turn_point bends it
    kernels.reduceGradient('SUM', 1, n, curvature / batch, slope, diff, slope)
    kernels.multiply(n, slope, clipped, slope)
    const bend = 1 - curvature * turn
    if (Math.abs(bend) > 1e-6) {
      kernels.reduceGradient('SUM', 1, n, bend / batch, line, diff, line)
      kernels.absoluteGradient(n, beyond, line, line)
      kernels.axpby(n, 1, line, 1, slope)
    }
    for (const weights of bottom.slice(2)) kernels.multiply(n, slope, weights.memory.data, slope)
    if (propagateDown[0]) kernels.axpby(n, 1, slope, 0, bottom[0].memory.diff)
    if (propagateDown[1]) kernels.axpby(n, -1, slope, 0, bottom[1].memory.diff)
  }

  /**
   * N, or 1 (Intel's NONE), or a number (R-FCN's PRE_FIXED) that sums are divided by. An empty batch has loss 0, not 0/0.
   * A second top is R-FCN's, where `normalization` counts as everywhere.
   */
  private batch([a]: Blob[], top: Blob[]): number {
    if (top.length > 1) return this.placesNormalizer(a)
    const { normalization, pre_fixed_normalizer = 1 } = this.param.loss_param ?? {}
    if (normalization === 'NONE') return 1
    return Math.max(1, normalization === 'PRE_FIXED' ? pre_fixed_normalizer : a.dim(0))
  }

  override dispose(): void {
    this.beyond.dispose()
    this.clipped.dispose()
  }
}
