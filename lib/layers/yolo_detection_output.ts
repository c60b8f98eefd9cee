import type { Blob } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { anchoredBoxes, anchorsOf, boxMap, suppress, writeFound } from './parts/yolo.js'

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

  /** Each box may be compared with every other. */
  override work(bottom: Blob[], top: Blob[]): number {
    const boxes = bottom.reduce((sum, blob) => sum + blob.size(1) / (5 + this.fields.num_classes), 0)
    return super.work(bottom, top) + bottom[0].dim(0) * boxes ** 2
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { num_box, num_classes, confidence_threshold, nms_threshold } = this.fields
    const found = Array.from({ length: bottom[0].dim(0) }, (_, item) =>
      suppress(
        bottom.flatMap(blob => {
          const map = boxMap(this, blob, num_box, 5 + num_classes, 'num_box')
          return anchoredBoxes(map, item, num_classes, this.anchors, confidence_threshold)
        }),
        nms_threshold,
      ),
    )
    writeFound(found, top[0])
  }

  override backward(): void {}
}
