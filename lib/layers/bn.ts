import { type Blob, shapeText } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import type { BNParameter } from '../generated/caffe.js'
import type { ChannelAffine, Count, Moving } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'
import { movingStatistics } from './parts/moving_statistics.js'

const ofPSPNet = ['slope_filler', 'bias_filler', 'momentum', 'eps', 'frozen', 'engine'] as const
const ofSegNet = ['scale_filler', 'shift_filler', 'bn_mode'] as const

/**
 * top = slope·(bottom − mean) / √(variance + eps) + bias for each channel (axis 1). PSPNet's has four blobs, the last
 * two moving statistics that TEST and `frozen` use; SegNet's has two and takes the statistics of every batch, or, with
 * `bn_mode: INFERENCE`, none: top = scale·bottom + shift. The fields that are written tell which of them is meant.
 */
export class BNLayer extends KeptInputLayer {
  static override readonly param = ['bn_param'] as const
  static override readonly uses = [
    ...(['copy', 'multiply', 'axpby', 'channelStatistics', 'deviations', 'normalizeChannels'] as const),
    ...(['normalizeChannelsGradient', 'scaleChannels', 'scaleGradient', 'biasGradient'] as const),
  ]
  private readonly written: BNParameter = this.param.bn_param ?? {}
  private readonly p = withDefaults('BNParameter', this.param.bn_param)
  private readonly isSegNet = ofSegNet.some(field => this.written[field] !== undefined)
  /** Where the statistics come from: the batch, blobs 2 and 3, or nowhere. */
  private readonly statistics = this.isSegNet
    ? (this.p.bn_mode === 'LEARN' && 'batch') || 'none'
    : this.phase === 'TEST' || this.p.frozen
      ? 'stored'
      : 'batch'
  override readonly topCount: Count = { atLeast: 1, atMost: this.isSegNet && this.statistics === 'batch' ? 3 : 1 }
  private channels = 0
  private inner = 0
  private readonly mean = new Memory(0, this.engine.heap)
  private readonly variance = new Memory(0, this.engine.heap)
  private readonly deviation = new Memory(0, this.engine.heap)
  private readonly factor = new Memory(0, this.engine.heap)
  private readonly shift = new Memory(0, this.engine.heap)
  private readonly zeros = new Memory(0, this.engine.heap)

  override setup(bottom: Blob[]): void {
    const { written, p } = this
    const other = ofPSPNet.filter(field => written[field] !== undefined)
    const own = ofSegNet.filter(field => written[field] !== undefined)
    if (other.length && own.length)
      throw this.error(
        `bn_param has ${own.join(', ')}, which are SegNet's, and ${other.join(', ')}, which are PSPNet's: the two layers differ, keep the fields of one`,
      )
    if (!other.length && !own.length)
      throw this.error(
        'bn_param says nothing, and BN is two layers: write slope_filler and bias_filler (PSPNet: four blobs) or scale_filler and shift_filler (SegNet: two)',
      )
    this.requireChannels(bottom)
    const channels = bottom[0].dim(1)
    this.channels = channels
    for (const memory of [this.mean, this.variance, this.deviation, this.factor, this.shift, this.zeros])
      memory.resize(channels)
    const shape = [1, channels, 1, 1]
    this.addBlob(shape, this.isSegNet ? p.scale_filler : p.slope_filler)
    this.addBlob(shape, this.isSegNet ? p.shift_filler : p.bias_filler)
    if (this.isSegNet) return
    this.addBlob(shape)
    this.addBlob(shape, { type: 'constant', value: p.frozen ? 1 : 0 })
    // statistics are not learned, and nothing is where they are frozen
    this.param.param = this.blobs.map((_, i) => {
      const given = this.param.param?.[i]
      return i < 2 && !p.frozen ? { ...given } : { ...given, lr_mult: 0, decay_mult: 0 }
    })
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.requireChannels(bottom)
    if (bottom[0].dim(1) !== this.channels)
      throw this.error(
        `its blobs are of ${this.channels} channels, but '${bottom[0].name}' (${shapeText(bottom[0].shape)}) has ${bottom[0].dim(1)}`,
      )
    super.reshape(bottom, top)
    for (const blob of top.slice(1)) blob.reshape([1, this.channels, 1, 1])
    this.inner = bottom[0].size(2)
  }

