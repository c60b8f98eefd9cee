import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { LossLayer } from './parts/loss.js'

/**
 * a, b [, weight] (N, C, …): d = weight·(a − b), f(d) = d²/2 for |d| < 1, else |d| − ½. Tops: Σ f / normalizer, and
 * Σ over channels of f at each place, (N, 1, H, W). The weight is not in the gradient again.
 */
export class SmoothL1LossOHEMLayer extends LossLayer {
  static override readonly param = ['loss_param'] as const
  static override readonly uses = [
    'axpby',
    'multiply',
    'clip',
    'absolute',
    'sumMiddle',
    'reduce',
    'reduceGradient',
  ] as const
  override readonly bottomCount: Count = { atLeast: 2, atMost: 3 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  private readonly clipped = new Memory(0, this.engine.heap)
  private readonly losses = new Memory(0, this.engine.heap)

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex < 2
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const [a] = bottom
    for (const blob of bottom.slice(1))
      if (blob.count !== a.count)
        throw this.error(
          `'${a.name}' (${shapeText(a.shape)}) and '${blob.name}' (${shapeText(blob.shape)}) must have the same number of values`,
        )
    const places = this.placesOf(a)
    top[1]?.reshape(places)
    this.clipped.resize(a.count)
    this.losses.resize(a.count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, clipped, losses } = this
    const [a, b, weight] = bottom.map(blob => blob.memory.data)
    const n = bottom[0].count
    const beyond = this.engine.scratch(n)
    kernels.axpby(n, 1, a, 0, losses)
    kernels.axpby(n, -1, b, 1, losses)
    if (weight) kernels.multiply(n, losses, weight, losses)
    kernels.clip(n, -1, 1, losses, clipped)
    // |d − c| + c²/2
    kernels.axpby(n, -1, clipped, 1, losses)
    kernels.absolute(n, losses, losses)
    kernels.multiply(n, clipped, clipped, beyond)
    kernels.axpby(n, 0.5, beyond, 1, losses)
    kernels.reduce('SUM', 1, n, 1 / this.placesNormalizer(bottom[0]), losses, top[0].memory.data)
    const [batch, channels] = bottom[0].shape
    if (top[1]) kernels.sumMiddle(batch, channels, bottom[0].size(2), losses, top[1].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (bottom.length > 2) this.refuseLabelGradient(propagateDown, bottom, 2)
    const { kernels, clipped } = this
    const n = bottom[0].count
    const slope = this.engine.scratch(n)
    kernels.reduceGradient('SUM', 1, n, 1 / this.placesNormalizer(bottom[0]), clipped, top[0].memory.diff, slope)
    kernels.multiply(n, slope, clipped, slope)
    for (const i of [0, 1]) if (propagateDown[i]) kernels.axpby(n, i === 0 ? 1 : -1, slope, 0, bottom[i].memory.diff)
  }

  override dispose(): void {
    this.clipped.dispose()
    this.losses.dispose()
  }
}
