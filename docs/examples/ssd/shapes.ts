/** Pictures to find things in: coloured circles, squares and triangles on noise, made from a seed. */

export const names = ['background', 'circle', 'square', 'triangle']
export const SIZE = 64
/** The most shapes of a picture. */
export const MOST = 3

/** A box in shares of the picture, with its label. */
export interface Shape {
  label: number
  box: [xmin: number, ymin: number, xmax: number, ymax: number]
}

/** 3 × 64 × 64 values, 0 … 1, R G B, and what is in them. */
export interface Picture {
  data: Float32Array
  shapes: Shape[]
}

/** Random numbers from 0 to 1 that a seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One to three shapes of 12 to 34 pixels that do not overlap. */
export function makePicture(random: () => number): Picture {
  const data = new Float32Array(3 * SIZE * SIZE)
  for (let i = 0; i < data.length; i++) data[i] = 0.5 * random()
  const shapes: Shape[] = []
  const wanted = 1 + Math.floor(MOST * random())
  for (let tries = 0; tries < 30 && shapes.length < wanted; tries++) {
    const size = 12 + Math.floor(23 * random())
    const left = Math.floor((SIZE - size) * random())
    const top = Math.floor((SIZE - size) * random())
    const box: Shape['box'] = [left / SIZE, top / SIZE, (left + size) / SIZE, (top + size) / SIZE]
    if (shapes.some(({ box: other }) => overlaps(box, other))) continue
    const label = 1 + Math.floor(3 * random())
    shapes.push({ label, box })
    const colour = [0, 1, 2].map(() => 0.3 + 0.7 * random())
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        if (!inside(label, (x + 0.5) / size, (y + 0.5) / size)) continue
        for (let c = 0; c < 3; c++) data[(c * SIZE + top + y) * SIZE + left + x] = colour[c] + 0.1 * random()
      }
  }
  return { data, shapes }
}

const overlaps = (a: Shape['box'], b: Shape['box']): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]

/** Whether a place, 0 … 1, is in the shape of a label that fills its box. */
export function inside(label: number, x: number, y: number): boolean {
  if (label === 1) return (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.25
  return label === 2 || 2 * Math.abs(x - 0.5) < y
}

/** A batch as the net takes it: data, and a row image, label, instance, box, difficult for each shape. */
export function makeBatch(count: number, random: () => number) {
  const data = new Float32Array(count * 3 * SIZE * SIZE)
  const label = new Float32Array(count * MOST * 8).fill(-1)
  let row = 0
  for (let image = 0; image < count; image++) {
    const picture = makePicture(random)
    data.set(picture.data, image * picture.data.length)
    picture.shapes.forEach((shape, i) => {
      label.set([image, shape.label, i, ...shape.box, 0], 8 * row++)
    })
  }
  return { data, label }
}
