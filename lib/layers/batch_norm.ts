import { type Blob, shapeText } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import type { BatchNormParameter, FilledBatchNormParameter, LayerParameter, ParamSpec } from '../generated/caffe.js'
import type { ChannelAffine, Moving } from '../layer.js'
import { isOf, type LayerClass } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { BiasLayer } from './bias.js'
import { KeptInputLayer } from './parts/kept_input.js'
import { movingStatistics } from './parts/moving_statistics.js'
import { ScaleLayer } from './scale.js'

/** NVCaffe's: fillers alone say it, too. */
const isScaled = (p: BatchNormParameter = {}): boolean =>
  p.scale_bias === true || p.scale_filler !== undefined || p.bias_filler !== undefined

/**
 * top = (bottom − mean) / √(variance + eps) for each channel (axis 1): of the batch in TRAIN, of all batches so far in
 * TEST. Blobs: weighted sums of means and of variances, and the sum of the weights. Scale and shift are a Scale layer's
 * business, or, with NVCaffe's `scale_bias`, blobs 3 and 4.
 */
export class BatchNormLayer extends KeptInputLayer {
  static override readonly param = ['batch_norm_param'] as const
  static override hint(readers: readonly LayerClass[], param: LayerParameter): string | undefined {
    if (isScaled(param.batch_norm_param) || readers.some(reader => isOf(reader, ScaleLayer, BiasLayer)))
      return undefined
    return 'has no Scale layer behind it: the normalized values cannot be rescaled; add type: "Scale" with scale_param { bias_term: true }'
  }
  static override readonly uses = [
    ...(['copy', 'fill', 'axpby', 'channelStatistics', 'movingStatistics'] as const),
    ...(['deviations', 'normalizeChannels', 'normalizeChannelsGradient'] as const),
    ...(['scaleChannels', 'scaleGradient', 'biasGradient'] as const),
  ]
  private p!: FilledBatchNormParameter
  private useGlobalStats = false
  /** Whether blobs 3 and 4 are a scale and a shift. */
  private isScaled = false
  private channels = 0
  private inner = 0
  /** Values a channel that the last pass measured. */
  private samples = 0
  private readonly mean = new Memory(0, this.engine.heap)
  private readonly variance = new Memory(0, this.engine.heap)
  private readonly deviation = new Memory(0, this.engine.heap)
  /** Always 0 respectively 1. */
  private readonly zeros = new Memory(0, this.engine.heap)
  private readonly one = new Memory(1, this.engine.heap)

