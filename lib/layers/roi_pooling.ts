import type { Blob } from '../blob.js'
import type { RegionShape } from '../engine.js'
import { withDefaults } from '../proto/message.js'
import { RegionPoolingLayer } from './parts/region_pooling.js'

/** Fast R-CNN: the largest value of each bin of a region. */
export class ROIPoolingLayer extends RegionPoolingLayer {
  static override readonly param = ['roi_pooling_param'] as const
  static override readonly uses = ['roiPool', 'roiPoolGradient', 'fill'] as const
  static override readonly onlyKernels = true

  protected override pooled(x: Blob): Pick<RegionShape, 'channels' | 'output' | 'scale'> {
    const param = withDefaults('ROIPoolingParameter', this.param.roi_pooling_param)
    const [h = param.pooled_h, w = h === param.pooled_h ? param.pooled_w : h] = param.pooled_size
    if (!(h > 0 && w > 0))
      throw this.error(`pooled_h: ${h} pooled_w: ${w} must both be given, and above 0: how many bins a region has`)
    return { channels: x.dim(1), output: [h, w], scale: param.spatial_scale }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [x, rois] = bottom
    this.checkRegions(rois)
    const mask = this.mask.length || this.onDevice ? this.mask : null
    this.kernels.roiPool(this.shape, x.memory.data, rois.memory.data, top[0].memory.data, mask)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.clearRegionGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const [x, rois] = bottom
    this.kernels.roiPoolGradient(this.shape, top[0].memory.diff, rois.memory.data, this.mask, x.memory.diff)
  }
}
