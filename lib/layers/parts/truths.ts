import { type Blob, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'

/** Values of a row: image, label, instance, xmin, ymin, xmax, ymax, difficult. */
const ROW = 8

/** Boxes that are really there, one after the other. */
export interface Truths {
  readonly boxes: Float32Array
  readonly labels: Int32Array
  readonly difficult: Uint8Array
  /** Numbers of the boxes of each image. */
  readonly ofImage: ReadonlyMap<number, readonly number[]>
}

/** Which rows count. */
export interface TruthRule {
  /** Labels are 0 … classes − 1, */
  readonly classes: number
  /** and not this one. */
  readonly background: number
  /** A row of image −1 is the end; else it is skipped. */
  readonly endsAtPadding?: boolean
  readonly skipDifficult?: boolean
}

/** Refuse a blob that does not hold such rows: (1, 1, g, 8). */
export function checkTruths(layer: Layer, blob: Blob): void {
  if (blob.numAxes !== 4 || blob.dim(0) !== 1 || blob.dim(1) !== 1 || blob.dim(3) !== ROW)
    throw layer.error(
      `'${blob.name}' (${shapeText(blob.shape)}) must be 1×1×g×8: a row image, label, instance, xmin, ymin, xmax, ymax, difficult for each box`,
    )
}

/** The rows of `blob` that count; refuses labels that are none. */
export function readTruths(
  layer: Layer,
  blob: Blob,
  { classes, background, endsAtPadding = false, skipDifficult = false }: TruthRule,
): Truths {
  const rows = blob.dataArray
  const count = rows.length / ROW
  const boxes = new Float32Array(4 * count)
  const labels = new Int32Array(count)
  const difficult = new Uint8Array(count)
  const ofImage = new Map<number, number[]>()
  for (let g = 0, k = 0; g < count; g++, k += ROW) {
    const image = Math.trunc(rows[k])
    if (image === -1 && endsAtPadding) break
    if (image === -1 || (skipDifficult && rows[k + 7])) continue
    labels[g] = rows[k + 1]
    if (!(labels[g] >= 0 && labels[g] < classes) || labels[g] === background)
      throw layer.error(
        `row ${g} of '${blob.name}' has the label ${rows[k + 1]}: boxes have labels from 0 to ${classes - 1}, and not ${background}, the background's (num_classes, background_label_id)`,
      )
    boxes.set(rows.subarray(k + 3, k + 7), 4 * g)
    difficult[g] = rows[k + 7] ? 1 : 0
    const list = ofImage.get(image)
    if (list) list.push(g)
    else ofImage.set(image, [g])
  }
  return { boxes, labels, difficult, ofImage }
}
