import type { Blob } from '../blob.js'
import type { RegionAlignShape, RegionShape } from '../engine.js'
import { withDefaults } from '../proto/message.js'
import { RegionPoolingLayer } from './parts/region_pooling.js'

/** More samples a bin than anybody takes. */
const MOST_SAMPLES = 64

/**
 * Values between pixels, without rounding. With `sampling_ratio` the mean of the samples of a bin (Mask R-CNN); without
 * it the layer of Dhaliwal and Synopsys: the largest of four.
 */
export class ROIAlignLayer extends RegionPoolingLayer {
  static override readonly param = ['roi_align_param'] as const
  static override readonly uses = [
    'roiAlign',
    'roiAlignGradient',
    'roiAlignMax',
    'roiAlignMaxGradient',
    'fill',
  ] as const
  static override readonly onlyKernels = true

  private readonly samples = this.param.roi_align_param?.sampling_ratio
  protected override readonly masked = this.samples === undefined

  protected override pooled(x: Blob): Pick<RegionShape, 'channels' | 'output' | 'scale'> {
    const { pooled_h, pooled_w, spatial_scale } = withDefaults('ROIAlignParameter', this.param.roi_align_param)
    if (!(pooled_h > 0 && pooled_w > 0))
      throw this.error(
        `pooled_h: ${pooled_h} pooled_w: ${pooled_w} must both be given, and above 0: how many bins a region has`,
      )
    if ((this.samples ?? 0) > MOST_SAMPLES)
      throw this.error(`sampling_ratio: ${this.samples} is more than the ${MOST_SAMPLES} samples that a bin may have`)
    return { channels: x.dim(1), output: [pooled_h, pooled_w], scale: spatial_scale }
  }

  private get alignShape(): RegionAlignShape {
    return { ...this.shape, samples: Math.max(0, this.samples ?? 0) }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.checkRegions(bottom[1])
    const [x, rois, y] = [bottom[0].memory.data, bottom[1].memory.data, top[0].memory.data]
    if (this.samples !== undefined) this.kernels.roiAlign(this.alignShape, x, rois, y)
    else this.kernels.roiAlignMax(this.shape, x, rois, y, this.mask.length || this.onDevice ? this.mask : null)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.clearRegionGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const [dy, rois, dx] = [top[0].memory.diff, bottom[1].memory.data, bottom[0].memory.diff]
    if (this.samples !== undefined) this.kernels.roiAlignGradient(this.alignShape, dy, rois, dx)
    else this.kernels.roiAlignMaxGradient(this.shape, dy, rois, this.mask, dx)
  }
}
