import { withDefaults } from '../proto/message.js'
import { anchorsOf, type ProposalRule, roundUp } from './parts/anchors.js'
import { ProposingLayer } from './parts/proposing.js'

const COUNTED_SCALES = [8, 16, 32]
const COUNTED_RATIOS = [0.5, 1, 2]

/** Regions from the anchors of Faster R-CNN, as PVANet and as Synopsys' fork describe them. */
export class ProposalLayer extends ProposingLayer {
  static override readonly param = ['proposal_param'] as const
  private readonly given = this.param.proposal_param ?? {}
  /** Synopsys' message says how many scales and ratios there are. */
  private readonly counted = [
    this.given.anchor_scale,
    this.given.anchor_ratio,
    this.given.anchor_base_size,
    this.given.max_rois,
    this.given.rpn_min_size,
    this.given.rpn_nms_thresh,
  ].some(value => value !== undefined)
  protected override readonly rule = this.counted ? this.countedRule() : this.listedRule()
  protected override readonly scoreShape = (n: number): number[] => (this.counted ? [n, 1] : [n])

  private listedRule(): ProposalRule {
    const param = withDefaults('ProposalParameter', this.param.proposal_param)
    const ratios = param.ratio.length ? param.ratio : COUNTED_RATIOS
    const scales = param.scale.length ? param.scale : COUNTED_SCALES
    return {
      stride: param.feat_stride,
      anchors: this.anchors(param.base_size, ratios, scales),
      minSize: param.min_size,
      before: param.pre_nms_topn,
      after: param.post_nms_topn,
      threshold: param.nms_thresh,
    }
  }

  private countedRule(): ProposalRule {
    const param = withDefaults('ProposalParameter', this.param.proposal_param)
    const list = (['ratio', 'scale'] as const).find(name => param[name].length)
    if (list)
      throw this.error(
        `proposal_param has ${list}, as PVANet's, and fields of Synopsys' such as anchor_scale: it is one or the other`,
      )
    return {
      stride: param.feat_stride,
      anchors: this.anchors(
        param.anchor_base_size ?? param.base_size,
        param.anchor_ratio === 3 ? COUNTED_RATIOS : [1],
        param.anchor_scale === 3 ? COUNTED_SCALES : [32],
      ),
      minSize: param.rpn_min_size ?? param.min_size,
      before: param.pre_nms_topn,
      after: param.max_rois ?? param.post_nms_topn,
      threshold: param.rpn_nms_thresh ?? param.nms_thresh,
      anchorFirst: true,
    }
  }

  private anchors(base: number, ratios: readonly number[], scales: readonly number[]): Float64Array {
    if (!(base > 0 && ratios.every(ratio => ratio > 0) && scales.every(scale => scale > 0)))
      throw this.error(`base size ${base}, ratios ${ratios} and scales ${scales} must all be above 0`)
    return anchorsOf(base, ratios, scales, roundUp)
  }
}
