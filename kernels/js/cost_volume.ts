import type { CostVolumeShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { type Frame, frameOf } from './cost_frame.js'

function framed(s: CostVolumeShape, { before, size }: Frame, x: Memory): Float64Array {
  const values = x.array
  const [H, W] = s.input
  const planes = s.batch * s.channels
  const framed = new Float64Array(planes * size[0] * size[1])
  for (let plane = 0; plane < planes; plane++)
    for (let h = 0; h < H; h++) {
      const row = (plane * H + h) * W
      framed.set(values.subarray(row, row + W), (plane * size[0] + before[0] + h) * size[1] + before[1])
    }
  return framed
}

/** A row of y, and where the values that add to it begin in both pictures: a place of the patch and a channel at a time. */
function eachRow(s: CostVolumeShape, { before, size }: Frame, visit: (y: number, a: number, b: number) => void): void {
  const [rows, columns] = s.shifts
  for (let n = 0; n < s.batch; n++)
    for (let d = 0; d < rows * columns; d++) {
      const down = s.shift[0] + Math.floor(d / columns) * s.step
      const across = s.shift[1] + (d % columns) * s.step
      for (let i = 0; i < s.output[0]; i++)
        for (let c = 0; c < s.channels; c++)
          for (let v = 0; v < s.kernel; v++)
            for (let u = 0; u < s.kernel; u++) {
              const row = (n * s.channels + c) * size[0] + before[0] + s.start[0] + i * s.stride + v
              const a = row * size[1] + before[1] + s.start[1] + u
              visit(((n * rows * columns + d) * s.output[0] + i) * s.output[1], a, a + down * size[1] + across)
            }
    }
}

export function costVolume(s: CostVolumeShape, a: Memory, b: Memory, y: Memory): void {
  const frame = frameOf(s)
  const [as, bs] = [framed(s, frame, a), framed(s, frame, b)]
  const sums = new Float64Array(s.batch * s.shifts[0] * s.shifts[1] * s.output[0] * s.output[1])
  const width = s.output[1]
  eachRow(s, frame, (to, i, j) => {
    if (s.subtract)
      for (let k = 0; k < width; k++, i += s.stride, j += s.stride) sums[to + k] += Math.abs(as[i] - bs[j])
    else for (let k = 0; k < width; k++, i += s.stride, j += s.stride) sums[to + k] += as[i] * bs[j]
  })
  const ys = y.array
  const share = 1 / (s.kernel ** 2 * s.channels)
  for (let i = 0; i < sums.length; i++) ys[i] = sums[i] * share
}

export function costVolumeGradient(
  s: CostVolumeShape,
  second: boolean,
  x: Memory,
  other: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const frame = frameOf(s)
  const [xs, others] = [framed(s, frame, x), framed(s, frame, other)]
  const sums = new Float64Array(xs.length)
  const dys = dy.array
  const width = s.output[1]
  eachRow(s, frame, (to, a, b) => {
    let [i, j] = second ? [b, a] : [a, b]
    for (let k = 0; k < width; k++, i += s.stride, j += s.stride)
      sums[i] += dys[to + k] * (s.subtract ? Math.sign(xs[i] - others[j]) : others[j])
  })
  const { before, size } = frame
  const [H, W] = s.input
  const dxs = dx.array
  const share = 1 / (s.kernel ** 2 * s.channels)
  for (let row = 0; row < s.batch * s.channels * H; row++) {
    const h = row % H
    const from = (((row - h) / H) * size[0] + before[0] + h) * size[1] + before[1]
    for (let w = 0; w < W; w++) dxs[row * W + w] = sums[from + w] * share
  }
}
