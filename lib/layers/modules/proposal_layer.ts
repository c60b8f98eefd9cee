import type { Blob } from '../../blob.js'
import { anchorsOf, type ProposalRule, roundEven } from '../parts/anchors.js'
import { ProposingLayer } from '../parts/proposing.js'
import { settingsOf } from '../parts/python_settings.js'

/** What the anchor layers of py-faster-rcnn have in common: they must agree. */
export const anchorSettings = { feat_stride: 16, scales: [8, 16, 32], ratios: [0.5, 1, 2], base_size: 16 }

/** py-faster-rcnn's rpn.proposal_layer: Proposal with the numbers of its config file, which depend on the phase. */
export class PythonProposalLayer extends ProposingLayer {
  protected override rule!: ProposalRule

  protected override readonly scoreShape = (n: number): number[] => [n, 1]

  override setup(_bottom: Blob[]): void {
    const train = this.phase === 'TRAIN'
    const settings = settingsOf(this, {
      ...anchorSettings,
      rpn_pre_nms_top_n: train ? 12000 : 6000,
      rpn_post_nms_top_n: train ? 2000 : 300,
      rpn_nms_thresh: 0.7,
      rpn_min_size: 16,
    })
    this.rule = {
      stride: settings.feat_stride,
      anchors: anchorsOf(settings.base_size, settings.ratios, settings.scales, roundEven),
      minSize: settings.rpn_min_size,
      before: settings.rpn_pre_nms_top_n,
      after: settings.rpn_post_nms_top_n,
      threshold: settings.rpn_nms_thresh,
    }
  }
}
