import { type Blob, shapeText } from '../../blob.js'
import type { RegionShape } from '../../engine.js'
import { type Count, Layer } from '../../layer.js'
import { Memory } from '../../memory.js'

/** bottom 0 (N, C, H, W), bottom 1 (R, 5) or (R, 5, 1, 1): picture, x1, y1, x2, y2 → top (R, C′, PH, PW). */
export abstract class RegionPoolingLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  protected shape!: RegionShape
  /** What the gradient needs to know of the forward pass; host engines keep none where nobody asks for one. */
  protected readonly mask = new Memory(0, this.engine.heap)

  /** Channels, sizes and scale of the top; a NetError for what the layer cannot do. */
  protected abstract pooled(x: Blob): Pick<RegionShape, 'channels' | 'output' | 'scale'>
  /** Whether `mask` is used. */
  protected readonly masked: boolean = true

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, rois] = bottom
    if (x.numAxes !== 4) throw this.error(`'${x.name}' (${shapeText(x.shape)}) must have four axes: N, C, H, W`)
    if (rois.numAxes < 2 || rois.dim(1) !== 5 || rois.count !== 5 * rois.dim(0))
      throw this.error(
        `'${rois.name}' (${shapeText(rois.shape)}) must be R×5: for each region its picture and x1, y1, x2, y2`,
      )
    const { channels, output, scale } = this.pooled(x)
    if (!(scale > 0 && scale < Infinity))
      throw this.error(`spatial_scale: ${scale} must be above 0: 1/16 for a feature map of stride 16`)
    const [H, W] = x.shape.slice(2)
    if (H * W > 2 ** 24) throw this.error(`'${x.name}' (${shapeText(x.shape)}) has more than 2²⁴ pixels a plane`)
    this.shape = { regions: rois.dim(0), batch: x.dim(0), channels, input: [H, W], output, scale }
    top[0].reshape([rois.dim(0), channels, ...output])
    this.mask.resize(this.masked && (this.needsBackward || this.onDevice) ? top[0].count : 0)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  /** Refuse regions of a picture that is not there, and corners that are no numbers. Those that only a device has are not looked at: their values are 0. */
  protected checkRegions(rois: Blob): void {
    const values = this.engine.isHost ? rois.dataArray : rois.memory.data.hostValues
    if (!values) return
    const { regions, batch } = this.shape
    for (let r = 0; r < regions; r++) {
      const picture = values[5 * r]
      if (!(picture >= 0 && picture < batch))
        throw this.error(
          `region ${r} of '${rois.name}' is of picture ${picture}: there are the pictures 0 to ${batch - 1} of '${this.param.bottom?.[0]}'`,
        )
      const corners = values.subarray(5 * r + 1, 5 * r + 5)
      if (corners.some(Number.isNaN))
        throw this.error(
          `region ${r} of '${rois.name}' has the corners ${corners.join(', ')}: they must be numbers, x1, y1, x2, y2; look at what gives the regions`,
        )
    }
  }

  /** Regions have no gradient: what is before them learns nothing from here. */
  protected clearRegionGradient(propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[1]) this.kernels.fill(bottom[1].count, 0, bottom[1].memory.diff)
  }

  override dispose(): void {
    this.mask.dispose()
  }
}
