import { type Blob, shapeText } from '../blob.js'
import type { UnpoolShape } from '../engine.js'
import { type Count, Layer } from '../layer.js'

/**
 * With two bottoms SegNet's: the values of bottom 0 go where bottom 1, the mask of a max Pooling, says, and 0 elsewhere.
 * With one bottom YOLO's: each value becomes a block of scale × scale. (N, C, H, W) → (N, C, H′, W′).
 */
export class UpsampleLayer extends Layer {
  static override readonly param = ['upsample_param'] as const
  static override readonly uses = ['unpool', 'unpoolGradient', 'enlarge', 'enlargeGradient'] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  override readonly topCount: Count = { exactly: 1 }
  /** Factor of YOLO's. */
  private factor = 1
  private size: (h: number, w: number) => readonly [number, number] = () => [0, 0]
  private shape!: UnpoolShape

  override setup(bottom: Blob[]): void {
    const p = this.param.upsample_param ?? {}
    if (bottom.length === 1) {
      for (const field of ['scale_h', 'scale_w', 'pad_out_h', 'pad_out_w', 'upsample_h', 'upsample_w'] as const)
        if (p[field])
          throw this.error(
            `${field} goes with a second bottom, the mask of a max Pooling: with one bottom only scale counts`,
          )
      this.factor = p.scale ?? 1
      if (this.factor < 1) throw this.error(`scale: ${this.factor} must be at least 1`)
      return
    }
    const { upsample_h: height, upsample_w: width } = p
    if (height !== undefined && width !== undefined) {
      if (height < 2 || width < 2) throw this.error(`upsample_h: ${height} and upsample_w: ${width} must be above 1`)
      this.size = () => [height, width]
      return
    }
    if (height !== undefined || width !== undefined)
      throw this.error('upsample_h and upsample_w go together: write both')
    if ((p.scale_h === undefined) !== (p.scale_w === undefined) || (p.scale !== undefined && p.scale_h !== undefined))
      throw this.error('write scale, or scale_h and scale_w, or upsample_h and upsample_w')
    const [down, across] = [p.scale_h ?? p.scale ?? 2, p.scale_w ?? p.scale ?? 2]
    if (down < 2 || across < 2) throw this.error(`scale ${down}×${across} must be above 1`)
    if ((p.pad_out_h && down !== 2) || (p.pad_out_w && across !== 2))
      throw this.error(
        `pad_out_h and pad_out_w go with a scale of 2, not ${down}×${across}: write upsample_h and upsample_w`,
      )
    this.size = (h, w) => [h * down - (p.pad_out_h ? 1 : 0), w * across - (p.pad_out_w ? 1 : 0)]
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, mask] = bottom
    if (x.numAxes !== 4) throw this.error(`'${x.name}' (${shapeText(x.shape)}) must have four axes: N, C, H, W`)
    if (mask && shapeText(mask.shape) !== shapeText(x.shape))
      throw this.error(
        `the mask '${mask.name}' (${shapeText(mask.shape)}) must have the shape of '${x.name}' (${shapeText(x.shape)})`,
      )
    const [N, C, H, W] = x.shape
    const size = mask ? this.size(H, W) : [H * this.factor, W * this.factor]
    this.shape = { planes: N * C, places: H * W, size: size[0] * size[1] }
    top[0].reshape([N, C, ...size])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [x, mask] = bottom
    const y = top[0].memory.data
    if (mask) {
      this.checkMask(mask, top[0])
      this.kernels.unpool(this.shape, x.memory.data, mask.memory.data, y)
    } else this.kernels.enlarge(this.shape.planes, x.dim(2), x.dim(3), this.factor, x.memory.data, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [x, mask] = bottom
    // the mask comes from a Pooling that learns nothing of it: SegNet's nets leave propagate_down out
    if (!propagateDown[0]) return
    const { diff } = top[0].memory
    if (mask) this.kernels.unpoolGradient(this.shape, diff, mask.memory.data, x.memory.diff)
    else this.kernels.enlargeGradient(this.shape.planes, x.dim(2), x.dim(3), this.factor, diff, x.memory.diff)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  private checkMask(mask: Blob, top: Blob): void {
    const { size } = this.shape
    const values = mask.dataArray
    for (let i = 0; i < values.length; i++)
      if (!(values[i] >= 0 && values[i] < size))
        throw this.error(
          `place ${i} of the mask '${mask.name}' is ${values[i]}, and a plane of '${top.name}' (${shapeText(top.shape)}) has ${size}: scale or upsample_h and upsample_w must give the size that its Pooling took`,
        )
  }
}
