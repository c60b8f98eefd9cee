import { type Blob, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'

/** A box by its centre and size, in shares of the picture. */
export interface CentredBox {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** A box of the label, and its class. */
export interface Truth extends CentredBox {
  readonly label: number
}

/** A box that was found, and what for. */
export interface Found extends CentredBox {
  /** From 0 on. */
  readonly label: number
  readonly score: number
}

export const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

const shared = (a: number, sizeA: number, b: number, sizeB: number): number =>
  Math.min(a + sizeA / 2, b + sizeB / 2) - Math.max(a - sizeA / 2, b - sizeB / 2)

/** Intersection over union. */
export function overlap(a: CentredBox, b: CentredBox): number {
  const [w, h] = [shared(a.x, a.w, b.x, b.w), shared(a.y, a.h, b.y, b.h)]
  const both = w < 0 || h < 0 ? 0 : w * h
  return both / (a.w * a.h + b.w * b.h - both)
}

/** Overlap of two boxes with one centre. */
export const overlapOfSizes = (a: { w: number; h: number }, b: { w: number; h: number }): number =>
  overlap({ x: 0, y: 0, w: a.w, h: a.h }, { x: 0, y: 0, w: b.w, h: b.h })

/**
 * Item `item` of a label (N, …), rows of class, x, y, w, h: those before the first without a width. The cell of each
 * must lie in the map, and its class among the classes.
 */
export function truthsOf(layer: Layer, label: Blob, item: number, classes: number): Truth[] {
  const size = label.size(1)
  const values = label.dataArray.subarray(item * size, (item + 1) * size)
  const truths: Truth[] = []
  for (let row = 0; row + 5 <= size && values[row + 3] !== 0; row += 5) {
    const [name, x, y, w, h] = values.subarray(row, row + 5)
    if (!(x >= 0 && x < 1 && y >= 0 && y < 1 && w > 0 && h > 0))
      throw layer.error(
        `box ${row / 5} of item ${item} of '${label.name}' has its centre at (${x}, ${y}) and the size (${w}, ${h}): centres are shares of the picture from 0 to below 1, sizes above 0`,
      )
    const number = Math.trunc(name)
    if (!(number >= 0 && number < classes))
      throw layer.error(
        `box ${row / 5} of item ${item} of '${label.name}' is of class ${name}: classes count from 0 to ${classes - 1}`,
      )
    truths.push({ label: number, x, y, w, h })
  }
  return truths
}

/** A map (N, boxes × values, H, W) of boxes at every place. */
export interface BoxMap {
  readonly values: Float32Array
  readonly boxes: number
  /** Values of a box. */
  readonly length: number
  readonly height: number
  readonly width: number
  /** Places, which is also how far apart the values of a box are. */
  readonly places: number
}

/** `blob` as a map of boxes; refuses one that has other channels. */
export function boxMap(layer: Layer, blob: Blob, boxes: number, length: number, field: string): BoxMap {
  const [, channels, height, width] = blob.shape
  if (blob.numAxes !== 4 || channels !== boxes * length)
    throw layer.error(
      `'${blob.name}' (${shapeText(blob.shape)}) must be N × ${boxes * length} × H × W: ${boxes} boxes (${field}) of ${length} values`,
    )
  return { values: blob.dataArray, boxes, length, height, width, places: height * width }
}

/** Where value 0 of a box is. */
export const boxIndex = (map: BoxMap, item: number, box: number, place: number): number =>
  (item * map.boxes + box) * map.length * map.places + place

/** Anchors, two numbers each. */
export function anchorsOf(layer: Layer, biases: ArrayLike<number>, least: number): { w: number; h: number }[] {
  if (biases.length % 2 || biases.length < 2 * least)
    throw layer.error(`biases are ${biases.length} numbers, and must be width and height of at least ${least} anchors`)
  return Array.from({ length: biases.length / 2 }, (_, i) => ({ w: biases[2 * i], h: biases[2 * i + 1] }))
}

/**
 * Boxes of item `item` in a map of YOLO v2, with a score of `least` or more: x, y within the cell, w, h by the anchor,
 * objectness, then a softmax over the classes, of which the likeliest is the label.
 */
export function anchoredBoxes(
  map: BoxMap,
  item: number,
  classes: number,
  anchors: readonly { w: number; h: number }[],
  least: number,
  score = (objectness: number, probability: number): number => objectness * probability,
): Found[] {
  const { values, places, width, height } = map
  const found: Found[] = []
  for (let place = 0; place < places; place++)
    for (let box = 0; box < map.boxes; box++) {
      const at = boxIndex(map, item, box, place)
      const value = (i: number) => values[at + i * places]
      let label = 0
      for (let c = 1; c < classes; c++) if (value(5 + c) > value(5 + label)) label = c
      let sum = 0
      for (let c = 0; c < classes; c++) sum += Math.exp(value(5 + c) - value(5 + label))
      const scored = score(logistic(value(4)), 1 / sum)
      if (scored < least) continue
      found.push({
        label,
        score: scored,
        x: ((place % width) + logistic(value(0))) / width,
        y: (Math.trunc(place / width) + logistic(value(1))) / height,
        w: (Math.exp(value(2)) * anchors[box].w) / width,
        h: (Math.exp(value(3)) * anchors[box].h) / height,
      })
    }
  return found
}

/**
 * The boxes by falling score without those that overlap an earlier one by `threshold` or more, whatever their classes.
 */
export function suppress(found: readonly Found[], threshold: number): Found[] {
  const kept: Found[] = []
  // a map of random weights has tens of thousands of boxes: their edges and areas are numbers side by side
  const edges = new Float64Array(5 * found.length)
  const overlaps = (box: number): boolean => {
    const [left, top, right, bottom, area] = edges.subarray(box, box + 5)
    for (let i = 0; i < box; i += 5) {
      const w = Math.min(edges[i + 2], right) - Math.max(edges[i], left)
      const h = Math.min(edges[i + 3], bottom) - Math.max(edges[i + 1], top)
      const both = w < 0 || h < 0 ? 0 : w * h
      if (both / (edges[i + 4] + area - both) >= threshold) return true
    }
    return false
  }
  for (const box of found.toSorted((a, b) => b.score - a.score)) {
    const { x, y, w, h } = box
    const at = 5 * kept.length
    edges.set([x - w / 2, y - h / 2, x + w / 2, y + h / 2, w * h], at)
    if (!overlaps(at)) kept.push(box)
  }
  return kept
}

/**
 * Rows of image, label (from 1 on), score, xmin, ymin, xmax, ymax: top (1, 1, rows, 7). Where nothing at all was found,
 * one row of −1 for each image.
 */
export function writeFound(found: readonly (readonly Found[])[], top: Blob): void {
  const rows = found.flatMap((boxes, item) =>
    boxes.map(({ label, score, x, y, w, h }) => [item, label + 1, score, x - w / 2, y - h / 2, x + w / 2, y + h / 2]),
  )
  const lines = rows.length ? rows : found.map((_, item) => [item, -1, -1, -1, -1, -1, -1])
  top.reshape([1, 1, lines.length, 7])
  top.dataArray.set(lines.flat())
}
