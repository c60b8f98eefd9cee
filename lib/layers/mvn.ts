import { type Blob, shapeText, sizeOf } from '../blob.js'
import type { FilledMVNParameter } from '../generated/caffe.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/**
 * top = (bottom − mean) / (standard deviation + eps), over H×W for each channel, or over C×H×W. The top always has 4
 * axes.
 */
export class MVNLayer extends KeptInputLayer {
  static override readonly param = ['mvn_param'] as const
  static override readonly uses = [
    'copy',
    'fill',
    'channelStatistics',
    'deviations',
    'normalizeChannels',
    'normalizeChannelsGradient',
  ] as const
  private p!: FilledMVNParameter
  /** How many groups of values are normalized, and how large each is. */
  private groups = 0
  private size = 0
  private readonly mean = new Memory(0, this.engine.heap)
  private readonly variance = new Memory(0, this.engine.heap)
  private readonly deviation = new Memory(0, this.engine.heap)

  override setup(): void {
    this.p = withDefaults('MVNParameter', this.param.mvn_param)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const { shape } = bottom[0]
    if (shape.length > 4) throw this.error(`'${bottom[0].name}' (${shapeText(shape)}) must have at most 4 axes`)
    while (shape.length < 4) shape.push(1)
    this.groups = this.p.across_channels ? shape[0] : shape[0] * shape[1]
    this.size = sizeOf(shape, this.p.across_channels ? 1 : 2)
    for (const memory of [this.mean, this.variance, this.deviation]) memory.resize(this.groups)
    if (top[0] === bottom[0]) super.reshape(bottom, top)
    top[0].reshape(shape)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, groups, size, mean, variance, deviation } = this
    const x = bottom[0].memory.data
    if (this.p.normalize_variance) this.keepInput(bottom, top)
    kernels.channelStatistics(1, groups, size, x, mean, variance)
    this.setDeviation()
    kernels.normalizeChannels(1, groups, size, x, mean, deviation, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { kernels, groups, size, mean, variance, deviation } = this
    const dy = top[0].memory.diff
    const dx = bottom[0].memory.diff
    if (this.p.normalize_variance) {
      kernels.normalizeChannelsGradient(1, groups, size, this.input(bottom, top), mean, deviation, dy, dx)
      return
    }
    // without the variance the gradient is what the layer does to values: the mean is taken off
    kernels.channelStatistics(1, groups, size, dy, mean, variance)
    kernels.normalizeChannels(1, groups, size, dy, mean, deviation, dx)
  }

  private setDeviation(): void {
    if (this.p.normalize_variance) this.kernels.deviations(this.groups, 0, this.p.eps, this.variance, this.deviation)
    else this.kernels.fill(this.groups, 1, this.deviation)
  }

  override dispose(): void {
    super.dispose()
    for (const memory of [this.mean, this.variance, this.deviation]) memory.dispose()
  }
}
