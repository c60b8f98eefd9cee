import ndarray, { type NdArray } from 'ndarray'
import type { Found } from './detect.js'
import { type Scene, SIZE } from './shapes.js'

/** A colour for each class: disc, square, triangle. */
const COLOURS = [
  [1, 0.2, 0.2],
  [0.2, 1, 0.2],
  [0.3, 0.5, 1],
]

/** Pictures side by side as H × W × 3 values in 0 … 1, each with the boxes that were found on it. */
export function drawn(scenes: readonly Scene[], found: readonly (readonly Found[])[]): NdArray<Float32Array> {
  const all = ndarray(new Float32Array(SIZE * SIZE * scenes.length * 3), [SIZE, SIZE * scenes.length, 3])
  scenes.forEach(({ pixels }, i) => {
    const picture = all.lo(0, i * SIZE, 0).hi(SIZE, SIZE, 3)
    for (let y = 0; y < SIZE; y++)
      for (let x = 0; x < SIZE; x++)
        for (let c = 0; c < 3; c++)
          picture.set(y, x, c, Math.min(Math.max((pixels[(c * SIZE + y) * SIZE + x] + 1.5) / 3, 0), 1))
    for (const { box, label } of found[i]) {
      const [x1, y1, x2, y2] = box.map(Math.round)
      const dot = (y: number, x: number) => COLOURS[label - 1].forEach((value, c) => picture.set(y, x, c, value))
      for (let x = x1; x <= x2; x++) for (const y of [y1, y2]) dot(y, x)
      for (let y = y1; y <= y2; y++) for (const x of [x1, x2]) dot(y, x)
    }
  })
  return all
}
