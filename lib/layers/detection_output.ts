import type { Blob } from '../blob.js'
import type { FilledDetectionOutputParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { type BoxCoding, decodeBoxes, sortByScore, suppress } from './parts/boxes.js'
import { DetectionFiles } from './parts/detection_files.js'
import { checkPredictions, codingOf, countPriors } from './parts/priors.js'

/** Values of a row: image, label, score, xmin, ymin, xmax, ymax. */
const ROW = 7

/** What one pass has found, grown as needed. */
class Rows {
  values = new Float32Array(64 * ROW)
  count = 0

  add(image: number, label: number, score: number, boxes: Float32Array, i: number): void {
    if ((this.count + 1) * ROW > this.values.length) {
      const larger = new Float32Array(2 * this.values.length)
      larger.set(this.values)
      this.values = larger
    }
    const k = this.count++ * ROW
    this.values[k] = image
    this.values[k + 1] = label
    this.values[k + 2] = score
    for (let s = 0; s < 4; s++) this.values[k + 3 + s] = boxes[4 * i + s]
  }
}

/**
 * loc (N, P·L·4), conf (N, P·C), prior (1, 2, P·4) → (1, 1, n, 7), the boxes found: decoded, above the threshold, one
 * of those that overlap, the best keep_top_k an image. The number of rows depends on values, so the shape is set in
 * forward; until the first forward there is one row.
 */
export class DetectionOutputLayer extends Layer {
  static override readonly param = ['detection_output_param'] as const
  override readonly bottomCount: Count = { atLeast: 3, atMost: 4 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private p!: FilledDetectionOutputParameter
  private classes = 0
  private priors = 0
  private rows = 1
  private files: DetectionFiles | undefined

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
    top[0].reshape([1, 1, this.rows, ROW])
  }

  override forward(bottom: Blob[], top: Blob[]): void | Promise<void> {
    const [loc, conf, prior] = bottom
    const coding = codingOf(prior, this.p.code_type, this.p.variance_encoded_in_target)
    const images = loc.dim(0)
    const rows = new Rows()
    const ends: number[] = []
    for (let image = 0; image < images; image++) {
      this.detect(image, loc, conf.dataArray, coding, rows)
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

  private detect(image: number, loc: Blob, conf: Float32Array, coding: BoxCoding, rows: Rows): void {
    const { classes, priors, p } = this
    const scores = conf.subarray(image * priors * classes, (image + 1) * priors * classes)
    const codes = loc.dataArray.subarray(image * loc.size(1), (image + 1) * loc.size(1))
    const found: { label: number; items: Int32Array; boxes: Float32Array }[] = []
    let boxes = new Float32Array(4 * priors)
    if (p.share_location) decodeBoxes(coding, codes, 0, 1, boxes)
    this.candidates(scores).forEach((items, label) => {
      if (!items.length) return
      if (!p.share_location) {
        boxes = new Float32Array(4 * priors)
        decodeBoxes(coding, codes, label, classes, boxes)
      }
      const { threshold, topK, eta } = this.nms
      sortByScore(items, items.length, scores, label, classes)
      const tried = topK > -1 ? Math.min(topK, items.length) : items.length
      const kept = suppress(boxes, items, tried, threshold, { eta })
      found.push({ label, items: items.subarray(0, kept), boxes })
    })
    const best = this.best(found, scores)
    for (const { label, items, boxes } of best)
      for (const i of items) rows.add(image, label, scores[i * classes + label], boxes, i)
  }

  /** The boxes above the threshold, for each class; none for the background. */
  private candidates(scores: Float32Array): Int32Array[] {
    const { classes } = this
    const { confidence_threshold = -Infinity, background_label_id: background } = this.p
    const threshold = Math.fround(confidence_threshold)
    const counts = new Int32Array(classes)
    const above: number[] = []
    for (let k = 0, label = 0; k < scores.length; k++) {
      if (scores[k] > threshold && label !== background) {
        counts[label]++
        above.push(k)
      }
      if (++label === classes) label = 0
    }
    const lists = Array.from(counts, count => new Int32Array(count))
    const ends = new Int32Array(classes)
    for (const k of above) {
      const label = k % classes
      lists[label][ends[label]++] = (k - label) / classes
    }
    return lists
  }

  /** The keep_top_k best over all classes, still class by class. */
  private best<T extends { label: number; items: Int32Array }>(found: T[], scores: Float32Array): T[] {
    const { keep_top_k: limit } = this.p
    const total = found.reduce((sum, { items }) => sum + items.length, 0)
    if (limit < 0 || total <= limit) return found
    const places = new Int32Array(total)
    let end = 0
    for (const { label, items } of found) for (const i of items) places[end++] = i * this.classes + label
    sortByScore(places, total, scores)
    const kept = new Int32Array(this.classes)
    for (const place of places.subarray(0, limit)) kept[place % this.classes]++
    // the items of a class are sorted, so those that are kept are its first ones
    return found.map(one => ({ ...one, items: one.items.subarray(0, kept[one.label]) }))
  }
}