  override setup(bottom: Blob[]): void {
    this.p = withDefaults('BatchNormParameter', this.param.batch_norm_param)
    this.useGlobalStats = this.p.use_global_stats ?? this.phase === 'TEST'
    this.requireChannels(bottom)
    this.channels = bottom[0].dim(1)
    for (const memory of [this.mean, this.variance, this.deviation, this.zeros]) memory.resize(this.channels)
    this.one.array[0] = 1
    for (const size of [this.channels, this.channels, 1]) this.addBlob([size])
    const given = this.param.param ?? []
    this.isScaled = isScaled(this.param.batch_norm_param)
    this.param.param = this.blobs.map((_, i) => this.statisticsSpec(i, given[i]))
    if (!this.isScaled) return
    this.param.param.push(...given.slice(3))
    this.addBlob([this.channels], this.p.scale_filler ?? { type: 'constant', value: 1 })
    this.addBlob([this.channels], this.p.bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.requireChannels(bottom)
    if (bottom[0].dim(1) !== this.channels)
      throw this.error(
        `its statistics are of ${this.channels} channels, but '${bottom[0].name}' (${shapeText(bottom[0].shape)}) has ${bottom[0].dim(1)}`,
      )
    super.reshape(bottom, top)
    this.inner = bottom[0].size(2)
  }

  override get fuses(): FusingKernel {
    return this.isScaled ? 'scaleChannels' : 'normalizeChannels'
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { kernels, channels, inner, mean, variance, deviation } = this
    const batch = bottom[0].dim(0)
    const x = bottom[0].memory.data
    const [means, variances, factor, scale, shift] = this.blobs.map(blob => blob.memory.data)
    if (this.useGlobalStats && this.isScaled) this.keepInput(bottom, top)
    if (this.useGlobalStats) kernels.movingStatistics(channels, means, variances, factor, mean, variance)
    else {
      this.keepInput(bottom, top)
      kernels.channelStatistics(batch, channels, inner, x, mean, variance)
      this.samples = batch * inner
      if (!this.context.share) this.moveOn()
    }
    kernels.deviations(channels, this.p.eps, 0, variance, deviation)
    const y = top[0].memory.data
    kernels.normalizeChannels(batch, channels, inner, x, mean, deviation, y, this.isScaled ? undefined : after)
    if (this.isScaled) kernels.scaleChannels(batch, channels, inner, y, scale, shift, y, after)
  }

  /** The blobs take in the mean and the variance of `samples` values a channel. */
  private moveOn(): void {
    const { kernels, channels, mean, variance, samples } = this
    const [means, variances, factor] = this.blobs.map(blob => blob.memory.data)
    const decay = this.p.moving_average_fraction
    kernels.axpby(1, 1, this.one, decay, factor)
    kernels.axpby(channels, 1, mean, decay, means)
    kernels.axpby(channels, samples > 1 ? samples / (samples - 1) : 1, variance, decay, variances)
  }

  override get moving(): Moving | undefined {
    if (this.useGlobalStats) return undefined
    return movingStatistics(this.mean, this.variance, {
      samples: () => this.samples,
      take: samples => {
        this.samples = samples
        this.moveOn()
      },
    })
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (this.isScaled) this.learnScale(bottom, top)
    if (!propagateDown[0]) return
    const { kernels, channels, inner, mean, deviation } = this
    const batch = bottom[0].dim(0)
    const dx = bottom[0].memory.diff
    const dy = this.isScaled ? dx : top[0].memory.diff
    if (this.isScaled)
      kernels.scaleChannels(batch, channels, inner, top[0].memory.diff, this.blobs[3].memory.data, null, dx)
    // with fixed statistics the layer is linear: the gradient is only divided
    if (this.useGlobalStats) kernels.normalizeChannels(batch, channels, inner, dy, this.zeros, deviation, dx)
    else kernels.normalizeChannelsGradient(batch, channels, inner, this.input(bottom, top), mean, deviation, dy, dx)
  }

  private learnScale(bottom: Blob[], top: Blob[]): void {
    const { kernels, channels, inner, mean, deviation } = this
    const batch = bottom[0].dim(0)
    const dy = top[0].memory.diff
    const [scale, shift] = this.blobs.slice(3).map(blob => blob.memory)
    if (this.paramPropagateDown[4]) kernels.biasGradient(batch, channels, inner, dy, shift.diff)
    if (!this.paramPropagateDown[3]) return
    const normal = this.engine.scratch(bottom[0].count)
    kernels.normalizeChannels(batch, channels, inner, this.input(bottom, top), mean, deviation, normal)
    kernels.scaleGradient(batch, channels, inner, normal, dy, scale.diff)
  }

  override channelAffine(): ChannelAffine | undefined {
    if (!this.useGlobalStats) return undefined
    const [means, variances, weight, factors, shifts] = this.blobs.map(blob => blob.memory.data.values)
    const scale = weight[0] === 0 ? 0 : 1 / weight[0]
    const factor = variances.map((variance, c) => (factors?.[c] ?? 1) / Math.sqrt(variance * scale + this.p.eps))
    return { factor, shift: factor.map((value, c) => (shifts?.[c] ?? 0) - value * means[c] * scale) }
  }

  override dispose(): void {
    super.dispose()
    for (const memory of [this.mean, this.variance, this.deviation, this.zeros, this.one]) memory.dispose()
  }

  private requireChannels(bottom: Blob[]): void {
    if (bottom[0].numAxes < 2)
      throw this.error(
        `'${bottom[0].name}' (${shapeText(bottom[0].shape)}) needs at least 2 axes, batch and channels: put a Reshape in front that adds one`,
      )
  }

  /** Statistics are not learned: the solver must leave them alone. */
  private statisticsSpec(i: number, given: ParamSpec | undefined): ParamSpec {
    if (given && given.lr_mult !== 0)
      throw this.error(
        `param ${i} has lr_mult ${given.lr_mult ?? '1 (the default)'}, but the statistics of a batch are not learned: write lr_mult: 0, or leave param out`,
      )
    return { ...given, lr_mult: 0 }
  }
}
