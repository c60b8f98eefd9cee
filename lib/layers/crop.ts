import { type Blob, shapeText } from '../blob.js'
import type { CropShape } from '../engine.js'
import type { LayerParameter } from '../generated/caffe.js'
import { type CoordMap, type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/**
 * bottom 0, cut to the sizes of bottom 1 from `axis` on, starting at `offset`. Bottom 1 lends its shape only; its
 * gradient is 0.
 */
export class CropLayer extends Layer {
  static override readonly param = ['crop_param'] as const
  static override coordinates({ crop_param = {} }: LayerParameter, bottom: number): CoordMap | undefined {
    const { axis = 2, offset = [] } = crop_param
    return bottom === 0 ? [axis - 1, [1], offset.length ? offset.map(value => 0 - value) : [0]] : undefined
  }
  static override readonly uses = ['crop', 'cropGradient', 'fill'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  private sizes!: CropShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const p = withDefaults('CropParameter', this.param.crop_param)
    const [whole, reference] = bottom
    const input = whole.shape
    const first = axisOf(this, whole, p.axis)
    const cut = input.length - first
    if (p.offset.length > 1 && p.offset.length !== cut)
      throw this.error(
        `offset is given ${p.offset.length} times: give it once for all, or once for each of the ${cut} axes from axis ${first} on`,
      )
    if (reference.numAxes < input.length)
      throw this.error(
        `'${reference.name}' (${shapeText(reference.shape)}) has fewer axes than '${whole.name}' (${shapeText(input)}), so it does not say how large to cut`,
      )
    const offset = input.map((_, i) =>
      i < first || p.offset.length === 0 ? 0 : p.offset[p.offset.length === 1 ? 0 : i - first],
    )
    const output = input.map((size, i) => (i < first ? size : reference.dim(i)))
    output.forEach((size, i) => {
      if (offset[i] + size > input[i])
        throw this.error(
          `axis ${i} of '${whole.name}' has ${input[i]} places, but offset ${offset[i]} and the size ${size} of '${reference.name}' reach to ${offset[i] + size}`,
        )
    })
    this.sizes = { input, output, offset }
    top[0].reshape(output)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.crop(this.sizes, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) this.kernels.cropGradient(this.sizes, top[0].memory.diff, bottom[0].memory.diff)
    // only the shape of bottom 1 matters
    if (propagateDown[1]) this.kernels.fill(bottom[1].count, 0, bottom[1].memory.diff)
  }
}
