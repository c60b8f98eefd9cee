import type { ElementwiseKernels } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, each, need, refuse } from '../../bounds.js'
import { type AfterExports, fusing } from '../after.js'
import { bindDirect, type DirectExports } from './kit.js'

/** Inputs of an eltwise call that the module has room for. */
const MOST_INPUTS = 64

const direct = ['fill', 'copy', 'axpby', 'multiply', 'eltwiseMaxGradient'] as const

/** What the module exports for them. */
export interface ElementwiseExports extends DirectExports<typeof direct> {
  /** Names input k, below 64, of the next eltwise call. */
  eltwiseInput(k: number, x: number, coefficient: number): void
  copyRows(rows: number, width: number, x: number, xStride: number, y: number, yStride: number): void
  eltwiseSum(n: number, count: number, y: number): void
  eltwiseProduct(n: number, count: number, y: number): void
  eltwiseMax(n: number, count: number, y: number, mask: number): void
  eltwiseProductGradient(n: number, count: number, index: number, dy: number, dx: number): void
}

/** These kernels of the contract as calls of the module. */
export function bindElementwise(wasm: ElementwiseExports & AfterExports, plain: ElementwiseKernels) {
  const { begin, end } = fusing(wasm)
  /** Names the inputs of the next eltwise call; false if there are more than it has room for. */
  const takeInputs = (xs: readonly Memory[], coefficients?: readonly number[]): boolean => {
    if (xs.length > MOST_INPUTS) return false
    for (let k = 0; k < xs.length; k++) wasm.eltwiseInput(k, xs[k].pointer, coefficients ? coefficients[k] : 1)
    return true
  }

  return {
    ...bindDirect(wasm, direct),
    copyRows(rows, width, x, xOffset, xStride, y, yOffset, yStride) {
      wasm.copyRows(rows, width, x.pointer + 4 * xOffset, xStride, y.pointer + 4 * yOffset, yStride)
    },
    eltwiseSum(n, xs, coefficients, y, after) {
      if (!takeInputs(xs, coefficients)) return plain.eltwiseSum(n, xs, coefficients, y, after)
      const py = y.pointer
      begin(after)
      try {
        wasm.eltwiseSum(n, xs.length, py)
      } finally {
        end(after)
      }
    },
    eltwiseProduct(n, xs, y) {
      if (takeInputs(xs)) wasm.eltwiseProduct(n, xs.length, y.pointer)
      else plain.eltwiseProduct(n, xs, y)
    },
    eltwiseMax(n, xs, y, mask) {
      if (takeInputs(xs)) wasm.eltwiseMax(n, xs.length, y.pointer, mask.pointer)
      else plain.eltwiseMax(n, xs, y, mask)
    },
    eltwiseProductGradient(n, index, xs, dy, dx) {
      if (takeInputs(xs)) wasm.eltwiseProductGradient(n, xs.length, index, dy.pointer, dx.pointer)
      else plain.eltwiseProductGradient(n, index, xs, dy, dx)
    },
  } satisfies ElementwiseKernels
}

/** What stands before these kernels. */
export const elementwiseBounds = {
  fill: each,
  copy: each,
  axpby: each,
  multiply: each,
  copyRows(rows, width, x, xOffset, xStride, y, yOffset, yStride) {
    if (count(rows, width) === 0) return
    count(xOffset, xStride, yOffset, yStride)
    need(x, xOffset + (rows - 1) * xStride + width)
    need(y, yOffset + (rows - 1) * yStride + width)
  },
  eltwiseSum(n, xs, coefficients, y) {
    if (coefficients.length < xs.length) refuse(`${xs.length} inputs have ${coefficients.length} coefficients`)
    for (const x of xs) need(x, count(n))
    need(y, count(n))
  },
  eltwiseProduct(n, xs, y) {
    for (const x of xs) need(x, count(n))
    need(y, count(n))
  },
  eltwiseMax(n, xs, y, mask) {
    for (const x of xs) need(x, count(n))
    need(y, count(n))
    need(mask, n)
  },
  eltwiseMaxGradient: each,
  eltwiseProductGradient(n, _index, xs, dy, dx) {
    for (const x of xs) need(x, count(n))
    need(dy, count(n))
    need(dx, n)
  },
} satisfies Partial<Bounds>
