import { type Blob, shapeText } from '../blob.js'
import type { InterpShape } from '../engine.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * (N, C, H, W) → (N, C, H′, W′): bilinear, corners stay corners, no smoothing. The size is written, made of factors, or
 * that of a second bottom. PSPNet's and DeepLab's.
 */
export class InterpLayer extends Layer {
  static override readonly param = ['interp_param'] as const
  static override readonly uses = ['interp', 'interpGradient', 'crop', 'cropGradient'] as const
  static override readonly onlyKernels = true
  private readonly p = withDefaults('InterpParameter', this.param.interp_param)
  override readonly bottomCount: Count = { exactly: this.p.use_blob_size ? 2 : 1 }
  override readonly topCount: Count = { exactly: 1 }
  private shape!: InterpShape

  override setup(): void {
    const { pad_beg, pad_end, zoom_factor, shrink_factor, full_zoom_factor } = this.p
    if (pad_beg > 0 || pad_end > 0)
      throw this.error(`pad_beg: ${pad_beg} and pad_end: ${pad_end} crop: they may not be above 0`)
    for (const [name, value] of Object.entries({ zoom_factor, shrink_factor, full_zoom_factor }))
      if (value < 1) throw this.error(`${name}: ${value} must be at least 1`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    for (const blob of bottom)
      if (blob.numAxes !== 4)
        throw this.error(`'${blob.name}' (${shapeText(blob.shape)}) must have four axes: N, C, H, W`)
    const { pad_beg, pad_end } = this.p
    const [N, C, H, W] = bottom[0].shape
    const size = [H + pad_beg + pad_end, W + pad_beg + pad_end] as const
    if (size[0] < 1 || size[1] < 1)
      throw this.error(
        `pad_beg: ${pad_beg} and pad_end: ${pad_end} leave nothing of '${bottom[0].name}' (${shapeText(bottom[0].shape)})`,
      )
    const output = this.outputSize(size, bottom[1])
    if (output[0] < 1 || output[1] < 1)
      throw this.error(
        `the top would be ${shapeText(output)}: give height and width, a zoom_factor or shrink_factor, or use_blob_size with a second bottom`,
      )
    this.shape = { planes: N * C, input: [H, W], offset: [-pad_beg, -pad_beg], size, output }
    top[0].reshape([N, C, ...output])
  }

  private outputSize(size: readonly [number, number], like: Blob | undefined): readonly [number, number] {
    if (like) return [like.dim(2), like.dim(3)]
    const { height, width, full_zoom_factor: full } = this.p
    const written = this.param.interp_param ?? {}
    const shrunk = (n: number) => Math.floor((n - 1) / this.p.shrink_factor) + 1
    const zoomed = (n: number) => n + (n - 1) * (this.p.zoom_factor - 1)
    const [zooms, shrinks] = [written.zoom_factor !== undefined, written.shrink_factor !== undefined]
    if (shrinks && !zooms) return [shrunk(size[0]), shrunk(size[1])]
    if (zooms && !shrinks) return [zoomed(size[0]), zoomed(size[1])]
    if (written.full_zoom_factor !== undefined) return [size[0] * full, size[1] * full]
    if (written.height !== undefined && written.width !== undefined) return [height, width]
    if (zooms && shrinks) return [zoomed(shrunk(size[0])), zoomed(shrunk(size[1]))]
    return [0, 0]
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [x, y] = [bottom[0].memory.data, top[0].memory.data]
    if (this.stays) this.kernels.crop(this.block(bottom[0], top[0]), x, y)
    else this.kernels.interp(this.shape, x, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[1])
      throw this.error(
        `only the size of bottom 1, '${bottom[1].name}', counts: give this layer propagate_down: false for it`,
      )
    if (!propagateDown[0]) return
    const [dy, dx] = [top[0].memory.diff, bottom[0].memory.diff]
    if (this.stays) this.kernels.cropGradient(this.block(bottom[0], top[0]), dy, dx)
    else this.kernels.interpGradient(this.shape, dy, dx)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  /** Whether every value is one of the bottom. */
  private get stays(): boolean {
    const { size, output } = this.shape
    return size[0] === output[0] && size[1] === output[1]
  }

  private block(bottom: Blob, top: Blob) {
    return { input: bottom.shape, output: top.shape, offset: [0, 0, ...this.shape.offset] }
  }
}
