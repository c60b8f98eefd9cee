import { type Blob, shapeText } from '../blob.js'
import type { FilledMultiBoxLossParameter } from '../generated/caffe.js'
import type { Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { addScoreGradient, codeLoss, codeSlope, scoreLoss } from './parts/box_losses.js'
import { type Picks, pickBoxes } from './parts/box_picker.js'
import { checkFirstStage, refined } from './parts/first_stage.js'
import { LossLayer, normalizationOf } from './parts/loss.js'
import { checkPredictions, codingOf, countPriors } from './parts/priors.js'
import { checkTruths, readTruths } from './parts/truths.js'

/** LOGISTIC without mining: boxes that found nothing are of no class, not even of the background. */
const NO_CLASS = -1

/**
 * loc (N, P·L·4), conf (N, P·C), prior (1, 2, P·4), truth (1, 1, g, 8) → (what the codes of matched boxes lose times
 * loc_weight + what the scores of matched and mined boxes lose) / number of matches. RefineDet's second stage has what
 * the first says of the priors, too: whether each is an object (N, P·2), and codes that move it (N, P·4). Bottoms from
 * the third on get no gradient.
 */
export class MultiBoxLossLayer extends LossLayer {
  static override readonly param = ['multibox_loss_param', 'loss_param'] as const
  override readonly bottomCount: Count = { atLeast: 4, atMost: 6 }
  private p!: FilledMultiBoxLossParameter
  private classes = 0
  private priors = 0
  private picks: Picks = { matched: [], negatives: [] }
  private normalizer = 1

  override setup(): void {
    this.p = withDefaults('MultiBoxLossParameter', this.param.multibox_loss_param)
    const { p } = this
    this.classes = p.num_classes ?? 0
    if (this.classes < 1) throw this.error('num_classes: give how many classes there are, the background being one')
    if (p.background_label_id >= this.classes)
      throw this.error(`background_label_id: ${p.background_label_id} must be below num_classes, ${this.classes}`)
    if (p.do_neg_mining !== undefined && p.do_neg_mining !== (p.mining_type !== 'NONE'))
      throw this.error(`do_neg_mining: ${p.do_neg_mining} and mining_type: ${p.mining_type} say different things`)
    if (p.mining_type !== 'NONE' && !p.share_location)
      throw this.error('share_location: false goes with mining_type: NONE only: mining knows one box a prior')
    if (!(p.neg_pos_ratio > 0)) throw this.error(`neg_pos_ratio: ${p.neg_pos_ratio} must be larger than 0`)
    if (p.map_object_to_agnostic && this.classes !== 2)
      throw this.error(`map_object_to_agnostic: num_classes must be 2, background and object, not ${this.classes}`)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex < 2
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [, , prior, truth] = bottom
    this.priors = countPriors(this, prior, false)
    if (!this.priors) throw this.error(`'${prior.name}' (${shapeText(prior.shape)}) has no boxes`)
    checkPredictions(this, bottom, this.priors, this.p.share_location ? 1 : this.classes, this.classes)
    checkTruths(this, truth)
    if (bottom.length > 4) checkFirstStage(this, bottom.slice(4), bottom[0].dim(0), this.priors)
    top[0].reshape([])
  }

  /** Each prior is compared with each truth, and the best pair looked for once a truth: those of a batch may be of one picture. */
  override work(bottom: Blob[], top: Blob[]): number {
    const truths = bottom[3].dim(2)
    return super.work(bottom, top) + this.priors * truths * (1 + truths)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { p, classes } = this
    const [loc, conf, prior, truth, objectness, moves] = bottom
    const coding = codingOf(prior, p.code_type, p.encode_variance_in_target)
    const truths = readTruths(this, truth, {
      classes: p.map_object_to_agnostic ? Infinity : classes,
      background: p.background_label_id,
      skipDifficult: !p.use_difficult_gt,
    })
    this.picks = pickBoxes(p, {
      images: loc.dim(0),
      classes,
      perPrior: p.share_location ? 1 : classes,
      loc: loc.dataArray,
      conf: conf.dataArray,
      codingOf: image => (moves ? refined(coding, moves.dataArray, image) : coding),
      objectness: objectness?.dataArray,
      divisors: p.encode_variance_in_target ? prior.dataArray.subarray(4 * this.priors) : null,
      truths,
    })
    this.normalizer = this.normalizerOf(loc.dim(0))
    let sum = 0
    if (this.counts(0))
      for (const { offBy } of this.picks.matched)
        for (const d of offBy) sum += p.loc_weight * codeLoss(p.loc_loss_type, d)
    if (this.counts(1))
      this.targets(loc.dim(0), (row, label) => {
        const others = p.background_label_id
        sum += scoreLoss(p.conf_loss_type, conf.dataArray, row * classes, classes, label, others)
      })
    top[0].dataArray[0] = sum / this.normalizer
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom, 3)
    const { p, classes } = this
    const [loc, conf] = bottom
    const factor = top[0].diffArray[0] / this.normalizer
    bottom.forEach((blob, i) => {
      if (i !== 3 && propagateDown[i]) blob.diffArray.fill(0)
    })
    if (propagateDown[0] && this.counts(0)) {
      const { diffArray } = loc
      // with encode_variance_in_target this leaves the division by the variance out, as the fork does
      for (const { box, offBy } of this.picks.matched)
        for (let s = 0; s < 4; s++)
          diffArray[4 * box + s] += factor * p.loc_weight * codeSlope(p.loc_loss_type, offBy[s])
    }
    if (propagateDown[1] && this.counts(1)) {
      const { dataArray, diffArray } = conf
      this.targets(loc.dim(0), (row, label) => {
        const target = { label, others: p.background_label_id }
        addScoreGradient(p.conf_loss_type, dataArray, row * classes, classes, target, factor, diffArray)
      })
    }
  }

  /** Whether bottom i has a part in the loss. */
  private counts(i: number): boolean {
    return this.param.propagate_down?.[i] ?? true
  }

  /** Each row of scores that has a part in the loss, and what it should be. */
  private targets(images: number, visit: (row: number, label: number) => void): void {
    const { matched, negatives } = this.picks
    const { mining_type, conf_loss_type, background_label_id } = this.p
    if (mining_type !== 'NONE') {
      for (const { row, label } of matched) visit(row, label)
      for (const row of negatives) visit(row, background_label_id)
      return
    }
    const labels = new Int32Array(images * this.priors)
    labels.fill(conf_loss_type === 'SOFTMAX' ? background_label_id : NO_CLASS)
    for (const { row, label } of matched) labels[row] = label
    labels.forEach((label, row) => {
      visit(row, label)
    })
  }

  private normalizerOf(images: number): number {
    const normalization = normalizationOf(this.param.loss_param, 'VALID')
    const fixed = this.param.loss_param?.normalization === 'PRE_FIXED' ? this.param.loss_param.pre_fixed_normalizer : 1
    const all = { VALID: this.picks.matched.length, FULL: images * this.priors, BATCH_SIZE: images, NONE: fixed ?? 1 }
    return Math.max(1, all[normalization])
  }
}
