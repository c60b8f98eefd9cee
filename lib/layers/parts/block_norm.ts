import type { Blob } from '../../blob.js'
import type { Kernels } from '../../engine.js'
import type { Moving } from '../../layer.js'
import { type Heap, Memory } from '../../memory.js'
import { movingStatistics } from './moving_statistics.js'

/** cuDNN's least. */
const EPSILON = 1e-5

/** The kernels that a BlockNorm calls. */
export const blockNormUses = [
  ...(['axpby', 'channelStatistics', 'copy', 'deviations', 'fill', 'normalizeChannels'] as const),
  ...(['normalizeChannelsGradient', 'scaleChannels', 'scaleGradient', 'biasGradient', 'relu', 'reluGradient'] as const),
] as const

/** Sizes of a pass. */
export interface NormSizes {
  readonly batch: number
  readonly inner: number
}

/**
 * Within a layer: y ← max(0, scale·(x − mean) / √(variance + ε) + shift), statistics of the batch in TRAIN, of those so
 * far in TEST. The params are blobs of the layer: scale, shift, mean and variance, 1 × C × 1 × 1.
 */
export class BlockNorm {
  private readonly mean: Memory
  private readonly variance: Memory
  private readonly deviation: Memory
  private readonly zeros: Memory
  private samples = 0

  constructor(
    readonly channels: number,
    private readonly params: () => readonly [scale: Blob, shift: Blob, mean: Blob, variance: Blob],
    private readonly how: { readonly learns: boolean; readonly fraction: number; readonly heap: Heap },
  ) {
    const own = () => new Memory(channels, how.heap)
    ;[this.mean, this.variance, this.deviation, this.zeros] = [own(), own(), own(), own()]
  }

  /**
   * y may be x.
   * @param weight what the stored statistics are to be divided by: 1, or how much of them the fork's host code added up
   */
  forward(k: Kernels, { batch, inner }: NormSizes, x: Memory, y: Memory, weight: number, moves: boolean): void {
    const { channels: C, mean, variance } = this
    const [, , means, variances] = this.params().map(blob => blob.memory.data)
    if (this.how.learns) {
      k.channelStatistics(batch, C, inner, x, mean, variance)
      this.samples = batch * inner
      if (moves) this.moveOn(k)
    } else {
      k.axpby(C, 1 / weight, means, 0, mean)
      k.axpby(C, 1 / weight, variances, 0, variance)
    }
    k.deviations(C, EPSILON, 0, variance, this.deviation)
    this.again(k, { batch, inner }, x, y)
  }

  /** The same with the statistics as they are. */
  again(k: Kernels, { batch, inner }: NormSizes, x: Memory, y: Memory): void {
    const { channels: C } = this
    const [scale, shift] = this.params()
    k.normalizeChannels(batch, C, inner, x, this.mean, this.deviation, y)
    k.scaleChannels(batch, C, inner, y, scale.memory.data, shift.memory.data, y)
    k.relu(batch * C * inner, 0, y, y)
  }

  /** dx ← from dy, which it spoils; y is what x became, `normal` workspace. */
  backward(
    k: Kernels,
    { batch, inner }: NormSizes,
    x: Memory,
    y: Memory,
    dy: Memory,
    normal: Memory,
    dx: Memory,
  ): void {
    const { channels: C, mean, deviation } = this
    const [scale, shift] = this.params().map(blob => blob.memory)
    k.reluGradient(batch * C * inner, 0, y, dy, dy)
    k.biasGradient(batch, C, inner, dy, shift.diff)
    k.normalizeChannels(batch, C, inner, x, mean, deviation, normal)
    k.scaleGradient(batch, C, inner, normal, dy, scale.diff)
    k.scaleChannels(batch, C, inner, dy, scale.data, null, dy)
    if (this.how.learns) k.normalizeChannelsGradient(batch, C, inner, x, mean, deviation, dy, dx)
    else k.normalizeChannels(batch, C, inner, dy, this.zeros, deviation, dx)
  }

  /** The stored statistics take in those of the pass. */
  private moveOn(k: Kernels): void {
    const { fraction } = this.how
    const { samples } = this
    const [, , means, variances] = this.params().map(blob => blob.memory.data)
    k.axpby(this.channels, fraction, this.mean, 1 - fraction, means)
    const unbiased = samples > 1 ? samples / (samples - 1) : 1
    k.axpby(this.channels, fraction * unbiased, this.variance, 1 - fraction, variances)
  }

  moving(k: () => Kernels): Moving {
    return movingStatistics(this.mean, this.variance, {
      samples: () => this.samples,
      take: samples => {
        this.samples = samples
        this.moveOn(k())
      },
    })
  }

  dispose(): void {
    for (const memory of [this.mean, this.variance, this.deviation, this.zeros]) memory.dispose()
  }
}
