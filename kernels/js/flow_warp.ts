import type { FlowWarpShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

/** Where a flow leads: the place of the pixel at the upper left of it, −1 outside; steps to its neighbours, and shares. */
interface Target {
  place: number
  right: number
  down: number
  /** How far it is from the pixel to the right, and to the one below. */
  u: number
  v: number
}

const target: Target = { place: -1, right: 0, down: 0, u: 0, v: 0 }

function follow({ height, width }: FlowWarpShape, flow: Float32Array, n: number, at: number): Target {
  const plane = height * width
  const x = (at % width) + flow[2 * n * plane + at]
  const y = Math.floor(at / width) + flow[(2 * n + 1) * plane + at]
  if (!(x >= 0 && y >= 0 && x < width && y < height)) {
    target.place = -1
    return target
  }
  const left = Math.trunc(x)
  const above = Math.trunc(y)
  target.place = above * width + left
  // at the right and lower edge a pixel is its own neighbour
  target.right = left + 1 < width ? 1 : 0
  target.down = above + 1 < height ? width : 0
  target.u = x - left
  target.v = y - above
  return target
}

export function flowWarp(s: FlowWarpShape, x: Memory, flow: Memory, y: Memory): void {
  const [xs, flows, ys] = [x.array, flow.array, y.array]
  const plane = s.height * s.width
  for (let n = 0; n < s.batch; n++)
    for (let at = 0; at < plane; at++) {
      const { place, right, down, u, v } = follow(s, flows, n, at)
      for (let c = 0; c < s.channels; c++) {
        const first = (n * s.channels + c) * plane
        const p = first + place
        ys[first + at] =
          place < 0
            ? s.outside
            : (1 - v) * ((1 - u) * xs[p] + u * xs[p + right]) + v * ((1 - u) * xs[p + down] + u * xs[p + down + right])
      }
    }
}

export function flowWarpGradient(s: FlowWarpShape, flow: Memory, dy: Memory, dx: Memory): void {
  const [flows, dys] = [flow.array, dy.array]
  const plane = s.height * s.width
  const sums = new Float64Array(s.batch * s.channels * plane)
  for (let n = 0; n < s.batch; n++)
    for (let at = 0; at < plane; at++) {
      const { place, right, down, u, v } = follow(s, flows, n, at)
      if (place < 0) continue
      for (let c = 0; c < s.channels; c++) {
        const first = (n * s.channels + c) * plane
        const p = first + place
        const slope = dys[first + at]
        sums[p] += (1 - v) * (1 - u) * slope
        sums[p + right] += (1 - v) * u * slope
        sums[p + down] += v * (1 - u) * slope
        sums[p + down + right] += v * u * slope
      }
    }
  dx.array.set(sums)
}

export function flowWarpFlowGradient(s: FlowWarpShape, x: Memory, flow: Memory, dy: Memory, dflow: Memory): void {
  const [xs, flows, dys, dflows] = [x.array, flow.array, dy.array, dflow.array]
  const plane = s.height * s.width
  for (let n = 0; n < s.batch; n++)
    for (let at = 0; at < plane; at++) {
      const { place, right, down, u, v } = follow(s, flows, n, at)
      let across = 0
      let along = 0
      for (let c = 0; c < (place < 0 ? 0 : s.channels); c++) {
        const first = (n * s.channels + c) * plane
        const p = first + place
        const slope = dys[first + at]
        across += slope * ((1 - v) * (xs[p + right] - xs[p]) + v * (xs[p + down + right] - xs[p + down]))
        along += slope * ((1 - u) * (xs[p + down] - xs[p]) + u * (xs[p + down + right] - xs[p + right]))
      }
      dflows[2 * n * plane + at] = across
      dflows[(2 * n + 1) * plane + at] = along
    }
}
