import type { Blob } from '../../blob.js'
import { Layer } from '../../layer.js'
import { Memory } from '../../memory.js'

/** Rows of a blob that are normalized, and how its scale and shift lie over the values. */
export interface NormalizedRows {
  /** Each of `length` values. */
  readonly rows: number
  readonly length: number
  /** Values are (outer, factors, inner): one scale and shift for each of the factors. */
  readonly outer: number
  readonly factors: number
  readonly inner: number
}

/** top = scale·(row − its mean) / √(its variance + eps) + shift, row by row, with a learned scale and shift. */
export abstract class NormalizedRowsLayer extends Layer {
  static override readonly uses = [
    ...(['channelStatistics', 'deviations', 'normalizeChannels', 'normalizeChannelsGradient'] as const),
    ...(['scaleChannels', 'scaleGradient', 'biasGradient'] as const),
  ]
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }
  protected abstract readonly eps: number
  protected shape!: NormalizedRows
  private readonly mean = new Memory(0, this.engine.heap)
  private readonly variance = new Memory(0, this.engine.heap)
  private readonly deviation = new Memory(0, this.engine.heap)
  /** The gradient behind the scale. */
  private readonly scaled = new Memory(0, this.engine.heap)

  protected abstract rowsOf(bottom: Blob): NormalizedRows

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    this.shape = this.rowsOf(bottom[0])
    for (const memory of [this.mean, this.variance, this.deviation]) memory.resize(this.shape.rows)
    this.scaled.resize(this.blobs.length && this.needsBackward ? bottom[0].count : 0)
    top[0].reshapeLike(bottom[0])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, mean, variance, deviation } = this
    const { rows, length, outer, factors, inner } = this.shape
    const [x, y] = [bottom[0].memory.data, top[0].memory.data]
    kernels.channelStatistics(1, rows, length, x, mean, variance)
    kernels.deviations(rows, this.eps, 0, variance, deviation)
    kernels.normalizeChannels(1, rows, length, x, mean, deviation, y)
    const [scale, shift] = this.blobs.map(blob => blob.memory.data)
    if (scale) kernels.scaleChannels(outer, factors, inner, y, scale, shift ?? null, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, mean, deviation, scaled } = this
    const { rows, length, outer, factors, inner } = this.shape
    const [x, dx, dy] = [bottom[0].memory.data, bottom[0].memory.diff, top[0].memory.diff]
    const [scale, shift] = this.blobs.map(blob => blob.memory)
    if (shift && this.paramPropagateDown[1]) kernels.biasGradient(outer, factors, inner, dy, shift.diff)
    if (scale && this.paramPropagateDown[0]) {
      kernels.normalizeChannels(1, rows, length, x, mean, deviation, scaled)
      kernels.scaleGradient(outer, factors, inner, scaled, dy, scale.diff)
    }
    if (!propagateDown[0]) return
    if (scale) kernels.scaleChannels(outer, factors, inner, dy, scale.data, null, scaled)
    kernels.normalizeChannelsGradient(1, rows, length, x, mean, deviation, scale ? scaled : dy, dx)
  }

  override dispose(): void {
    for (const memory of [this.mean, this.variance, this.deviation, this.scaled]) memory.dispose()
  }
}
