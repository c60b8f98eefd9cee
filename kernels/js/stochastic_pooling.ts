import type { PoolingShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { philox, type RandomStream } from '../../lib/rng.js'
import { eachWindow, type Window } from './windows.js'

/** Σ max(x, 0) over a window. */
function positiveSum(
  xs: Float32Array,
  [H, W]: readonly [number, number],
  { plane, top, bottom, left, right }: Window,
): number {
  let sum = 0
  for (let h = top; h < bottom; h++) {
    const row = (plane * H + h) * W
    for (let w = left; w < right; w++) sum += Math.max(xs[row + w], 0)
  }
  return sum
}

export function stochasticPool(s: PoolingShape, x: Memory, stream: RandomStream, y: Memory, mask: Memory): void {
  const xs = x.array
  const ys = y.array
  const masks = mask.array
  const [H, W] = s.input
  const [k0, k1, c1, c2, c3] = stream.key
  const four = new Uint32Array(4)
  eachWindow(s, window => {
    const { plane, output, top, bottom, left, right } = window
    if ((output & 3) === 0) philox(output >>> 2, c1, c2, c3, k0, k1, four)
    const wanted = (four[output & 3] / 0x100000000) * positiveSum(xs, s.input, window)
    let index = top < bottom && left < right ? top * W + left : -1
    let sum = 0
    for (let h = top; h < bottom && sum <= wanted; h++) {
      for (let i = h * W + left; i < h * W + right && sum <= wanted; i++) {
        sum += Math.max(xs[plane * H * W + i], 0)
        if (sum > wanted) index = i
      }
    }
    masks[output] = index
    ys[output] = index < 0 ? 0 : xs[plane * H * W + index]
  })
}

export function stochasticMean(s: PoolingShape, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  const [H, W] = s.input
  eachWindow(s, window => {
    let squares = 0
    for (let h = window.top; h < window.bottom; h++) {
      const row = (window.plane * H + h) * W
      for (let w = window.left; w < window.right; w++) squares += Math.max(xs[row + w], 0) ** 2
    }
    const sum = positiveSum(xs, s.input, window)
    ys[window.output] = sum > 0 ? squares / sum : 0
  })
}

export function stochasticMeanGradient(s: PoolingShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const ys = y.array
  const dys = dy.array
  const [H, W] = s.input
  const sums = new Float64Array(s.planes * H * W)
  eachWindow(s, window => {
    const sum = positiveSum(xs, s.input, window)
    const factor = dys[window.output] / sum
    for (let h = window.top; h < window.bottom; h++) {
      const row = (window.plane * H + h) * W
      for (let i = row + window.left; i < row + window.right; i++)
        if (xs[i] > 0) sums[i] += factor * (2 * xs[i] - ys[window.output])
    }
  })
  dx.array.set(sums)
}
