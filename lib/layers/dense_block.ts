import { type Blob, shapeText } from '../blob.js'
import type { ConvolutionShape } from '../engine.js'
import { type Count, Layer, type Moving } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { BlockNorm, blockNormUses, type NormSizes } from './parts/block_norm.js'

/** What a step does: a normalization with ReLU and a convolution, with `use_BC` twice. */
interface Step {
  readonly channels: number
  readonly norm: BlockNorm
  /** The second one, between the convolutions, and what the first of these makes. */
  readonly inner?: { readonly norm: BlockNorm; readonly values: Memory }
}

/** Every step has five to ten params: far beyond any net, long before memory is short. */
const MOST_STEPS = 4096

/**
 * A block of a DenseNet: x (N, C, H, W) → (N, C + T·g, H, W), x and what T steps add, g channels each, made of all
 * channels before it: BatchNorm, Scale, ReLU and a 3×3 convolution, before which `use_BC` puts a 1×1 convolution to 4·g
 * channels with its own BatchNorm, Scale and ReLU. Blobs, T of each: windows, factors, shifts, means, variances; with
 * use_BC five more of the 1×1 part; and one value that the fork's host code counts with.
 */
export class DenseBlockLayer extends Layer {
  static override readonly param = ['denseblock_param'] as const
  static override readonly needsWeights = true
  static override readonly uses = [
    ...blockNormUses,
    ...(['convolution', 'convolutionInputGradient', 'convolutionWeightGradient'] as const),
    ...(['copyRows', 'dropoutMask', 'multiply'] as const),
  ] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('DenseBlockParameter', this.param.denseblock_param)
  private readonly drops = this.p.use_dropout && this.p.dropout_amount > 0 && this.phase === 'TRAIN'
  private steps: Step[] = []
  private channels = 0
  private size: NormSizes & { readonly spatial: readonly number[] } = { batch: 0, inner: 0, spatial: [] }
  /** Values of as many channels as a step reads or a 1×1 convolution makes, and their gradients. */
  private readonly read = new Memory(0, this.engine.heap)
  private readonly normal = new Memory(0, this.engine.heap)
  private readonly slopes = new Memory(0, this.engine.heap)
  private readonly buffer = new Memory(0, this.engine.heap)
  private readonly more = new Memory(0, this.engine.heap)
  /** What a step adds, the gradient of the whole top, and what is dropped of each step. */
  private readonly added = new Memory(0, this.engine.heap)
  private readonly slope = new Memory(0, this.engine.heap)
  private readonly masks = new Memory(0, this.engine.heap)
  private readonly mask = new Memory(0, this.engine.heap)

  override setup([x]: Blob[]): void {
    const { numTransition: T, growthRate: g, use_BC, dropout_amount, moving_average_fraction: fraction } = this.p
    if (T < 1 || g < 1) throw this.error(`numTransition: ${T} and growthRate: ${g} must be at least 1`)
    if (T > MOST_STEPS)
      throw this.error(`numTransition: ${T} is more than the ${MOST_STEPS} steps that a block may have`)
    if (!(dropout_amount >= 0 && dropout_amount < 1))
      throw this.error(`dropout_amount: ${dropout_amount} must be at least 0 and less than 1`)
    this.requireMaps(x)
    this.channels = x.dim(1)
    const all = Array.from({ length: T }, (_, i) => this.channels + i * g)
    const filler = this.p.Filter_Filler
    const add = (channels: readonly number[]) => {
      const each = (fill: (size: number) => void) => channels.forEach(fill)
      each(size => this.addBlob([1, size, 1, 1], this.p.BN_Scaler_Filler))
      each(size => this.addBlob([1, size, 1, 1], this.p.BN_Bias_Filler))
      each(size => this.addBlob([1, size, 1, 1]))
      each(size => this.addBlob([1, size, 1, 1], { type: 'constant', value: 1 }))
    }
    for (const size of all) this.addBlob([g, use_BC ? 4 * g : size, 3, 3], filler)
    add(all)
    if (use_BC) {
      for (const size of all) this.addBlob([4 * g, size, 1, 1], filler)
      add(all.map(() => 4 * g))
    }
    this.addBlob([1])
    const given = this.param.param ?? []
    const isStatistic = (i: number): boolean => i % (5 * T) >= 3 * T || i === this.blobs.length - 1
    this.param.param = this.blobs.map((_, i) =>
      isStatistic(i) ? { ...given[i], lr_mult: 0, decay_mult: 0 } : (given[i] ?? {}),
    )
    const how = { learns: this.phase === 'TRAIN', fraction, heap: this.engine.heap }
    const norm = (first: number, i: number, channels: number) =>
      new BlockNorm(
        channels,
        () => {
          const blob = (k: number) => this.blobs[first + k * T + i]
          return [blob(0), blob(1), blob(2), blob(3)]
        },
        how,
      )
    this.steps = all.map((channels, i) => ({
      channels,
      norm: norm(T, i, channels),
      ...(use_BC && { inner: { norm: norm(6 * T, i, 4 * g), values: new Memory(0, this.engine.heap) } }),
    }))
  }

