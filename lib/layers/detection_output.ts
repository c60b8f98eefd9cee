import type { Blob } from '../blob.js'
import type { FilledDetectionOutputParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { type BoxCoding, decodeBox, KeptBoxes } from './parts/boxes.js'
import { DetectionFiles } from './parts/detection_files.js'
import { checkFirstStage, isFirstStage, refined } from './parts/first_stage.js'
import { checkPredictions, codingOf, countPriors } from './parts/priors.js'
import { Ranking } from './parts/ranking.js'

/** Values of a row: image, label, score, xmin, ymin, xmax, ymax. */
const ROW = 7

/** Scores that are sorted at first; each further part is four times as long. */
const FIRST_PART = 4096

/** What has been found, grown as needed. */
class Rows {
  values = new Float32Array(4 * ROW)
  count = 0

  private makeRoom(count: number): void {
    if ((this.count + count) * ROW <= this.values.length) return
    const larger = new Float32Array(Math.max(2 * this.values.length, (this.count + count) * ROW))
    larger.set(this.values)
    this.values = larger
  }

  append(other: Rows): void {
    this.makeRoom(other.count)
    this.values.set(other.values.subarray(0, other.count * ROW), this.count * ROW)
    this.count += other.count
  }

  add(image: number, label: number, score: number, boxes: Float32Array, i: number): void {
    this.makeRoom(1)
    const k = this.count++ * ROW
    this.values[k] = image
    this.values[k + 1] = label
    this.values[k + 2] = score
    for (let s = 0; s < 4; s++) this.values[k + 3 + s] = boxes[4 * i + s]
  }
}

/**
 * loc (N, P·L·4), conf (N, P·C), prior (1, 2, P·4) → (1, 1, n, 7), the boxes found: decoded, above the threshold, one
 * of those that overlap, the best keep_top_k an image. RefineDet's has what its first stage says of the priors, too:
 * whether each is an object (N, P·2), and codes that move it (N, P·4). The number of rows depends on values, so the
 * shape is set in forward; until the first forward there is one row.
 */
export class DetectionOutputLayer extends Layer {
  static override readonly param = ['detection_output_param'] as const
  override readonly bottomCount: Count = { atLeast: 3, atMost: 5 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private p!: FilledDetectionOutputParameter
  private classes = 0
  private priors = 0
  private rows = 1
  private files: DetectionFiles | undefined
  private ranking: Ranking | undefined
  private isRefined = false

  override async setup(): Promise<void> {
    this.p = withDefaults('DetectionOutputParameter', this.param.detection_output_param)
    this.classes = this.p.num_classes ?? 0
    if (this.classes < 1) throw this.error('num_classes: give how many classes there are, the background being one')
    const nms = this.nms
    if (!(nms.threshold >= 0)) throw this.error(`nms_param.nms_threshold: ${nms.threshold} must not be negative`)
    if (!(nms.eta > 0 && nms.eta <= 1)) throw this.error(`nms_param.eta: ${nms.eta} must be above 0 and at most 1`)
    if (this.p.visualize) this.context.log(`${this.name}: nothing is shown (visualize): read the top`)
    if (this.p.save_output_param)
      this.files = await DetectionFiles.open(this, this.p.save_output_param, this.p.background_label_id)
  }

  private get nms(): { threshold: number; topK: number; eta: number } {
    const { nms_threshold, top_k, eta } = withDefaults('NonMaximumSuppressionParameter', this.p.nms_param)
    return { threshold: Math.fround(nms_threshold), topK: top_k ?? -1, eta }
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.priors = countPriors(this, bottom[2], this.p.variance_encoded_in_target)
    checkPredictions(this, bottom, this.priors, this.p.share_location ? 1 : this.classes, this.classes)
    // a fourth bottom of SSD's is the picture
    this.isRefined = bottom.length > 4 || (bottom.length > 3 && isFirstStage(bottom[3], this.priors))
    if (this.isRefined) checkFirstStage(this, bottom.slice(3), bottom[0].dim(0), this.priors)
    top[0].reshape([1, 1, this.rows, ROW])
  }

  override forward(bottom: Blob[], top: Blob[]): void | Promise<void> {
    const [loc, conf, prior, objectness, moves] = bottom
    const given = codingOf(prior, this.p.code_type, this.p.variance_encoded_in_target)
    const images = loc.dim(0)
    const rows = new Rows()
    const ends: number[] = []
    for (let image = 0; image < images; image++) {
      const coding = moves ? refined(given, moves.dataArray, image) : given
      const scores = this.scoresOf(image, conf.dataArray, this.isRefined ? objectness.dataArray : undefined)
      this.detect(image, loc, scores, coding, rows)
      ends.push(rows.count)
    }
    if (!rows.count)
      for (let image = 0; image < images; image++) rows.add(image, -1, -1, new Float32Array(4).fill(-1), 0)
    this.rows = rows.count
    top[0].reshape([1, 1, rows.count, ROW])
    top[0].dataArray.set(rows.values.subarray(0, rows.count * ROW))
    if (this.files) return this.save(this.files, rows.values, ends)
  }

  /** @param ends rows after each image */
  private async save(files: DetectionFiles, rows: Float32Array, ends: readonly number[]): Promise<void> {
    let from = 0
    for (const end of ends) {
      files.add(rows.subarray(from * ROW, end * ROW))
      from = end
      if (files.isFull) await files.write()
    }
  }

  /** Each box that is tried may be compared with every other of its class. */
  override work(bottom: Blob[], top: Blob[]): number {
    const { topK } = this.nms
    const tried = topK > -1 ? Math.min(topK, this.priors) : this.priors
    return super.work(bottom, top) + bottom[0].dim(0) * this.classes * tried * tried
  }

  /** Of an image (P, C). Where the first stage sees no object, it is background. */
  private scoresOf(image: number, conf: Float32Array, objectness: Float32Array | undefined): Float32Array {
    const { classes, priors } = this
    const scores = conf.subarray(image * priors * classes, (image + 1) * priors * classes)
    if (!objectness) return scores
    const least = Math.fround(this.p.objectness_score)
    const certain = scores.slice()
    for (let prior = 0; prior < priors; prior++) {
      if (!(objectness[2 * (image * priors + prior) + 1] < least)) continue
      certain.fill(0, prior * classes, (prior + 1) * classes)
      certain[prior * classes] = 1
    }
    return certain
  }

  /**
   * Walks the scores of all classes together, best first, until keep_top_k boxes are kept: whether one is kept depends
   * on better ones of its class alone, so the others need no decoding, no sorting and no comparing.
   */
  private detect(image: number, loc: Blob, scores: Float32Array, coding: BoxCoding, rows: Rows): void {
    const { classes, priors, p } = this
    const { threshold, topK, eta } = this.nms
    const limit = p.keep_top_k < 0 ? Infinity : p.keep_top_k
    const codes = loc.dataArray.subarray(image * loc.size(1), (image + 1) * loc.size(1))
    const ranking = this.rank(scores)
    const found = Array.from({ length: classes }, () => ({
      boxes: new KeptBoxes(threshold, { eta }),
      tried: 0,
      kept: new Rows(),
    }))
    const box = new Float32Array(4)
    let total = 0
    for (let wanted = Math.min(4 * limit, FIRST_PART); total < limit; wanted *= 4) {
      const places = ranking.next(wanted)
      if (!places.length) break
      for (let i = 0; i < places.length && total < limit; i++) {
        const prior = places[i] % priors
        const label = (places[i] - prior) / priors
        const own = found[label]
        if (own.tried === topK) continue
        own.tried++
        decodeBox(coding, prior, codes, p.share_location ? prior : prior * classes + label, box, 0)
        if (!own.boxes.take(box, 0)) continue
        own.kept.add(image, label, scores[prior * classes + label], box, 0)
        total++
      }
    }
    for (const { kept } of found) rows.append(kept)
  }

  /** The boxes above the threshold, but those of the background, numbered class by class. */
  private rank(scores: Float32Array): Ranking {
    const { classes, priors } = this
    const { confidence_threshold = -Infinity, background_label_id: background } = this.p
    const threshold = Math.fround(confidence_threshold)
    if (this.ranking?.size !== scores.length) this.ranking = new Ranking(scores.length)
    const { ranking } = this
    ranking.clear()
    for (let k = 0, prior = 0; prior < priors; prior++)
      for (let label = 0; label < classes; label++, k++)
        if (scores[k] > threshold && label !== background) ranking.add(label * priors + prior, scores[k])
    return ranking
  }
}
