import type { Blob } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { anchorsOf, boxIndex, boxMap, type Found, logistic, suppress, writeFound } from './parts/yolo.js'

/** Maps of YOLO v2 (N, num_box·(5 + classes), H, W) → boxes (1, 1, rows, 7). No gradient. */
export class YoloDetectionOutputLayer extends Layer {
  static override readonly param = ['yolo_detection_output_param'] as const
  override readonly passesGradient = false
  override readonly bottomCount = { atLeast: 1 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('YoloDetectionOutputParameter', this.param.yolo_detection_output_param)
  private anchors: { w: number; h: number }[] = []

  override setup(): void {
    const { coords, num_box, biases } = this.fields
    if (coords !== 4) throw this.error(`coords: ${coords} must be 4: x, y, w, h`)
    this.anchors = anchorsOf(this, biases, num_box)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    for (const blob of bottom) boxMap(this, blob, this.fields.num_box, 5 + this.fields.num_classes, 'num_box')
    top[0].reshape([1, 1, 1, 7])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const found = Array.from({ length: bottom[0].dim(0) }, (_, item) =>
      suppress(
        bottom.flatMap(blob => this.boxesOf(blob, item)),
        this.fields.nms_threshold,
      ),
    )
    writeFound(found, top[0])
  }

  override backward(): void {}

  private boxesOf(blob: Blob, item: number): Found[] {
    const { num_box, num_classes, confidence_threshold } = this.fields
    const map = boxMap(this, blob, num_box, 5 + num_classes, 'num_box')
    const { values, places, width, height } = map
    const found: Found[] = []
    for (let place = 0; place < places; place++)
      for (let box = 0; box < num_box; box++) {
        const at = boxIndex(map, item, box, place)
        const value = (i: number) => values[at + i * places]
        let label = 0
        for (let c = 1; c < num_classes; c++) if (value(5 + c) > value(5 + label)) label = c
        let sum = 0
        for (let c = 0; c < num_classes; c++) sum += Math.exp(value(5 + c) - value(5 + label))
        const score = logistic(value(4)) / sum
        if (score < confidence_threshold) continue
        found.push({
          label,
          score,
          x: ((place % width) + logistic(value(0))) / width,
          y: (Math.trunc(place / width) + logistic(value(1))) / height,
          w: (Math.exp(value(2)) * this.anchors[box].w) / width,
          h: (Math.exp(value(3)) * this.anchors[box].h) / height,
        })
      }
    return found
  }
}
