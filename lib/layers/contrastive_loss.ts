import { type Blob, shapeText } from '../blob.js'
import type { ContrastiveShape } from '../engine.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { LossLayer } from './parts/loss.js'

/**
 * pairs a, b (N, C) and similar (N), with d = ‖a − b‖ → Σ (similar ? d² : max(0, margin − d)²) / 2N;
 * `legacy_version` takes max(0, margin − d²) for the dissimilar.
 */
export class ContrastiveLossLayer extends LossLayer {
  static override readonly param = ['contrastive_loss_param'] as const
  static override readonly uses = ['contrastiveLoss', 'contrastiveLossGradient'] as const
  override readonly bottomCount: Count = { exactly: 3 }
  private sizes!: ContrastiveShape
  private readonly difference = new Memory(0, this.engine.heap)
  /** d² of each pair. */
  private readonly distance = new Memory(0, this.engine.heap)

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const [a, b, similar] = bottom
    this.requireSameCount(a, b)
    if (a.numAxes < 2 || b.numAxes < 2 || a.dim(1) !== a.size(1) || b.dim(1) !== b.size(1))
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must be N×C, any further axes being 1`,
      )
    if (similar.count !== a.dim(0))
      throw this.error(
        `'${similar.name}' (${shapeText(similar.shape)}) must hold one value for each of the ${a.dim(0)} pairs: 1 similar, 0 not`,
      )
    const p = withDefaults('ContrastiveLossParameter', this.param.contrastive_loss_param)
    this.sizes = { batch: a.dim(0), size: a.dim(1), margin: p.margin, legacy: p.legacy_version }
    this.difference.resize(a.count)
    this.distance.resize(a.dim(0))
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== 2
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [a, b, similar] = bottom.map(blob => blob.memory.data)
    this.kernels.contrastiveLoss(this.sizes, a, b, similar, this.difference, this.distance, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom, 2)
    const similar = bottom[2].memory.data
    for (const i of [0, 1]) {
      if (!propagateDown[i]) continue
      const sign = i === 0 ? 1 : -1
      this.kernels.contrastiveLossGradient(
        this.sizes,
        sign,
        this.difference,
        this.distance,
        similar,
        top[0].memory.diff,
        bottom[i].memory.diff,
      )
    }
  }

  override dispose(): void {
    this.difference.dispose()
    this.distance.dispose()
  }
}
