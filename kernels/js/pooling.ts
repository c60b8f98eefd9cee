import type { PoolingShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { eachWindow } from './windows.js'

/** Where an empty maximum starts: −FLT_MAX. */
const LOWEST = -3.4028234663852886e38

export function maxPool(s: PoolingShape, x: Memory, y: Memory, mask: Memory | null): void {
  const xs = x.array
  const ys = y.array
  const masks = mask?.array
  const [H, W] = s.input
  eachWindow(s, ({ plane, output, top, bottom, left, right }) => {
    let best = LOWEST
    let index = -1
    for (let h = top; h < bottom; h++) {
      for (let i = h * W + left; i < h * W + right; i++) {
        const value = xs[plane * H * W + i]
        if (value > best) {
          best = value
          index = i
        }
      }
    }
    ys[output] = best
    if (masks) masks[output] = index
  })
}

export function maxPoolGradient(s: PoolingShape, dy: Memory, mask: Memory, dx: Memory): void {
  const dys = dy.array
  const masks = mask.array
  const dxs = dx.array
  const inPlane = s.input[0] * s.input[1]
  const outPlane = s.output[0] * s.output[1]
  const sums = new Float64Array(inPlane)
  for (let plane = 0, o = 0; plane < s.planes; plane++) {
    sums.fill(0)
    for (let i = 0; i < outPlane; i++, o++) if (masks[o] >= 0) sums[masks[o]] += dys[o]
    dxs.set(sums, plane * inPlane)
  }
}

export function averagePool(s: PoolingShape, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  const [H, W] = s.input
  eachWindow(s, ({ plane, output, top, bottom, left, right, area }) => {
    let sum = 0
    for (let h = top; h < bottom; h++) {
      const row = (plane * H + h) * W
      for (let w = left; w < right; w++) sum += xs[row + w]
    }
    ys[output] = area > 0 ? sum / area : 0
  })
}

export function averagePoolGradient(s: PoolingShape, dy: Memory, dx: Memory): void {
  const dys = dy.array
  const dxs = dx.array
  const [H, W] = s.input
  const sums = new Float64Array(s.planes * H * W)
  eachWindow(s, ({ plane, output, top, bottom, left, right, area }) => {
    const share = dys[output] / area
    for (let h = top; h < bottom; h++) {
      const row = (plane * H + h) * W
      for (let w = left; w < right; w++) sums[row + w] += share
    }
  })
  dxs.set(sums)
}
