import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { anchorsOf, type BoxMap, boxIndex, logistic, overlap, overlapOfSizes, type Truth } from './parts/yolo.js'
import { YoloLossLayer } from './parts/yolo_loss.js'

/** Values of a box that are taken as they are: its size. All others go through the logistic function. */
const isSize = (value: number): boolean => value === 2 || value === 3

/** The loss of YOLO v3 at one scale: anchors in pixels, of which `mask` names this map's; each class by itself. */
export class Yolov3Layer extends YoloLossLayer {
  static override readonly param = ['yolov3_param'] as const
  private fields = withDefaults('Yolov3Parameter', this.param.yolov3_param)
  private anchors: { w: number; h: number }[] = []

  override setup(): void {
    const { num, num_class, biases, mask, iou_loss } = this.fields
    if (iou_loss !== 'MSE')
      throw this.error(`iou_loss: ${iou_loss} is not there: leave it out, which is MSE, the loss of YOLO v3 itself`)
    this.anchors = anchorsOf(this, biases, 1)
    if (mask.length < num || mask.some(anchor => anchor >= this.anchors.length))
      throw this.error(
        `mask (${mask.join(', ')}) must name num: ${num} of the ${this.anchors.length} anchors of biases, from 0 on`,
      )
    this.boxes = num
    this.classes = num_class
  }

  protected override compare(map: BoxMap, item: number, truths: readonly Truth[]): void {
    const { fields, delta } = this
    const { places, width, height, values } = map
    for (let box = 0; box < map.boxes; box++)
      for (let place = 0; place < places; place++) {
        const at = boxIndex(map, item, box, place)
        const anchor = this.anchorIn(map, fields.mask[box])
        const predicted = {
          x: ((place % width) + logistic(values[at])) / width,
          y: (Math.trunc(place / width) + logistic(values[at + places])) / height,
          w: Math.exp(values[at + 2 * places]) * anchor.w,
          h: Math.exp(values[at + 3 * places]) * anchor.h,
        }
        const best = Math.max(0, ...truths.map(truth => overlap(predicted, truth)))
        if (best <= fields.thresh) delta[at + 4 * places] = logistic(values[at + 4 * places])
      }
    for (const truth of truths) this.match(map, item, truth)
  }

  /** An anchor in shares of the picture. */
  private anchorIn({ width, height }: BoxMap, anchor: number): { w: number; h: number } {
    const { anchors_scale } = this.fields
    return { w: this.anchors[anchor].w / (width * anchors_scale), h: this.anchors[anchor].h / (height * anchors_scale) }
  }

  /** The anchor that fits best, if it is one of this map's, and others of the map above iou_thresh. */
  private match(map: BoxMap, item: number, truth: Truth): void {
    const { fields } = this
    const place = Math.trunc(truth.y * map.height) * map.width + Math.trunc(truth.x * map.width)
    const fits = this.anchors.map((_, anchor) => overlapOfSizes(this.anchorIn(map, anchor), truth))
    const best = fits.indexOf(Math.max(...fits))
    const boxOf = (anchor: number) => fields.mask.slice(0, fields.num).indexOf(anchor)
    const first = boxOf(best)
    if (first >= 0) this.assign(map, item, first, place, truth)
    if (!(fields.iou_thresh < 1)) return
    fits.forEach((fit, anchor) => {
      // the fork compares the anchor with the place in the mask of the one that was assigned
      const passed = first >= 0 ? first : best
      if (fit > fields.iou_thresh && boxOf(anchor) >= 0 && anchor !== passed)
        this.assign(map, item, boxOf(anchor), place, truth)
    })
  }

  private assign(map: BoxMap, item: number, box: number, place: number, truth: Truth): void {
    const { fields, delta } = this
    const { values, places, width, height } = map
    const at = boxIndex(map, item, box, place)
    const anchor = this.anchorIn(map, fields.mask[box])
    const scale = fields.coord_scale * (2 - truth.w * truth.h)
    delta[at] = scale * (logistic(values[at]) - (truth.x * width - (place % width)))
    delta[at + places] = scale * (logistic(values[at + places]) - (truth.y * height - Math.trunc(place / width)))
    delta[at + 2 * places] = scale * (values[at + 2 * places] - Math.log(truth.w / anchor.w))
    delta[at + 3 * places] = scale * (values[at + 3 * places] - Math.log(truth.h / anchor.h))
    const objectScale = fields.use_logic_gradient ? fields.object_scale : 1
    delta[at + 4 * places] = objectScale * (logistic(values[at + 4 * places]) - 1)
    this.assignClass(map, at + 5 * places, truth.label)
  }

  private assignClass({ values, places }: BoxMap, at: number, label: number): void {
    const { class_scale, label_smooth_eps: eps, use_focal_loss } = this.fields
    const said = (c: number) => logistic(values[at + c * places])
    const smooth = (truth: number) => (1 - eps) * truth + eps / 2
    // a second truth at this place changes what is said of its own class only
    if (this.delta[at + label * places] !== 0) {
      this.delta[at + label * places] = class_scale * (said(label) - smooth(1))
      return
    }
    const p = said(label) + 1e-15
    const focal = -0.5 * (1 - p) * (2 * p * Math.log(p) + p - 1)
    for (let c = 0; c < this.classes; c++) {
      const truth = c === label ? 1 : 0
      this.delta[at + c * places] = class_scale * (use_focal_loss ? (said(c) - truth) * focal : said(c) - smooth(truth))
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    super.backward(top, propagateDown, bottom)
    if (!propagateDown[0] || !this.fields.use_logic_gradient) return
    const [{ dataArray: x, diffArray: dx }] = bottom
    const places = bottom[0].size(2)
    for (let i = 0; i < dx.length; i++)
      if (!isSize(Math.trunc(i / places) % (5 + this.classes))) dx[i] *= logistic(x[i]) * (1 - logistic(x[i]))
  }
}
