import { type Blob, shapeText } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import type { FilledBatchNormParameter, ParamSpec } from '../generated/caffe.js'
import type { ChannelAffine } from '../layer.js'
import { isOf, type LayerClass } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { BiasLayer } from './bias.js'
import { KeptInputLayer } from './parts/kept_input.js'
import { ScaleLayer } from './scale.js'

/**
 * top = (bottom − mean) / √(variance + eps) for each channel (axis 1): of the batch in TRAIN, of all batches so far in
 * TEST. Blobs: weighted sums of means and of variances, and the sum of the weights. Scale and shift are a Scale layer's
 * business.
 */
export class BatchNormLayer extends KeptInputLayer {
  static override readonly param = ['batch_norm_param'] as const
  static override hint(readers: readonly LayerClass[]): string | undefined {
    if (readers.some(reader => isOf(reader, ScaleLayer, BiasLayer))) return undefined
    return 'has no Scale layer behind it: the normalized values cannot be rescaled; add type: "Scale" with scale_param { bias_term: true }'
  }
  static override readonly uses = [
    ...(['copy', 'fill', 'axpby', 'channelStatistics', 'movingStatistics'] as const),
    ...(['deviations', 'normalizeChannels', 'normalizeChannelsGradient'] as const),
  ]
  private p!: FilledBatchNormParameter
  private useGlobalStats = false
  private channels = 0
  private inner = 0
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
    this.param.param = this.blobs.map((_, i) => this.statisticsSpec(i, this.param.param?.[i]))
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
    return 'normalizeChannels'
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { kernels, channels, inner, mean, variance, deviation } = this
    const batch = bottom[0].dim(0)
    const x = bottom[0].memory.data
    const [means, variances, factor] = this.blobs.map(blob => blob.memory.data)
    if (this.useGlobalStats) kernels.movingStatistics(channels, means, variances, factor, mean, variance)
    else {
      this.keepInput(bottom, top)
      kernels.channelStatistics(batch, channels, inner, x, mean, variance)
      const decay = this.p.moving_average_fraction
      const samples = batch * inner
      kernels.axpby(1, 1, this.one, decay, factor)
      kernels.axpby(channels, 1, mean, decay, means)
      kernels.axpby(channels, samples > 1 ? samples / (samples - 1) : 1, variance, decay, variances)
    }
    kernels.deviations(channels, this.p.eps, 0, variance, deviation)
    kernels.normalizeChannels(batch, channels, inner, x, mean, deviation, top[0].memory.data, after)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { kernels, channels, inner, mean, deviation } = this
    const batch = bottom[0].dim(0)
    const dy = top[0].memory.diff
    const dx = bottom[0].memory.diff
    // with fixed statistics the layer is linear: the gradient is only divided
    if (this.useGlobalStats) kernels.normalizeChannels(batch, channels, inner, dy, this.zeros, deviation, dx)
    else kernels.normalizeChannelsGradient(batch, channels, inner, this.input(bottom, top), mean, deviation, dy, dx)
  }

  override channelAffine(): ChannelAffine | undefined {
    if (!this.useGlobalStats) return undefined
    const [means, variances, weight] = this.blobs.map(blob => blob.memory.data.values)
    const scale = weight[0] === 0 ? 0 : 1 / weight[0]
    const factor = variances.map(variance => 1 / Math.sqrt(variance * scale + this.p.eps))
    return { factor, shift: factor.map((value, c) => -value * means[c] * scale) }
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
