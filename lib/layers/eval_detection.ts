import { type Blob, shapeText } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { checkTruths, readTruths } from './parts/truths.js'
import { anchoredBoxes, anchorsOf, boxMap, type Found, overlap, suppress, type Truth, truthsOf } from './parts/yolo.js'

/** Boxes of YOLO v2 below this are nothing, as in Darknet. */
const LEAST_SCORE = 0.005

/** A box of the label of YOLO v1 may be difficult: neither found nor missed counts. */
interface Known extends Truth {
  readonly difficult: boolean
}

/**
 * Boxes of YOLO v1, or with `biases` of v2, held against the truth: (N, classes + 4·boxes): how many of each class there
 * are, then for each detection its class, score, 1 if it is right and 1 if it is wrong. No gradient.
 */
export class EvalDetectionLayer extends Layer {
  static override readonly atDeploy = 'metric' as const
  static override readonly param = ['eval_detection_param'] as const
  override readonly passesGradient = false
  override readonly bottomCount = { atLeast: 2, atMost: 3 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('EvalDetectionParameter', this.param.eval_detection_param)
  private readonly second = this.fields.biases.length > 0
  /** Whether the label is SSD's: rows of image, label from 1 on, instance, xmin, ymin, xmax, ymax, difficult. */
  private ofSsd = false
  private anchors: { w: number; h: number }[] = []

  override setup(): void {
    if (this.second) this.anchors = anchorsOf(this, this.fields.biases, this.fields.num_object)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const { side, num_class, num_object } = this.fields
    const [x, label] = bottom
    const places = side ** 2
    const values = places * (num_class + 5 * num_object)
    if (this.second) boxMap(this, x, num_object, 5 + num_class, 'num_object')
    else if (x.size(1) !== values)
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) must have ${values} values an item: side² × (num_class + 5·num_object)`,
      )
    this.ofSsd = this.second && label.numAxes === 4 && label.dim(3) === 8
    if (this.ofSsd) checkTruths(this, label)
    else if (this.second ? label.size(1) % 5 !== 0 : label.size(1) !== 7 * places)
      throw this.error(
        `'${label.name}' (${shapeText(label.shape)}) must have ${this.second ? 'five values a box: class, x, y, w, h' : `${7 * places} values an item: side² × 7`}`,
      )
    const boxes = this.second ? x.size(2) * num_object : places * num_object
    top[0].reshape([x.dim(0), num_class + 4 * boxes])
  }

  /** Each box may be compared with every other, and with each truth. */
  override work(bottom: Blob[], top: Blob[]): number {
    const [x, label] = bottom
    const boxes = (top[0].size(1) - this.fields.num_class) / 4
    return super.work(bottom, top) + x.dim(0) * boxes * (boxes + label.size(1) / 5)
  }

  override forward([x, label]: Blob[], [top]: Blob[]): void {
    const { num_class, threshold, nms } = this.fields
    const size = top.dim(1)
    const y = top.dataArray.fill(0)
    for (let item = 0; item < x.dim(0); item++) {
      const truths = this.ofSsd
        ? this.rows(label, item)
        : this.second
          ? truthsOf(this, label, item, num_class).map(truth => ({ ...truth, difficult: false }))
          : this.truths(label, item)
      for (const truth of truths) if (!truth.difficult) y[item * size + truth.label]++
      const all = this.second ? this.anchored(x, item) : this.placed(x, item)
      const kept = nms >= 0 ? suppress(all, nms) : all.toSorted((a, b) => b.score - a.score)
      let at = item * size + num_class
      const used = new Set<Known>()
      for (const box of kept.toSorted((a, b) => a.label - b.label)) {
        y.set([box.label, box.score, ...judge(box, truths, threshold, used)], at)
        at += 4
      }
    }
  }

  override backward(): void {}

  private score(objectness: number, probability: number): number {
    const { score_type } = this.fields
    return score_type === 'OBJ' ? objectness : score_type === 'PROB' ? probability : objectness * probability
  }

  /** SSD's label. */
  private rows(label: Blob, item: number): Known[] {
    const how = { classes: this.fields.num_class + 1, background: 0, skipDifficult: false }
    const { boxes, labels, ofImage } = readTruths(this, label, how)
    return (ofImage.get(item) ?? []).map(g => {
      const [xmin, ymin, xmax, ymax] = boxes.subarray(4 * g)
      const centred = { x: (xmin + xmax) / 2, y: (ymin + ymax) / 2, w: xmax - xmin, h: ymax - ymin }
      return { ...centred, label: labels[g] - 1, difficult: false }
    })
  }

  /** YOLO v1's label: for each place whether it is difficult, whether something is there, of what class, and its box. */
  private truths(label: Blob, item: number): Known[] {
    const { side, num_class } = this.fields
    const places = side ** 2
    const values = label.dataArray.subarray(item * 7 * places, (item + 1) * 7 * places)
    const found: Known[] = []
    for (let i = 0; i < places; i++) {
      if (!values[places + i]) continue
      const name = Math.trunc(values[2 * places + i])
      if (!(name >= 0 && name < num_class))
        throw this.error(
          `place ${i} of item ${item} of '${label.name}' is of class ${name}: classes count from 0 to ${num_class - 1}`,
        )
      const [x, y, w, h] = values.subarray(3 * places + 4 * i)
      found.push({ label: name, difficult: values[i] === 1, x, y, w, h })
    }
    return found
  }

  /** YOLO v1: for each place the probabilities of classes, the objectness of its boxes, and their x, y, w, h. */
  private placed(x: Blob, item: number): Found[] {
    const { side, num_class, num_object, sqrt, constriant } = this.fields
    const places = side ** 2
    const all = x.dataArray
    const found: Found[] = []
    for (let place = 0; place < places; place++) {
      const value = (i: number) => all[item * x.size(1) + i * places + place]
      let label = 0
      for (let c = 1; c < num_class; c++) if (value(c) > value(label)) label = c
      for (let k = 0; k < num_object; k++) {
        const [bx, by, w, h] = [0, 1, 2, 3].map(i => value(num_class + num_object + 4 * k + i))
        found.push({
          label,
          score: this.score(value(num_class + k), value(label)),
          x: constriant ? ((place % side) + bx) / side : bx,
          y: constriant ? (Math.trunc(place / side) + by) / side : by,
          w: sqrt ? w * w : w,
          h: sqrt ? h * h : h,
        })
      }
    }
    return found
  }

  /** YOLO v2's map. */
  private anchored(x: Blob, item: number): Found[] {
    const { num_class, num_object } = this.fields
    const map = boxMap(this, x, num_object, 5 + num_class, 'num_object')
    return anchoredBoxes(map, item, num_class, this.anchors, LEAST_SCORE, (objectness, probability) =>
      this.score(objectness, probability),
    )
  }
}

/** Right and wrong: the truth that it overlaps most, if by `threshold`, and the first time; difficult ones are neither. */
function judge(
  box: Found,
  truths: readonly Known[],
  threshold: number,
  used: Set<Known>,
): [right: number, wrong: number] {
  let best: Known | undefined
  let most = -1
  for (const truth of truths) {
    const fit = truth.label === box.label ? overlap(box, truth) : -1
    if (fit > most) [best, most] = [truth, fit]
  }
  if (!best || most < threshold) return [0, 1]
  if (best.difficult) return [0, 0]
  if (used.has(best)) return [0, 1]
  used.add(best)
  return [1, 0]
}
