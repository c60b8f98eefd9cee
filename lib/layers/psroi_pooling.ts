import type { Blob } from '../blob.js'
import type { RegionShape } from '../engine.js'
import { RegionPoolingLayer } from './parts/region_pooling.js'

/** R-FCN: the mean of each bin of a region, over channels that belong to the bin's position. */
export class PSROIPoolingLayer extends RegionPoolingLayer {
  static override readonly param = ['psroi_pooling_param'] as const
  static override readonly uses = ['positionRoiPool', 'positionRoiPoolGradient', 'fill'] as const
  static override readonly onlyKernels = true
  protected override readonly masked = false

  protected override pooled(x: Blob): Pick<RegionShape, 'channels' | 'output' | 'scale'> {
    const { spatial_scale: scale, output_dim: channels, group_size: g } = this.param.psroi_pooling_param ?? {}
    if (scale === undefined || channels === undefined || g === undefined)
      throw this.error('psroi_pooling_param needs spatial_scale, output_dim and group_size')
    if (!(channels > 0 && g > 0)) throw this.error(`output_dim: ${channels} group_size: ${g} must both be above 0`)
    if (x.dim(1) !== channels * g * g)
      throw this.error(
        `'${x.name}' has ${x.dim(1)} channels, output_dim: ${channels} with group_size: ${g} needs ${channels * g * g}: one for each of ${g}×${g} bins`,
      )
    return { channels, output: [g, g], scale }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.checkRegions(bottom[1])
    this.kernels.positionRoiPool(this.shape, bottom[0].memory.data, bottom[1].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.clearRegionGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const [x, rois] = bottom
    this.kernels.positionRoiPoolGradient(this.shape, top[0].memory.diff, rois.memory.data, x.memory.diff)
  }
}
