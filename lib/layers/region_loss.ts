import { withDefaults } from '../proto/message.js'
import {
  anchorsOf,
  type BoxMap,
  boxIndex,
  type CentredBox,
  logistic,
  overlap,
  overlapOfSizes,
  type Truth,
} from './parts/yolo.js'
import { YoloLossLayer } from './parts/yolo_loss.js'

/** The loss of YOLO v2: anchors in cells of the map, logistic centres and objectness, classes by softmax. */
export class RegionLossLayer extends YoloLossLayer {
  static override readonly param = ['region_loss_param'] as const
  private fields = withDefaults('RegionLossParameter', this.param.region_loss_param)
  private anchors: { w: number; h: number }[] = []

  override setup(): void {
    const { num, num_class, coords, biases } = this.fields
    if (coords !== 4) throw this.error(`coords: ${coords} must be 4: x, y, w, h`)
    this.boxes = num
    this.classes = num_class
    this.anchors = anchorsOf(this, biases, num)
  }

  protected override compare(map: BoxMap, item: number, truths: readonly Truth[]): void {
    const { delta, fields } = this
    const { places, width } = map
    for (let box = 0; box < map.boxes; box++)
      for (let place = 0; place < places; place++) {
        const at = boxIndex(map, item, box, place)
        const predicted = this.boxAt(map, at, box, place)
        const best = Math.max(0, ...truths.map(truth => overlap(predicted, truth)))
        const said = logistic(map.values[at + 4 * places])
        if (best <= fields.thresh) delta[at + 4 * places] = fields.noobject_scale * said * said * (1 - said)
      }
    for (const truth of truths) {
      const place = Math.trunc(truth.y * map.height) * width + Math.trunc(truth.x * width)
      this.assign(map, item, place, truth)
    }
  }

  private boxAt({ values, width, height, places }: BoxMap, at: number, box: number, place: number): CentredBox {
    return {
      x: ((place % width) + logistic(values[at])) / width,
      y: (Math.trunc(place / width) + logistic(values[at + places])) / height,
      w: (Math.exp(values[at + 2 * places]) * this.anchors[box].w) / width,
      h: (Math.exp(values[at + 3 * places]) * this.anchors[box].h) / height,
    }
  }

  /** The anchor that fits best at the place of a truth is to say what the truth says. */
  private assign(map: BoxMap, item: number, place: number, truth: Truth): void {
    const { delta, fields, anchors } = this
    const { values, places, width, height } = map
    let [best, most] = [0, 0]
    for (let box = 0; box < map.boxes; box++) {
      const size = fields.bias_match
        ? { w: anchors[box].w / width, h: anchors[box].h / height }
        : this.boxAt(map, boxIndex(map, item, box, place), box, place)
      const fit = overlapOfSizes(size, truth)
      if (fit > most) [best, most] = [box, fit]
    }
    const at = boxIndex(map, item, best, place)
    const fit = overlap(this.boxAt(map, at, best, place), truth)
    const scale = fields.coord_scale * (fields.rescore ? 1 : 2 - truth.w * truth.h)
    const [x, y] = [logistic(values[at]), logistic(values[at + places])]
    delta[at] = scale * (x - (truth.x * width - (place % width))) * x * (1 - x)
    delta[at + places] = scale * (y - (truth.y * height - Math.trunc(place / width))) * y * (1 - y)
    delta[at + 2 * places] = scale * (values[at + 2 * places] - Math.log((truth.w * width) / anchors[best].w))
    delta[at + 3 * places] = scale * (values[at + 3 * places] - Math.log((truth.h * height) / anchors[best].h))
    const said = logistic(values[at + 4 * places])
    delta[at + 4 * places] = fields.object_scale * (said - (fields.rescore ? fit : 1)) * said * (1 - said)
    this.assignClass(map, at + 5 * places, truth.label)
  }

  private assignClass({ values, places }: BoxMap, at: number, label: number): void {
    const scores = Array.from({ length: this.classes }, (_, c) => values[at + c * places])
    const largest = Math.max(...scores)
    const parts = scores.map(score => Math.exp(score - largest))
    const sum = parts.reduce((a, b) => a + b, 0)
    parts.forEach((part, c) => {
      this.delta[at + c * places] = this.fields.class_scale * (part / sum - (c === label ? 1 : 0))
    })
  }
}
