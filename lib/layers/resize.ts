import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { AxisMix, type MixedAxis } from './parts/axis_mix.js'
import { resizedAxis } from './parts/taps.js'

/** The bottom at other sizes: nearest, linear or cubic along each axis from `axis` on, one after the other. */
export class ResizeLayer extends Layer {
  static override readonly param = ['resize_param'] as const
  static override readonly uses = AxisMix.uses
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('ResizeLayerParameter', this.param.resize_param)
  private readonly mix = new AxisMix(this, 0)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    const { size: sizes, scale: scales } = this.p
    const first = axisOf(this, x, this.p.axis)
    const many = sizes.length || scales.length
    if ((sizes.length > 0 && scales.length > 0 && sizes.length !== scales.length) || !many || first + many > x.numAxes)
      throw this.error(
        `size is given ${sizes.length} times, scale ${scales.length} times: one of them is needed, once for each axis from axis ${first} of '${x.name}' (${shapeText(x.shape)}) on, or for some of them`,
      )
    const mixed: MixedAxis[] = []
    for (let i = 0; i < many; i++) {
      const axis = first + i
      const size = x.dim(axis)
      const out = sizes[i] ?? Math.floor(size * scales[i])
      if (out < 1 || size < 1)
        throw this.error(`axis ${axis} of '${x.name}' (${shapeText(x.shape)}) would have ${out} places`)
      mixed.push(resizedAxis(axis, size, out, scales[i] ?? out / size, this.p))
    }
    top[0].reshape(this.mix.plan(x.shape, mixed))
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.mix.forward(this.kernels, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) this.mix.backward(this.kernels, top[0].memory.diff, bottom[0].memory.diff)
  }

  override dispose(): void {
    this.mix.dispose()
  }
}
