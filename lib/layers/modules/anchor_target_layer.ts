import { type Blob, shapeText } from '../../blob.js'
import { type Count, Layer } from '../../layer.js'
import { anchorGrid, anchorsOf, roundEven } from '../parts/anchors.js'
import { encodePixels, pixelOverlap } from '../parts/pixel_boxes.js'
import { settingsOf } from '../parts/python_settings.js'
import { sample } from '../parts/sampling.js'
import { anchorSettings } from './proposal_layer.js'

const defaults = {
  ...anchorSettings,
  allowed_border: 0,
  rpn_positive_overlap: 0.7,
  rpn_negative_overlap: 0.3,
  rpn_clobber_positives: false,
  rpn_fg_fraction: 0.5,
  rpn_batchsize: 256,
  rpn_bbox_inside_weights: [1, 1, 1, 1],
  rpn_positive_weight: -1,
}

/**
 * py-faster-rcnn's rpn.anchor_target_layer. rpn_cls_score (1, 2A, H, W), gt_boxes (G, 5), im_info (1, 3), data → labels
 * (1, 1, A·H, W), targets, inside and outside weights (1, 4A, H, W).
 */
export class AnchorTargetLayer extends Layer {
  override readonly bottomCount: Count = { atLeast: 3, atMost: 4 }
  override readonly topCount: Count = { exactly: 4 }
  override readonly passesGradient = false
  private settings = settingsOf(this, defaults)
  private anchors: Float64Array = new Float64Array(0)

  override setup(): void {
    const { base_size, ratios, scales, rpn_bbox_inside_weights: weights } = this.settings
    if (weights.length !== 4) throw this.error(`rpn_bbox_inside_weights: ${weights} must be four numbers`)
    this.anchors = anchorsOf(base_size, ratios, scales, roundEven)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [scores, truth] = bottom
    const A = this.anchors.length / 4
    if (scores.numAxes !== 4 || scores.dim(0) !== 1)
      throw this.error(`'${scores.name}' (${shapeText(scores.shape)}) must be 1×C×H×W: one picture at a time`)
    if (scores.dim(1) !== 2 * A)
      throw this.error(
        `'${scores.name}' has ${scores.dim(1)} channels, the ${A} anchors want two each: ratios × scales of param_str`,
      )
    if (truth.numAxes < 2 || truth.dim(1) < 4)
      throw this.error(
        `'${truth.name}' (${shapeText(truth.shape)}) must be G×5: x1, y1, x2, y2 and class of each object`,
      )
    const [H, W] = scores.shape.slice(2)
    top[0].reshape([1, 1, A * H, W])
    for (const blob of top.slice(1)) blob.reshape([1, 4 * A, H, W])
  }

  override allowsForceBackward(): boolean {
    return false
  }

  /** Each anchor is compared with each object. */
  override work(bottom: Blob[], top: Blob[]): number {
    return super.work(bottom, top) + (bottom[0].count / 2) * bottom[1].dim(0)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [scores, truth, info] = bottom
    const { settings } = this
    const [H, W] = scores.shape.slice(2)
    const A = this.anchors.length / 4
    const grid = anchorGrid(this.anchors, settings.feat_stride, H, W)
    const objects = objectsOf(truth)
    const labels = this.labels(grid, objects, [info.dataArray[1], info.dataArray[0]])
    const counted = labels.label.reduce((n, label) => n + (label >= 0 ? 1 : 0), 0)
    const positives = labels.label.reduce((n, label) => n + (label === 1 ? 1 : 0), 0)
    const p = settings.rpn_positive_weight
    const weightOf = (label: number) =>
      p < 0 ? 1 / counted : label === 1 ? p / positives : (1 - p) / (counted - positives)
    for (const blob of top) blob.dataArray.fill(0)
    top[0].dataArray.fill(-1)
    const [out, targets, inside, outside] = top.map(blob => blob.dataArray)
    const code = new Float32Array(4)
    labels.label.forEach((label, i) => {
      const k = i % A
      const place = (i - k) / A
      out[k * H * W + place] = label
      if (!labels.inside[i] || objects.length === 0) return
      encodePixels(grid, i, objects, labels.best[i], code, 0)
      for (let c = 0; c < 4; c++) {
        const at = (4 * k + c) * H * W + place
        targets[at] = code[c]
        if (label === 1) inside[at] = settings.rpn_bbox_inside_weights[c]
        if (label >= 0) outside[at] = weightOf(label)
      }
    })
  }

  override backward(): void {}

  /** 1, 0 or −1 for each anchor, with the object that it overlaps most and whether it lies inside the picture. */
  private labels(grid: Float64Array, objects: Float32Array, [width, height]: readonly [number, number]) {
    const { settings, random } = this
    const border = settings.allowed_border
    const n = grid.length / 4
    const G = objects.length / 4
    const label = new Int8Array(n).fill(-1)
    const inside = new Uint8Array(n)
    const best = new Int32Array(n)
    const most = new Float64Array(n)
    const mostOfObject = new Float64Array(G)
    const overlaps = new Float64Array(n * G)
    for (let i = 0; i < n; i++) {
      const k = 4 * i
      if (!(grid[k] >= -border && grid[k + 1] >= -border)) continue
      if (!(grid[k + 2] < width + border && grid[k + 3] < height + border)) continue
      inside[i] = 1
      for (let g = 0; g < G; g++) {
        const overlap = pixelOverlap(grid, i, objects, g)
        overlaps[i * G + g] = overlap
        mostOfObject[g] = Math.max(mostOfObject[g], overlap)
        if (overlap > most[i]) {
          most[i] = overlap
          best[i] = g
        }
      }
    }
    for (let i = 0; i < n; i++) {
      if (!inside[i]) continue
      const low = most[i] < settings.rpn_negative_overlap
      if (low && !settings.rpn_clobber_positives) label[i] = 0
      // each object has its best anchors, all that are as good; an object that none touches has none
      for (let g = 0; g < G; g++) if (mostOfObject[g] > 0 && overlaps[i * G + g] === mostOfObject[g]) label[i] = 1
      if (most[i] >= settings.rpn_positive_overlap) label[i] = 1
      if (low && settings.rpn_clobber_positives) label[i] = 0
    }
    const of = (wanted: number) => Array.from(label.keys()).filter(i => label[i] === wanted)
    const keep = (wanted: number, count: number) => {
      const all = of(wanted)
      const kept = new Set(sample(all, count, random))
      for (const i of all) if (!kept.has(i)) label[i] = -1
      return kept.size
    }
    const positives = keep(1, Math.floor(settings.rpn_fg_fraction * settings.rpn_batchsize))
    keep(0, settings.rpn_batchsize - positives)
    return { label, inside, best }
  }
}

/** The boxes of gt_boxes (G, 5), without their classes. */
export function objectsOf(truth: Blob): Float32Array {
  const width = truth.dim(1)
  return Float32Array.from({ length: 4 * truth.dim(0) }, (_, i) => truth.dataArray[Math.floor(i / 4) * width + (i % 4)])
}
