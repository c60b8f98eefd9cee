/** Poolings that the engine does itself between primitives: kernels/wasm/blocked_pooling.ts. */
import type { PoolOp } from './graph.js'
import type { Pooled } from './primitives.js'

const METHODS: Record<Pooled, number> = { max: 0, mean: 1, 'mean inside': 2 }
/** Values of a block that the kernel reads. */
export const POOLED_BLOCK = 8

/**
 * With blocks of 8 the library's windows of 2×2 and 3×3 take two to six times as long as the engine's own, on four
 * lanes (version 2.6, Zen 3). One window alone, whose sum is a chain of additions, is the library's.
 */
export const poolsItself = ({ y: { extent } }: PoolOp, block: number): boolean =>
  block === POOLED_BLOCK && extent.height * extent.width > 1

/** What the kernel reads behind the places of x and y. */
export function poolingOf({ method, window, x, y }: PoolOp, blocks: number): number[] {
  const sizes = [x.extent, y.extent].flatMap(({ height, width }) => [height, width])
  return [blocks, METHODS[method], ...sizes, ...window.kernel, ...window.stride, ...window.pad]
}
