import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'

/** happynear's, beside the sum. */
const CHANNEL_EPS = 1e-6

/**
 * y = scale·x/n, n = √(eps + Σ x²) over all of an item or over the channels of a place (SSD: `norm_param`); or y = x/n
 * over channels, n = √(Σ x² + 10⁻⁶) or Σ |x| + 10⁻⁶, with n as a second top (happynear: `normalize_param`, and where
 * neither is written).
 */
export class NormalizeLayer extends Layer {
  static override readonly param = ['norm_param', 'normalize_param'] as const
  static override readonly uses = [
    'absoluteGradient',
    'axpby',
    'copy',
    'fill',
    'multiply',
    'permute',
    'power',
    'reduce',
    'scaleChannels',
    'scaleGradient',
  ] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  private hasScale = false
  private acrossSpatial = false
  private channelShared = false
  private eps = CHANNEL_EPS
  private absolute = false
  private bpNorm = false
  /** Values with one norm: as many groups of as many values, one after the other once the axes are turned. */
  private groups = 0
  private size = 0
  private turned = false
  /** Groups of x/n, and of each n and 1/n. */
  private readonly unit = new Memory(0, this.engine.heap)
  private readonly norm = new Memory(0, this.engine.heap)
  private readonly inverse = new Memory(0, this.engine.heap)
  private readonly projection = new Memory(0, this.engine.heap)

  override setup(bottom: Blob[], top: Blob[]): void {
    const { norm_param, normalize_param } = this.param
    if (norm_param && normalize_param)
      throw this.error('norm_param and normalize_param are of two layers of this name: give one of them')
    if (norm_param) {
      if (top.length > 1) throw this.error('norms as a second top are of the other layer of this name: normalize_param')
      const p = withDefaults('NormalizeParameter', norm_param)
      this.hasScale = true
      this.acrossSpatial = p.across_spatial
      this.channelShared = p.channel_shared
      this.eps = p.eps
      if (!(p.eps >= 0)) throw this.error(`eps: ${p.eps} must not be negative`)
    }
    if (bottom[0].numAxes < 2)
      throw this.error(`'${bottom[0].name}' must have at least 2 axes: batch and channels, then places`)
    if (this.hasScale)
      this.addBlob(this.channelShared ? [] : [bottom[0].dim(1)], {
        type: 'constant',
        value: 1,
        ...norm_param?.scale_filler,
      })
    const { normalize_type, bp_norm } = withDefaults('ChannelNormalizeParameter', normalize_param)
    if (normalize_type !== 'L1' && normalize_type !== 'L2')
      throw this.error(`normalize_type: '${normalize_type}' is unknown: write L2 or L1`)
    this.absolute = normalize_type === 'L1'
    this.bpNorm = bp_norm && top.length > 1
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { shape, count } = bottom[0]
    const places = bottom[0].size(2)
    this.turned = !this.acrossSpatial && places !== 1
    this.groups = this.acrossSpatial ? shape[0] : shape[0] * places
    this.size = this.groups ? count / this.groups : 0
    if (this.blobs.length && !this.channelShared && this.blobs[0].count !== shape[1])
      throw this.error(`'${bottom[0].name}' has ${shape[1]} channels now, and had ${this.blobs[0].count} at set-up`)
    top[0].reshape(shape)
    top[1]?.reshape([shape[0], 1, ...shape.slice(2)])
    this.unit.resize(count)
    for (const memory of [this.norm, this.inverse, this.projection]) memory.resize(this.groups)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, groups, size, unit, norm, inverse } = this
    const y = top[0].memory.data
    const rows = this.toRows(bottom[0], bottom[0].memory.data, 0)
    kernels.reduce(this.absolute ? 'ASUM' : 'SUMSQ', groups, size, 1, rows, norm)
    kernels.power(groups, this.absolute ? 1 : 0.5, 1, this.eps, norm, norm)
    kernels.power(groups, -1, 1, 0, norm, inverse)
    kernels.scaleChannels(1, groups, size, rows, inverse, null, unit)
    if (top[1]) kernels.copy(groups, norm, top[1].memory.data)
    this.fromRows(bottom[0], unit, y)
    this.scale(bottom[0], y, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, groups, size, unit, inverse, projection } = this
    const { count } = bottom[0]
    const dy = top[0].memory.diff
    const t = this.engine.scratch(count, 1)
    if (this.paramPropagateDown[0]) {
      this.fromRows(bottom[0], unit, t)
      const [outer, channels, inner] = this.scaleShape(bottom[0])
      kernels.scaleGradient(outer, channels, inner, t, dy, this.blobs[0].memory.diff)
    }
    if (!propagateDown[0]) return
    // dx = scale·(dy/n − w·((dy·u)/n − dn)), u = x/n, w = u or its sign: with a scale for each channel the true gradient
    // has it within the product, but this is what SSDs are trained with
    kernels.copy(count, dy, t)
    const rows = this.toRows(bottom[0], t, 0)
    const w = this.engine.scratch(count, 2)
    kernels.multiply(count, rows, unit, w)
    kernels.reduce('SUM', groups, size, 1, w, projection)
    kernels.multiply(groups, projection, inverse, projection)
    if (this.bpNorm) kernels.axpby(groups, -1, top[1].memory.diff, 1, projection)
    if (this.absolute) {
      kernels.fill(count, 1, w)
      kernels.absoluteGradient(count, unit, w, w)
    } else kernels.copy(count, unit, w)
    kernels.scaleChannels(1, groups, size, w, projection, null, w)
    kernels.scaleChannels(1, groups, size, rows, inverse, null, rows)
    kernels.axpby(count, -1, w, 1, rows)
    this.fromRows(bottom[0], rows, bottom[0].memory.diff)
    this.scale(bottom[0], bottom[0].memory.diff, bottom[0].memory.diff)
  }

  /** Outer, channels and inner of the multiplication by the learned scale. */
  private scaleShape(x: Blob): [number, number, number] {
    return this.channelShared ? [1, 1, x.count] : [x.dim(0), x.dim(1), x.size(2)]
  }

  private scale(x: Blob, from: Memory, to: Memory): void {
    if (this.hasScale) this.kernels.scaleChannels(...this.scaleShape(x), from, this.blobs[0].memory.data, null, to)
  }

  /** Values with each group in one piece: in `slot` of the workspace where that takes another order of the axes. */
  private toRows(x: Blob, values: Memory, slot: number): Memory {
    if (!this.turned) return values
    const rows = this.engine.scratch(x.count, slot)
    this.kernels.permute([x.dim(0), x.dim(1), x.size(2)], [0, 2, 1], values, rows)
    return rows
  }

  /** Back to the order of x. */
  private fromRows(x: Blob, rows: Memory, to: Memory): void {
    if (this.turned) this.kernels.permute([x.dim(0), x.size(2), x.dim(1)], [0, 2, 1], rows, to)
    else this.kernels.copy(x.count, rows, to)
  }

  override dispose(): void {
    for (const memory of [this.unit, this.norm, this.inverse, this.projection]) memory.dispose()
  }
}
