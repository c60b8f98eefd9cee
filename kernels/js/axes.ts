import type { CropShape, Reduction } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

export function reduce(
  operation: Reduction,
  outer: number,
  inner: number,
  coefficient: number,
  x: Memory,
  y: Memory,
): void {
  const xs = x.array
  const ys = y.array
  for (let o = 0, k = 0; o < outer; o++) {
    const end = k + inner
    let sum = 0
    if (operation === 'SUM') for (; k < end; k++) sum += xs[k]
    else if (operation === 'ASUM') for (; k < end; k++) sum += Math.abs(xs[k])
    else for (; k < end; k++) sum += xs[k] * xs[k]
    ys[o] = coefficient * sum
  }
}

export function reduceGradient(
  operation: Reduction,
  outer: number,
  inner: number,
  coefficient: number,
  x: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const dys = dy.array
  const dxs = dx.array
  // a sum does not need x, so it is not asked for: on a device that would be a transfer
  const xs = operation === 'SUM' ? dxs : x.array
  for (let o = 0, k = 0; o < outer; o++) {
    const end = k + inner
    const value = coefficient * dys[o]
    if (operation === 'SUM') for (; k < end; k++) dxs[k] = value
    else if (operation === 'ASUM') for (; k < end; k++) dxs[k] = value * Math.sign(xs[k])
    else for (; k < end; k++) dxs[k] = 2 * value * xs[k]
  }
}

export function sumMiddle(outer: number, middle: number, inner: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let sum = 0
      for (let m = 0, k = o * middle * inner + i; m < middle; m++, k += inner) sum += xs[k]
      ys[o * inner + i] = sum
    }
  }
}

export function crop(s: CropShape, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  eachRow(s, (inner, outer, width) => {
    for (let i = 0; i < width; i++) ys[inner + i] = xs[outer + i]
  })
}

export function cropGradient(s: CropShape, dy: Memory, dx: Memory): void {
  const dys = dy.array
  const dxs = dx.array
  dxs.fill(0)
  eachRow(s, (inner, outer, width) => {
    for (let i = 0; i < width; i++) dxs[outer + i] = dys[inner + i]
  })
}

/** Visits the rows of the block: where each starts in the block and in the whole, and how long it is. */
function eachRow(s: CropShape, visit: (inner: number, outer: number, width: number) => void): void {
  const last = s.input.length - 1
  const visitAxis = (axis: number, inner: number, outer: number): void => {
    if (axis === last) {
      visit(inner * s.output[axis], outer * s.input[axis] + s.offset[axis], s.output[axis])
      return
    }
    for (let i = 0; i < s.output[axis]; i++)
      visitAxis(axis + 1, inner * s.output[axis] + i, outer * s.input[axis] + s.offset[axis] + i)
  }
  visitAxis(0, 0, 0)
}

export function permute(shape: readonly number[], order: readonly number[], x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  const sizes = order.map(axis => shape[axis])
  const steps = order.map(axis => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const places = sizes.map(() => 0)
  const count = sizes.reduce((a, b) => a * b, 1)
  for (let k = 0, from = 0; k < count; k++) {
    ys[k] = xs[from]
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis]
      if (++places[axis] < sizes[axis]) break
      places[axis] = 0
      from -= sizes[axis] * steps[axis]
    }
  }
}
