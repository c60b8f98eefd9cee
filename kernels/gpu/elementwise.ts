import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'

/** α·x. */
const scaled = gpuKernel('axpby, β = 0', function (x: Tensor, alpha: number) {
  return alpha * x[this.thread.z][this.thread.y][this.thread.x]
})
/** α·x + β·y. */
const sumOfTwo = gpuKernel('axpby', function (x: Tensor, alpha: number, y: Tensor, beta: number) {
  return alpha * x[this.thread.z][this.thread.y][this.thread.x] + beta * y[this.thread.z][this.thread.y][this.thread.x]
})
/** a·b. */
const product = gpuKernel('multiply', function (a: Tensor, b: Tensor) {
  return a[this.thread.z][this.thread.y][this.thread.x] * b[this.thread.z][this.thread.y][this.thread.x]
})

// copyRows reads its tensors as (rows, stride / unit, unit); all offsets and widths are whole units

/** y, but x in its `width` units from `to` on, rows firstTo … firstTo + rows − 1. */
const replacedUnits = gpuKernel('copyRows, into y', function (x: Tensor, y: Tensor) {
  const r = this.thread.z - this.constants.firstTo
  const u = this.thread.y - this.constants.to
  let value = y[this.thread.z][this.thread.y][this.thread.x]
  if (r >= 0 && r < this.constants.rows && u >= 0 && u < this.constants.width)
    value = x[r + this.constants.firstFrom][u + this.constants.from][this.thread.x]
  return value
})
/** The units of x from `from` on. */
const takenUnits = gpuKernel('copyRows, all of y', function (x: Tensor) {
  return x[this.thread.z + this.constants.firstFrom][this.thread.y + this.constants.from][this.thread.x]
})

/** y[yOffset + r·yStride + i] ← x[xOffset + r·xStride + i] for r < rows, i < width. */
function copyRows(
  gpu: Gpu,
  rows: number,
  width: number,
  x: Memory,
  xOffset: number,
  xStride: number,
  y: Memory,
  yOffset: number,
  yStride: number,
): void {
  if (rows * width === 0) return
  // one row has no stride: any that holds it in one piece will do
  if (rows === 1) {
    xStride = pieceOf(x.length, xOffset, width)
    yStride = pieceOf(y.length, yOffset, width)
  }
  const unit = [width, xOffset, xStride, yOffset, yStride].reduce(commonDivisor)
  const source = { handle: gpu.handle(x), dims: [unit, xStride / unit, Math.ceil(x.length / xStride)] as const }
  const firstFrom = Math.floor(xOffset / xStride)
  const from = (xOffset % xStride) / unit
  const outRows = Math.ceil(y.length / yStride)
  const dims = [unit, yStride / unit, outRows] as const
  if (rows * width === y.length) {
    gpu.set(y, gpu.compute(takenUnits, [source], dims, { firstFrom, from }, y.length))
    return
  }
  const constants = {
    rows,
    width: width / unit,
    firstFrom,
    from,
    firstTo: Math.floor(yOffset / yStride),
    to: (yOffset % yStride) / unit,
  }
  gpu.set(y, gpu.compute(replacedUnits, [source, { handle: gpu.handle(y), dims }], dims, constants, y.length))
}

/**
 * The row length for one piece of `width` values at `offset`: its own where it lies at a multiple of it, else all
 * values.
 */
function pieceOf(length: number, offset: number, width: number): number {
  return offset % width === 0 && length % width === 0 ? width : length
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

export const elementwise = (gpu: Gpu): Partial<Kernels> => ({
  fill: (n, value, y) => gpu.set(y, gpu.queue.constant(n, value)),
  copy: (_n, x, y) => gpu.share(x, y),
  axpby(n, alpha, x, beta, y) {
    if (beta === 0 && alpha === 1) gpu.share(x, y)
    else if (beta === 0) gpu.map(scaled, n, [x, alpha], y)
    else gpu.map(sumOfTwo, n, [x, alpha, y, beta], y)
  },
  multiply: (n, a, b, y) => gpu.map(product, n, [a, b], y),
  copyRows: (...args) => copyRows(gpu, ...args),
})
