import { type Blob, shapeText } from '../blob.js'
import type { FilledPriorBoxParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Ratios that differ by less are one. */
const SAME_RATIO = 1e-6

/**
 * A feature map (…, H, W) and the picture (…, height, width) → (1, 2, H·W·P·4): the P boxes of every place, xmin, ymin,
 * xmax, ymax in shares of the picture, then their variances. Values of the bottoms do not matter.
 */
export class PriorBoxLayer extends Layer {
  static override readonly param = ['prior_box_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private p!: FilledPriorBoxParameter
  private ratios: number[] = []
  private readonly variance: number[] = []
  private values: Float32Array = new Float32Array(0)

  override setup(): void {
    this.p = withDefaults('PriorBoxParameter', this.param.prior_box_param)
    const { min_size, max_size, aspect_ratio, variance, flip } = this.p
    if (!min_size.length) throw this.error('min_size: give at least one, in picture pixels')
    for (const size of min_size) if (!(size > 0)) throw this.error(`min_size: ${size} must be larger than 0`)
    if (max_size.length && max_size.length !== min_size.length)
      throw this.error(
        `max_size is given ${max_size.length} times and min_size ${min_size.length} times: give one for each or none`,
      )
    max_size.forEach((size, i) => {
      if (!(size > min_size[i])) throw this.error(`max_size: ${size} must be larger than its min_size, ${min_size[i]}`)
    })
    this.ratios = [1]
    for (const ratio of aspect_ratio) {
      if (!(ratio > 0)) throw this.error(`aspect_ratio: ${ratio} must be larger than 0`)
      if (this.ratios.some(known => Math.abs(known - ratio) < SAME_RATIO)) continue
      this.ratios.push(ratio, ...(flip ? [1 / ratio] : []))
    }
    if (![0, 1, 4].includes(variance.length))
      throw this.error(`variance is given ${variance.length} times: give one, or four for xmin, ymin, xmax and ymax`)
    for (const value of variance) if (!(value > 0)) throw this.error(`variance: ${value} must be larger than 0`)
    for (let i = 0; i < 4; i++) this.variance.push(variance[i] ?? variance[0] ?? 0.1)
    this.checkPairs()
  }

  private checkPairs(): void {
    const { p } = this
    for (const [one, h, w] of [
      ['img_size', 'img_h', 'img_w'],
      ['step', 'step_h', 'step_w'],
    ] as const) {
      if ((p[h] === undefined) !== (p[w] === undefined)) throw this.error(`${h} and ${w} belong together: give both`)
      if (p[one] !== undefined && p[h] !== undefined) throw this.error(`${one} and ${h} cannot both be given`)
      for (const field of [one, h, w])
        if (p[field] !== undefined && !(p[field] > 0)) throw this.error(`${field}: ${p[field]} must be larger than 0`)
    }
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    for (const blob of bottom)
      if (blob.numAxes !== 4)
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) must have 4 axes: batch, channels, height and width`,
        )
    const { p } = this
    const perPlace = this.ratios.length * p.min_size.length + p.max_size.length
    const [, , H, W] = bottom[0].shape
    top[0].reshape([1, 2, 4 * H * W * perPlace])
    const height = p.img_h ?? p.img_size ?? bottom[1].dim(2)
    const width = p.img_w ?? p.img_size ?? bottom[1].dim(3)
    if (!(height > 0 && width > 0))
      throw this.error(`'${bottom[1].name}' (${shapeText(bottom[1].shape)}) has an empty picture`)
    this.values = this.boxes(H, W, height, width)
  }

  private boxes(H: number, W: number, height: number, width: number): Float32Array {
    const { p } = this
    const stepH = p.step_h ?? p.step ?? height / H
    const stepW = p.step_w ?? p.step ?? width / W
    const sizes = this.sizes()
    const half = 4 * H * W * sizes.length
    const values = new Float32Array(2 * half)
    let k = 0
    for (let h = 0; h < H; h++)
      for (let w = 0; w < W; w++)
        for (const [boxWidth, boxHeight] of sizes) {
          const x = (w + p.offset) * stepW
          const y = (h + p.offset) * stepH
          values[k++] = (x - boxWidth / 2) / width
          values[k++] = (y - boxHeight / 2) / height
          values[k++] = (x + boxWidth / 2) / width
          values[k++] = (y + boxHeight / 2) / height
        }
    if (p.clip) for (let i = 0; i < half; i++) values[i] = Math.min(Math.max(values[i], 0), 1)
    for (let i = 0; i < half; i++) values[half + i] = this.variance[i % 4]
    return values
  }

  /** Width and height of the boxes of a place, in picture pixels. */
  private sizes(): [number, number][] {
    return this.p.min_size.flatMap((min, i) => {
      const size = Math.trunc(min)
      const list: [number, number][] = [[size, size]]
      if (this.p.max_size.length) {
        const mean = Math.sqrt(size * Math.trunc(this.p.max_size[i]))
        list.push([mean, mean])
      }
      for (const ratio of this.ratios)
        if (Math.abs(ratio - 1) >= SAME_RATIO) list.push([size * Math.sqrt(ratio), size / Math.sqrt(ratio)])
      return list
    })
  }

  override forward(_bottom: Blob[], top: Blob[]): void {
    top[0].dataArray.set(this.values)
  }

  /** Asked for by force_backward only. */
  override backward(_top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    bottom.forEach((blob, i) => {
      if (propagateDown[i]) blob.diffArray.fill(0)
    })
  }
}
