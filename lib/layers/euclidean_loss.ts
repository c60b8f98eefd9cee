import { type Blob, shapeText } from '../blob.js'
import { Memory } from '../memory.js'
import { LossLayer } from './parts/loss.js'

/** loss = Σ (a − b)² / 2N. Both bottoms get a gradient: (a − b)/N and its negative. */
export class EuclideanLossLayer extends LossLayer {
  static override readonly param = ['loss_param'] as const
  static override readonly uses = ['euclideanLoss', 'euclideanLossGradient'] as const

  private readonly difference = new Memory(0, this.engine.heap)

  override allowsForceBackward(): boolean {
    return true
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const [a, b] = bottom
    if (a.size(1) !== b.size(1))
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must have equally many values an item`,
      )
    this.difference.resize(a.count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [a, b] = bottom
    this.kernels.euclideanLoss(a.count, batchOf(a), a.memory.data, b.memory.data, this.difference, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    bottom.forEach((blob, i) => {
      const factor = (i === 0 ? 1 : -1) / batchOf(blob)
      if (propagateDown[i])
        this.kernels.euclideanLossGradient(blob.count, factor, this.difference, top[0].memory.diff, blob.memory.diff)
    })
  }

  override dispose(): void {
    this.difference.dispose()
  }
}

/** N; an empty batch has loss 0, not 0/0. */
function batchOf(blob: Blob): number {
  return Math.max(1, blob.dim(0))
}
