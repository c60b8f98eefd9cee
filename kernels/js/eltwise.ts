import type { After } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { applyAfter } from './after.js'

export function eltwiseSum(
  n: number,
  xs: readonly Memory[],
  coefficients: readonly number[],
  y: Memory,
  after?: After,
): void {
  const arrays = xs.map(x => x.array)
  const ys = y.array
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let k = 0; k < arrays.length; k++) sum += coefficients[k] * arrays[k][i]
    ys[i] = sum
  }
  applyAfter(n, after, y)
}

export function eltwiseProduct(n: number, xs: readonly Memory[], y: Memory): void {
  const arrays = xs.map(x => x.array)
  const ys = y.array
  for (let i = 0; i < n; i++) {
    let product = 1
    for (let k = 0; k < arrays.length; k++) product *= arrays[k][i]
    ys[i] = product
  }
}

export function eltwiseProductGradient(n: number, index: number, xs: readonly Memory[], dy: Memory, dx: Memory): void {
  const arrays = xs.map(x => x.array)
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) {
    let product = dys[i]
    for (let k = 0; k < arrays.length; k++) if (k !== index) product *= arrays[k][i]
    dxs[i] = product
  }
}

export function eltwiseMax(n: number, xs: readonly Memory[], y: Memory, mask: Memory): void {
  const arrays = xs.map(x => x.array)
  const ys = y.array
  const masks = mask.array
  for (let i = 0; i < n; i++) {
    let best = arrays[0][i]
    let from = 0
    for (let k = 1; k < arrays.length; k++) {
      const value = arrays[k][i]
      // Caffe compares the first pair with >, all later ones the other way round
      if (k === 1 ? !(best > value) : value > best) {
        best = value
        from = k
      }
    }
    ys[i] = best
    masks[i] = from
  }
}

export function eltwiseMaxGradient(n: number, index: number, mask: Memory, dy: Memory, dx: Memory): void {
  const masks = mask.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = masks[i] === index ? dys[i] : 0
}
