import { type Blob, shapeText } from '../../blob.js'
import { type Count, Layer } from '../../layer.js'
import { roundEven } from '../parts/anchors.js'
import { encodePixels, pixelOverlap } from '../parts/pixel_boxes.js'
import { settingsOf } from '../parts/python_settings.js'
import { sample } from '../parts/sampling.js'

const defaults = {
  num_classes: 21,
  batch_size: 128,
  fg_fraction: 0.25,
  fg_thresh: 0.5,
  bg_thresh_hi: 0.5,
  bg_thresh_lo: 0,
  bbox_normalize_means: [0, 0, 0, 0],
  bbox_normalize_stds: [0.1, 0.1, 0.2, 0.2],
  bbox_inside_weights: [1, 1, 1, 1],
}

/**
 * py-faster-rcnn's rpn.proposal_target_layer. rois (R, 5), gt_boxes (G, 5): x1, y1, x2, y2, class → rois (n, 5), labels
 * (n, 1, 1, 1), targets, inside and outside weights (n, 4·num_classes), n up to batch_size (−1: all).
 */
export class ProposalTargetLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 5 }
  override readonly passesGradient = false
  private settings = settingsOf(this, defaults)
  private rows = 1

  override setup(): void {
    for (const name of ['bbox_normalize_means', 'bbox_normalize_stds', 'bbox_inside_weights'] as const)
      if (this.settings[name].length !== 4) throw this.error(`${name}: ${this.settings[name]} must be four numbers`)
    if (!(this.settings.num_classes >= 2))
      throw this.error(`num_classes: ${this.settings.num_classes} must be 2 at least: the background and an object`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    for (const blob of bottom)
      if (blob.numAxes < 2 || blob.dim(1) !== 5 || blob.count !== 5 * blob.dim(0))
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) must be R×5: bottom 0 picture, x1, y1, x2, y2, bottom 1 x1, y1, x2, y2, class`,
        )
    this.shapeTops(top)
  }

  override allowsForceBackward(): boolean {
    return false
  }

  /** Each region, the objects among them, is compared with each object. */
  override work(bottom: Blob[], top: Blob[]): number {
    const [regions, objects] = bottom.map(blob => blob.dim(0))
    return super.work(bottom, top) + (regions + objects) * objects
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [rois, truth] = bottom.map(blob => blob.dataArray)
    const { settings } = this
    const objects: number[] = []
    const classes: number[] = []
    for (let g = 0; g < truth.length; g += 5) {
      objects.push(...truth.subarray(g, g + 4))
      classes.push(this.classOf(truth[g + 4], g / 5, bottom[1]))
    }
    // what is there to be found is a region, too
    const boxes: number[] = []
    for (let r = 0; r < rois.length; r += 5) {
      if (rois[r] !== 0)
        throw this.error(`region ${r / 5} of '${bottom[0].name}' is of picture ${rois[r]}: one picture at a time`)
      boxes.push(...rois.subarray(r + 1, r + 5))
    }
    boxes.push(...objects)
    const best: number[] = []
    const picked = this.pick(boxes, objects, best)
    this.rows = picked.kept.length
    this.shapeTops(top)
    const [out, labels, targets, inside, outside] = top.map(blob => blob.dataArray)
    for (const blob of top) blob.dataArray.fill(0)
    const width = 4 * settings.num_classes
    const code = new Float32Array(4)
    picked.kept.forEach((i, row) => {
      out.set([0, ...boxes.slice(4 * i, 4 * i + 4)], 5 * row)
      if (row >= picked.positives) return
      labels[row] = classes[best[i]]
      if (!(labels[row] > 0)) return
      encodePixels(boxes, i, objects, best[i], code, 0)
      const at = row * width + 4 * this.slot(labels[row])
      for (let c = 0; c < 4; c++) {
        targets[at + c] = (code[c] - settings.bbox_normalize_means[c]) / settings.bbox_normalize_stds[c]
        inside[at + c] = settings.bbox_inside_weights[c]
        outside[at + c] = settings.bbox_inside_weights[c] > 0 ? 1 : 0
      }
    })
  }

  override backward(): void {}

  /** Regions that overlap an object enough, then others, each drawn where there are too many. */
  private pick(boxes: number[], objects: number[], best: number[]): { kept: number[]; positives: number } {
    const { batch_size, fg_fraction, fg_thresh, bg_thresh_hi, bg_thresh_lo } = this.settings
    const found: number[] = []
    const others: number[] = []
    for (let i = 0; i < boxes.length / 4; i++) {
      let most = 0
      best[i] = 0
      for (let g = 0; g < objects.length / 4; g++) {
        const overlap = pixelOverlap(boxes, i, objects, g)
        if (overlap > most) {
          most = overlap
          best[i] = g
        }
      }
      if (most >= fg_thresh && objects.length) found.push(i)
      if (most < bg_thresh_hi && most >= bg_thresh_lo) others.push(i)
    }
    const size = batch_size < 0 ? Infinity : batch_size
    const positives = sample(found, roundEven(fg_fraction * size), this.random)
    return {
      kept: [...positives, ...sample(others, size - positives.length, this.random)],
      positives: positives.length,
    }
  }

  /** With two classes all objects share one place, as in R-FCN: the box does not depend on the class. */
  private slot(label: number): number {
    return this.settings.num_classes === 2 ? 1 : label
  }

  private classOf(label: number, g: number, truth: Blob): number {
    const { num_classes } = this.settings
    if (Number.isInteger(label) && label >= 0 && (label < num_classes || num_classes === 2)) return label
    throw this.error(`object ${g} of '${truth.name}' has class ${label}: classes count from 0 to ${num_classes - 1}`)
  }

  private shapeTops(top: Blob[]): void {
    const { rows } = this
    top[0].reshape([rows, 5])
    // R-FCN adds the losses of regions up, of which those of boxes have four axes
    top[1].reshape([rows, 1, 1, 1])
    for (const blob of top.slice(2)) blob.reshape([rows, 4 * this.settings.num_classes])
  }
}
