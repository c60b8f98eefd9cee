import type { Blob } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { anchorsOf, boxIndex, boxMap, type Found, logistic, suppress, writeFound } from './parts/yolo.js'

/** Maps of YOLO v3, one for each scale, (N, num_box·(5 + classes), H, W) → boxes (1, 1, rows, 7). No gradient. */
export class Yolov3DetectionOutputLayer extends Layer {
  static override readonly param = ['yolov3_detection_output_param'] as const
  override readonly passesGradient = false
  override readonly bottomCount = { atLeast: 1 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('Yolov3DetectionOutputParameter', this.param.yolov3_detection_output_param)
  private anchors: { w: number; h: number }[] = []
  /** What is known of x, y, w and h: with gaussian_box each is followed by how uncertain it is. */
  private readonly step = this.fields.gaussian_box ? 2 : 1

  private get length(): number {
    return 4 * this.step + 1 + this.fields.num_classes
  }

  override setup(bottom: Blob[]): void {
    const { mask_group_num, anchors_scale, mask, biases, num_box } = this.fields
    if (bottom.length !== mask_group_num)
      throw this.error(`mask_group_num: ${mask_group_num} must be the number of bottoms, ${bottom.length}`)
    if (anchors_scale.length < bottom.length)
      throw this.error(
        `anchors_scale is given ${anchors_scale.length} times, and must be for each of ${bottom.length} bottoms`,
      )
    this.anchors = anchorsOf(this, biases, 1)
    const group = Math.trunc(mask.length / mask_group_num)
    if (group * (bottom.length - 1) + num_box > mask.length || mask.some(anchor => anchor >= this.anchors.length))
      throw this.error(
        `mask (${mask.join(', ')}) must name num_box: ${num_box} anchors for each bottom, of the ${this.anchors.length} of biases`,
      )
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    for (const blob of bottom) boxMap(this, blob, this.fields.num_box, this.length, 'num_box')
    top[0].reshape([1, 1, 1, 7])
  }

  /** Each box of each class may be compared with every other. */
  override work(bottom: Blob[], top: Blob[]): number {
    const boxes = bottom.reduce((sum, blob) => sum + blob.size(1) / this.length, 0) * this.fields.num_classes
    return super.work(bottom, top) + bottom[0].dim(0) * boxes ** 2
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const found = Array.from({ length: bottom[0].dim(0) }, (_, item) =>
      suppress(
        bottom.flatMap((blob, scale) => this.boxesOf(blob, scale, item)),
        this.fields.nms_threshold,
      ),
    )
    writeFound(found, top[0])
  }

  override backward(): void {}

  private boxesOf(blob: Blob, scale: number, item: number): Found[] {
    const { step, fields } = this
    const { num_box, num_classes, confidence_threshold, mask, mask_group_num, anchors_scale } = fields
    const map = boxMap(this, blob, num_box, this.length, 'num_box')
    const { values, places, width, height } = map
    const found: Found[] = []
    for (let place = 0; place < places; place++)
      for (let box = 0; box < num_box; box++) {
        const at = boxIndex(map, item, box, place)
        const value = (i: number) => values[at + i * places]
        const objectness = logistic(value(4 * step)) * this.certainty(value)
        // most places hold nothing, and a class says at most what the object says
        if (!(objectness > confidence_threshold)) continue
        const anchor = this.anchors[mask[box + scale * Math.trunc(mask.length / mask_group_num)]]
        const where = {
          x: ((place % width) + logistic(value(0))) / width,
          y: (Math.trunc(place / width) + logistic(value(step))) / height,
          w: (Math.exp(value(2 * step)) * anchor.w) / (width * anchors_scale[scale]),
          h: (Math.exp(value(3 * step)) * anchor.h) / (height * anchors_scale[scale]),
        }
        for (let label = 0; label < num_classes; label++) {
          const score = logistic(value(4 * step + 1 + label)) * objectness
          if (score > confidence_threshold) found.push({ label, score, ...where })
        }
      }
    return found
  }

  private certainty(value: (i: number) => number): number {
    return this.step === 1 ? 1 : [1, 3, 5, 7].reduce((sum, i) => sum + (1 - logistic(value(i))), 0) / 4
  }
}
