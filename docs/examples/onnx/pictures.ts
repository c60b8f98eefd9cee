/** The pictures of this tutorial, in the place of your own: 28 × 28 values, 0 … 1, of three kinds of marks. */
import type { Lesson } from './learn.js'

export const kinds = ['ring', 'cross', 'bar']

/** Picture number i of a kind: its place, size and thickness differ from picture to picture. */
function draw(kind: number, i: number): Float32Array {
  const wave = (k: number) => Math.sin(12.9898 * i + 4.1414 * k)
  const [x0, y0] = [13.5 + 3 * wave(1), 13.5 + 3 * wave(2)]
  const radius = 7 + 2 * wave(3)
  const half = 1.5 + 0.5 * wave(4)
  const isInk = (x: number, y: number): boolean => {
    const [dx, dy] = [x - x0, y - y0]
    if (kind === 0) return Math.abs(Math.hypot(dx, dy) - radius) < half
    if (Math.max(Math.abs(dx), Math.abs(dy)) > radius) return false
    return kind === 1 ? Math.abs(dx) < half || Math.abs(dy) < half : Math.abs(dx + 0.4 * dy) < half
  }
  return Float32Array.from({ length: 784 }, (_, p) => (isInk(p % 28, Math.floor(p / 28)) ? 1 : 0))
}

/** So many pictures from number `from` on, and the kind of each. */
export function pictures(count: number, from = 0): Lesson {
  const label = Array.from({ length: count }, (_, i) => i % kinds.length)
  return { image: label.map((kind, i) => draw(kind, from + i)), label, classes: kinds.length }
}
