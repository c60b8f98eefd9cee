import type { Kernels, LRNKernels } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, refuse } from '../../bounds.js'
import { lrnProblem } from '../../kernel_limits.js'
import { isSmallPower } from './kit.js'

/** What the module exports for them. */
export interface LrnExports {
  lrnAcross(
    batch: number,
    channels: number,
    plane: number,
    size: number,
    alpha: number,
    beta: number,
    k: number,
    x: number,
    scale: number,
    y: number,
  ): void
  lrnAcrossGradient(
    batch: number,
    channels: number,
    plane: number,
    size: number,
    alpha: number,
    beta: number,
    x: number,
    scale: number,
    dy: number,
    ratio: number,
    dx: number,
  ): void
  lrnWithin(
    planes: number,
    height: number,
    width: number,
    size: number,
    alpha: number,
    beta: number,
    x: number,
    scale: number,
    y: number,
  ): void
  lrnWithinGradient(
    planes: number,
    height: number,
    width: number,
    size: number,
    alpha: number,
    beta: number,
    x: number,
    scale: number,
    dy: number,
    ratio: number,
    dx: number,
  ): void
}

/** These kernels of the contract as calls of the module. */
export function bindLrn(wasm: LrnExports, plain: LRNKernels) {
  return {
    lrnAcross(s, x, scale, y) {
      const { batch, channels, height, width, size, alpha, beta, k } = s
      if (isSmallPower(beta))
        wasm.lrnAcross(batch, channels, height * width, size, alpha, beta, k, x.pointer, scale.pointer, y.pointer)
      else plain.lrnAcross(s, x, scale, y)
    },
    lrnAcrossGradient(s, x, scale, dy, ratio, dx) {
      const { batch, channels, height, width, size, alpha, beta } = s
      if (!isSmallPower(beta)) return plain.lrnAcrossGradient(s, x, scale, dy, ratio, dx)
      const [px, ps, py] = [x.pointer, scale.pointer, dy.pointer]
      wasm.lrnAcrossGradient(batch, channels, height * width, size, alpha, beta, px, ps, py, ratio.pointer, dx.pointer)
    },
    lrnWithin(s, x, scale, y) {
      const { batch, channels, height, width, size, alpha, beta } = s
      if (isSmallPower(beta))
        wasm.lrnWithin(batch * channels, height, width, size, alpha, beta, x.pointer, scale.pointer, y.pointer)
      else plain.lrnWithin(s, x, scale, y)
    },
    lrnWithinGradient(s, x, scale, dy, ratio, dx) {
      const { batch, channels, height, width, size, alpha, beta } = s
      if (!isSmallPower(beta)) return plain.lrnWithinGradient(s, x, scale, dy, ratio, dx)
      const [px, ps, py] = [x.pointer, scale.pointer, dy.pointer]
      wasm.lrnWithinGradient(batch * channels, height, width, size, alpha, beta, px, ps, py, ratio.pointer, dx.pointer)
    },
  } satisfies LRNKernels
}

function normalized(s: Parameters<Kernels['lrnAcross']>[0], ...memories: Memory[]): void {
  const problem = lrnProblem(s)
  if (problem !== undefined) refuse(problem)
  const all = count(s.batch, s.channels, s.height, s.width)
  for (const memory of memories) need(memory, all)
}

/** What stands before these kernels. */
export const lrnBounds = {
  lrnAcross: normalized,
  lrnAcrossGradient: normalized,
  lrnWithin: normalized,
  lrnWithinGradient: normalized,
} satisfies Partial<Bounds>
