import type { Memory } from '../memory.js'
import type { RandomStream } from '../rng.js'

/** Elementwise over (n); x and y, dy and dx may be the same memory. */
export interface NeuronKernels {
  /** y ← x if x > 0, else slope·x. */
  relu(n: number, slope: number, x: Memory, y: Memory): void
  /** dx ← dy if x > 0, else slope·dy. */
  reluGradient(n: number, slope: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← 1 / (1 + e⁻ˣ). */
  sigmoid(n: number, x: Memory, y: Memory): void
  /** dx ← dy·y·(1 − y). */
  sigmoidGradient(n: number, y: Memory, dy: Memory, dx: Memory): void
  /** y ← tanh x. */
  tanh(n: number, x: Memory, y: Memory): void
  /** dx ← dy·(1 − y²). */
  tanhGradient(n: number, y: Memory, dy: Memory, dx: Memory): void
  /** mask ← 0 with probability `ratio`, else 1/(1 − ratio); value i uses uint32 number i of the stream's iteration. */
  dropoutMask(n: number, ratio: number, stream: RandomStream, mask: Memory): void
  /** y ← x, but at least low and at most high. */
  clip(n: number, low: number, high: number, x: Memory, y: Memory): void
  /** dx ← dy if low ≤ x ≤ high, else 0. */
  clipGradient(n: number, low: number, high: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← (shift + scale·x)^exponent. */
  power(n: number, exponent: number, scale: number, shift: number, x: Memory, y: Memory): void
  /** dx ← dy·exponent·scale·(shift + scale·x)^(exponent − 1). */
  powerGradient(n: number, exponent: number, scale: number, shift: number, x: Memory, dy: Memory, dx: Memory): void
}
