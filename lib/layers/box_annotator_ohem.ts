import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/**
 * rois (R, 5, …), loss (R, 1, …), labels, weights (R, 4k, …) → labels (R, 1, H, W), weights (R, 4k, H, W): those of the
 * `roi_per_img` places of each picture that lose most; the others get `ignore_label` and 0. Plain host code.
 */
export class BoxAnnotatorOHEMLayer extends Layer {
  static override readonly param = ['box_annotator_ohem_param'] as const
  override readonly bottomCount: Count = { exactly: 4 }
  override readonly topCount: Count = { exactly: 2 }
  override readonly passesGradient = false
  private kept = 0

  override setup(): void {
    const { roi_per_img } = this.param.box_annotator_ohem_param ?? {}
    if (!roi_per_img)
      throw this.error('box_annotator_ohem_param needs roi_per_img, above 0: how many places of a picture are kept')
    this.kept = roi_per_img
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [rois, loss, labels, weights] = bottom
    if (rois.numAxes < 2 || rois.dim(1) !== 5)
      throw this.error(`the regions '${rois.name}' (${shapeText(rois.shape)}) must be R×5, or R×5×H×W`)
    const places = rois.count / 5
    for (const blob of [loss, labels])
      if (blob.count !== places)
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) must hold ${places} values, one for each place of '${rois.name}' (${shapeText(rois.shape)})`,
        )
    const inner = rois.size(2)
    if (weights.numAxes < 2 || weights.dim(0) !== rois.dim(0) || weights.size(2) !== inner)
      throw this.error(
        `the weights '${weights.name}' (${shapeText(weights.shape)}) must be ${rois.dim(0)} × 4k × the places of '${rois.name}' (${shapeText(rois.shape)})`,
      )
    const place = rois.numAxes === 2 ? [1, 1] : rois.shape.slice(2)
    top[0].reshape([rois.dim(0), 1, ...place])
    top[1].reshape([rois.dim(0), weights.dim(1), ...place])
  }

  override allowsForceBackward(): boolean {
    return false
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [rois, losses, labels, weights] = bottom.map(blob => blob.dataArray)
    const inner = bottom[0].size(2)
    const channels = bottom[3].dim(1)
    top[0].dataArray.fill(this.param.box_annotator_ohem_param?.ignore_label ?? -1)
    top[1].dataArray.fill(0)
    const places = Array.from(losses.keys()).sort((a, b) => losses[b] - losses[a])
    const done = new Map<number, number>()
    for (const place of places) {
      const region = Math.floor(place / inner)
      const i = place % inner
      const picture = rois[5 * region * inner + i]
      const count = done.get(picture) ?? 0
      if (count === this.kept) continue
      done.set(picture, count + 1)
      top[0].dataArray[place] = labels[place]
      for (let c = 0; c < channels; c++) {
        const at = (region * channels + c) * inner + i
        top[1].dataArray[at] = weights[at]
      }
    }
  }

  override backward(): void {}
}
