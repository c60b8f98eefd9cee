/**
 * Boxes of Faster R-CNN: x1, y1, x2, y2 in pixels, both ends inside, so that a side is x2 − x1 + 1; four values each, one
 * after the other; an index counts boxes.
 */
export type Boxes = ArrayLike<number>

/** Width × height; 0 for a box that ends before it starts. */
export function pixelArea(boxes: Boxes, i: number): number {
  return Math.max(0, boxes[4 * i + 2] - boxes[4 * i] + 1) * Math.max(0, boxes[4 * i + 3] - boxes[4 * i + 1] + 1)
}

/** Intersection over union, 0 to 1. */
export function pixelOverlap(a: Boxes, i: number, b: Boxes, j: number): number {
  const width = Math.min(a[4 * i + 2], b[4 * j + 2]) - Math.max(a[4 * i], b[4 * j]) + 1
  const height = Math.min(a[4 * i + 3], b[4 * j + 3]) - Math.max(a[4 * i + 1], b[4 * j + 1]) + 1
  if (!(width > 0 && height > 0)) return 0
  const both = width * height
  return both / (pixelArea(a, i) + pixelArea(b, j) - both)
}

/** out[o …] ← what moves box i of `from` to box j of `to`: centre by parts of its sides, sides by logarithms. */
export function encodePixels(from: Boxes, i: number, to: Boxes, j: number, out: Float32Array, o: number): void {
  for (const side of [0, 1]) {
    const [a, b] = [4 * i + side, 4 * j + side]
    const size = from[a + 2] - from[a] + 1
    const wanted = to[b + 2] - to[b] + 1
    out[o + side] = (to[b] + wanted / 2 - from[a] - size / 2) / size
    out[o + 2 + side] = Math.log(wanted / size)
  }
}

/** out[o …] ← box i of `from` moved by the four numbers, cut to a picture of that size. */
export function decodePixels(
  from: Boxes,
  i: number,
  moves: readonly [dx: number, dy: number, dw: number, dh: number],
  picture: readonly [width: number, height: number],
  out: { [index: number]: number },
  o: number,
): void {
  for (const side of [0, 1] as const) {
    const a = 4 * i + side
    const size = from[a + 2] - from[a] + 1
    const centre = from[a] + size / 2 + moves[side] * size
    const half = (Math.exp(moves[(2 + side) as 2 | 3]) * size) / 2
    out[o + side] = Math.min(Math.max(centre - half, 0), picture[side] - 1)
    out[o + 2 + side] = Math.min(Math.max(centre + half, 0), picture[side] - 1)
  }
}