  override get fuses(): FusingKernel {
    return 'scaleChannels'
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { kernels, channels, inner } = this
    const batch = bottom[0].dim(0)
    const x = bottom[0].memory.data
    const [slope, bias, meanBlob, varianceBlob] = this.blobs.map(blob => blob.memory.data)
    this.keepInput(bottom, top)
    if (this.statistics === 'batch') {
      kernels.channelStatistics(batch, channels, inner, x, this.mean, this.variance)
      if (top.length > 1) kernels.copy(channels, this.mean, top[1].memory.data)
      if (top.length > 2) kernels.copy(channels, this.variance, top[2].memory.data)
      if (!this.context.share) this.moveOn()
    }
    const [factor, shift] = this.statistics === 'none' ? [slope, bias] : this.folded(meanBlob, varianceBlob)
    kernels.scaleChannels(batch, channels, inner, x, factor, shift, top[0].memory.data, after)
  }

  /** The blobs take in the statistics of a batch, where it has such blobs. */
  private moveOn(): void {
    const { kernels, channels, mean, variance } = this
    const [, , meanBlob, varianceBlob] = this.blobs.map(blob => blob.memory.data)
    const { momentum } = this.p
    if (!meanBlob) return
    kernels.axpby(channels, 1 - momentum, mean, momentum, meanBlob)
    kernels.axpby(channels, 1 - momentum, variance, momentum, varianceBlob)
  }

  override get moving(): Moving | undefined {
    if (this.statistics !== 'batch' || this.isSegNet) return undefined
    return movingStatistics(this.mean, this.variance, { samples: () => 0, take: () => this.moveOn() })
  }

  /** The statistics taken into slope and bias: slope / deviation, and bias − mean·slope / deviation. */
  private folded(meanBlob: Memory, varianceBlob: Memory): [Memory, Memory] {
    const { kernels, channels, deviation, factor, shift } = this
    const [slope, bias] = this.blobs.map(blob => blob.memory.data)
    const [mean, variance] = this.statistics === 'batch' ? [this.mean, this.variance] : [meanBlob, varianceBlob]
    kernels.deviations(channels, this.isSegNet ? 1e-9 : this.p.eps, 0, variance, deviation)
    kernels.normalizeChannels(1, channels, 1, slope, this.zeros, deviation, factor)
    kernels.multiply(channels, mean, factor, shift)
    kernels.axpby(channels, 1, bias, -1, shift)
    return [factor, shift]
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, channels, inner, statistics, deviation } = this
    const batch = bottom[0].dim(0)
    const x = this.input(bottom, top)
    const [dy, dx] = [top[0].memory.diff, bottom[0].memory.diff]
    const [slope, bias, meanBlob] = this.blobs.map(blob => blob.memory)
    const mean = statistics === 'batch' ? this.mean : meanBlob?.data
    const learns = this.paramPropagateDown.map(learns => learns && !this.p.frozen)
    if (learns[1]) kernels.biasGradient(batch, channels, inner, dy, bias.diff)
    if (learns[0]) {
      const normal = mean ? this.engine.scratch(bottom[0].count) : x
      if (mean) kernels.normalizeChannels(batch, channels, inner, x, mean, deviation, normal)
      kernels.scaleGradient(batch, channels, inner, normal, dy, slope.diff)
    }
    if (!propagateDown[0]) return
    const factor = statistics === 'stored' ? this.factor : slope.data
    kernels.scaleChannels(batch, channels, inner, dy, factor, null, dx)
    if (statistics === 'batch')
      kernels.normalizeChannelsGradient(batch, channels, inner, x, this.mean, deviation, dx, dx)
  }

  override channelAffine(): ChannelAffine | undefined {
    if (this.statistics === 'batch') return undefined
    const [slope, bias, mean, variance] = this.blobs.map(blob => blob.memory.data.values)
    if (!mean) return { factor: slope.slice(), shift: bias.slice() }
    const factor = slope.map((value, c) => value / Math.sqrt(variance[c] + this.p.eps))
    return { factor, shift: bias.map((value, c) => value - mean[c] * factor[c]) }
  }

  override dispose(): void {
    super.dispose()
    for (const memory of [this.mean, this.variance, this.deviation, this.factor, this.shift, this.zeros])
      memory.dispose()
  }

  private requireChannels(bottom: Blob[]): void {
    if (bottom[0].numAxes < 2)
      throw this.error(`'${bottom[0].name}' (${shapeText(bottom[0].shape)}) needs at least 2 axes, batch and channels`)
  }
}
