import type { Memory } from '../memory.js'

/** Activations that few nets have: one value in, one out. */
export interface ActivationKernels {
  /** y ← |x|. */
  absolute(n: number, x: Memory, y: Memory): void
  /** dx ← dy·sign(x), with sign(0) = 0. */
  absoluteGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← log(1 + eˣ). */
  bnll(n: number, x: Memory, y: Memory): void
  /** dx ← dy / (1 + e⁻ˣ). */
  bnllGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
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