  private requireMaps(x: Blob): void {
    if (x.numAxes !== 4) throw this.error(`'${x.name}' (${shapeText(x.shape)}) must be N × C × H × W`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    this.requireMaps(x)
    if (x.dim(1) !== this.channels)
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) has ${x.dim(1)} channels now, and the weights are for ${this.channels}`,
      )
    const { numTransition: T, growthRate: g, use_BC } = this.p
    const [batch, , H, W] = x.shape
    this.size = { batch, inner: H * W, spatial: [H, W] }
    top[0].reshape([batch, this.channels + T * g, H, W])
    const plane = batch * H * W
    const most = plane * Math.max(this.steps[T - 1].channels, use_BC ? 4 * g : 0)
    for (const memory of [this.read, this.normal, this.buffer, this.slopes]) memory.resize(most)
    if (use_BC) this.more.resize(plane * 4 * g)
    for (const { inner } of this.steps) inner?.values.resize(plane * 4 * g)
    this.added.resize(plane * g)
    this.slope.resize(top[0].count)
    if (!this.drops) return
    this.masks.resize(T * plane * g)
    this.mask.resize(plane * g)
  }

  /** Every window of every step. */
  override work(bottom: Blob[], top: Blob[]): number {
    const { growthRate: g, use_BC } = this.p
    const each = ({ channels }: Step) => (use_BC ? 4 * g * (channels + 9 * g) : 9 * g * channels)
    const places = bottom[0].count / Math.max(1, bottom[0].dim(1))
    return super.work(bottom, top) + places * this.steps.reduce((sum, step) => sum + each(step), 0)
  }

  private shape(channels: number, outputs: number, side: 1 | 3): ConvolutionShape {
    const { batch, spatial } = this.size
    const both = (value: number) => [value, value]
    return {
      ...{ batch, channels, outputs, group: 1, input: spatial, output: spatial },
      ...{ kernel: both(side), stride: both(1), pad: both(side >> 1), dilation: both(1) },
    }
  }

  /** Channels first … first + count of what has `all`, as a block of their own (`out`), or back again. */
  private part(all: Memory, first: number, count: number, own: Memory, out: boolean): void {
    const { batch, inner } = this.size
    const [width, row, offset] = [
      count * inner,
      (this.channels + this.steps.length * this.p.growthRate) * inner,
      first * inner,
    ]
    if (out) this.kernels.copyRows(batch, width, all, offset, row, own, 0, width)
    else this.kernels.copyRows(batch, width, own, 0, width, all, offset, row)
  }

  /** What the stored statistics are to be divided by: the fork's host code adds them up, its device code does not. */
  private get weight(): number {
    return this.blobs[this.blobs.length - 1].memory.data.hostValues?.[0] || 1
  }

  override forward([x]: Blob[], [top]: Blob[]): void {
    const { kernels, size, steps, buffer, added } = this
    const { growthRate: g, numTransition: T, dropout_amount } = this.p
    const y = top.memory.data
    const moves = !this.context.share
    if (this.drops) kernels.dropoutMask(this.masks.length, dropout_amount, this.random, this.masks)
    this.part(y, 0, this.channels, x.memory.data, false)
    steps.forEach(({ channels, norm, inner }, i) => {
      this.part(y, 0, channels, buffer, true)
      norm.forward(kernels, size, buffer, buffer, this.weight, moves)
      if (inner) {
        const narrow = this.blobs[5 * T + i].memory.data
        kernels.convolution(this.shape(channels, 4 * g, 1), buffer, narrow, null, inner.values)
        inner.norm.forward(kernels, size, inner.values, buffer, this.weight, moves)
      }
      const from = inner ? 4 * g : channels
      kernels.convolution(this.shape(from, g, 3), buffer, this.blobs[i].memory.data, null, added)
      this.drop(i, added)
      this.part(y, channels, g, added, false)
    })
  }

  /** What dropout leaves of what step i adds, or of its gradient. */
  private drop(i: number, values: Memory): void {
    if (!this.drops) return
    const { length } = values
    this.kernels.copyRows(1, length, this.masks, i * length, length, this.mask, 0, length)
    this.kernels.multiply(length, values, this.mask, values)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x]: Blob[]): void {
    const { kernels, size, steps, slope, added, read, normal, slopes, buffer, more } = this
    const { growthRate: g, numTransition: T } = this.p
    const y = top.memory.data
    kernels.copy(top.count, top.memory.diff, slope)
    for (let i = T - 1; i >= 0; i--) {
      const { channels, norm, inner } = steps[i]
      this.part(slope, channels, g, added, true)
      this.drop(i, added)
      this.part(y, 0, channels, read, true)
      norm.again(kernels, size, read, buffer)
      if (inner) {
        inner.norm.again(kernels, size, inner.values, more)
        this.convolved(this.shape(4 * g, g, 3), i, more, added, slopes)
        inner.norm.backward(kernels, size, inner.values, more, slopes, normal, more)
        this.convolved(this.shape(channels, 4 * g, 1), 5 * T + i, buffer, more, slopes)
      } else this.convolved(this.shape(channels, g, 3), i, buffer, added, slopes)
      norm.backward(kernels, size, read, buffer, slopes, normal, slopes)
      this.part(slope, 0, channels, buffer, true)
      kernels.axpby(size.batch * channels * size.inner, 1, slopes, 1, buffer)
      this.part(slope, 0, channels, buffer, false)
    }
    if (propagateDown[0]) this.part(slope, 0, this.channels, x.memory.diff, true)
  }

  /** The gradient of windows of blob i, and dx. */
  private convolved(s: ConvolutionShape, i: number, x: Memory, dy: Memory, dx: Memory): void {
    const { memory } = this.blobs[i]
    if (this.paramPropagateDown[i]) this.kernels.convolutionWeightGradient(s, x, dy, memory.diff)
    this.kernels.convolutionInputGradient(s, dy, memory.data, dx)
  }

  override get moving(): Moving | undefined {
    if (this.phase !== 'TRAIN') return undefined
    const all = this.steps
      .flatMap(({ norm, inner }) => (inner ? [norm, inner.norm] : [norm]))
      .map(norm => norm.moving(() => this.kernels))
    return {
      length: all.reduce((sum, { length }) => sum + length, 0),
      async note() {
        const parts: Float32Array[] = []
        for (const one of all) parts.push(await one.note())
        return Float32Array.from(parts.flatMap(part => [...part]))
      },
      take(measured) {
        let at = 0
        for (const one of all) {
          one.take(measured.subarray(at, at + one.length))
          at += one.length
        }
      },
    }
  }

  override dispose(): void {
    for (const { norm, inner } of this.steps) {
      norm.dispose()
      inner?.norm.dispose()
      inner?.values.dispose()
    }
    for (const memory of [this.read, this.normal, this.slopes, this.buffer, this.more]) memory.dispose()
    for (const memory of [this.added, this.slope, this.masks, this.mask]) memory.dispose()
  }
}
