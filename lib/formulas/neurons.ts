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
  /** y ← |x|. */
  absolute(n: number, x: Memory, y: Memory): void
  /** dx ← dy·sign(x), with sign(0) = 0. */
  absoluteGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← log(1 + eˣ). */
  bnll(n: number, x: Memory, y: Memory): void
  /** dx ← dy / (1 + e⁻ˣ). */
  bnllGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x, but at least low and at most high. */
  clip(n: number, low: number, high: number, x: Memory, y: Memory): void
  /** dx ← dy if low ≤ x ≤ high, else 0. */
  clipGradient(n: number, low: number, high: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x if x > 0, else α·(eˣ − 1). */
  elu(n: number, alpha: number, x: Memory, y: Memory): void
  /** dx ← dy if x > 0, else dy·α·eˣ. */
  eluGradient(n: number, alpha: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← factor·e^(scale·x). */
  exponential(n: number, scale: number, factor: number, x: Memory, y: Memory): void
  /** dx ← dy·factor·scale·e^(scale·x). */
  exponentialGradient(n: number, scale: number, factor: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← factor·log(shift + scale·x). */
  logarithm(n: number, scale: number, shift: number, factor: number, x: Memory, y: Memory): void
  /** dx ← dy·factor·scale / (shift + scale·x). */
  logarithmGradient(n: number, scale: number, shift: number, factor: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← (shift + scale·x)^exponent. */
  power(n: number, exponent: number, scale: number, shift: number, x: Memory, y: Memory): void
  /** dx ← dy·exponent·scale·(shift + scale·x)^(exponent − 1). */
  powerGradient(n: number, exponent: number, scale: number, shift: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x / (1 + e^(−β·x)). */
  swish(n: number, beta: number, x: Memory, y: Memory): void
  /** dx ← dy·(s + β·x·s·(1 − s)), with s = 1 / (1 + e^(−β·x)). */
  swishGradient(n: number, beta: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← α·x + β, but at least 0 and at most 1. */
  hardSigmoid(n: number, alpha: number, beta: number, x: Memory, y: Memory): void
  /** dx ← dy·α if 0 < α·x + β < 1, else 0. */
  hardSigmoidGradient(n: number, alpha: number, beta: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x·h, with h = α·x + β, but at least 0 and at most 1. */
  hardSwish(n: number, alpha: number, beta: number, x: Memory, y: Memory): void
  /** dx ← dy·(h + α·x if 0 < α·x + β < 1, else h), with h = α·x + β, but at least 0 and at most 1. */
  hardSwishGradient(n: number, alpha: number, beta: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x·tanh(log(1 + eˣ)). */
  mish(n: number, x: Memory, y: Memory): void
  /** dx ← dy·(t + x·s·(1 − t²)), with t = tanh(log(1 + eˣ)), s = 1 / (1 + e⁻ˣ). */
  mishGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← 1 if x > limit, else 0. */
  threshold(n: number, limit: number, x: Memory, y: Memory): void
}
