import type { Memory } from '../../lib/memory.js'

/** y ← |x|. */
export function absolute(n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.abs(xs[i])
}

/** dx ← dy·sign(x), with sign(0) = 0. */
export function absoluteGradient(n: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] * Math.sign(xs[i])
}

/** y ← log(1 + eˣ). */
export function bnll(n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.max(xs[i], 0) + Math.log1p(Math.exp(-Math.abs(xs[i])))
}

/** dx ← dy / (1 + e⁻ˣ). */
export function bnllGradient(n: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] / (1 + Math.exp(-xs[i]))
}

/** y ← x, but at least low and at most high. */
export function clip(n: number, low: number, high: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.max(low, Math.min(xs[i], high))
}

/** dx ← dy if low ≤ x ≤ high, else 0. */
export function clipGradient(n: number, low: number, high: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = xs[i] >= low && xs[i] <= high ? dys[i] : 0
}

/** y ← x if x > 0, else α·(eˣ − 1). */
export function elu(n: number, alpha: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] > 0 ? xs[i] : alpha * Math.expm1(xs[i])
}

/** dx ← dy if x > 0, else dy·α·eˣ. */
export function eluGradient(n: number, alpha: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = xs[i] > 0 ? dys[i] : dys[i] * alpha * Math.exp(xs[i])
}

/** y ← factor·e^(scale·x). */
export function exponential(n: number, scale: number, factor: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = factor * Math.exp(scale * xs[i])
}

/** dx ← dy·factor·scale·e^(scale·x). */
export function exponentialGradient(n: number, scale: number, factor: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] * factor * scale * Math.exp(scale * xs[i])
}

/** y ← factor·log(shift + scale·x). */
export function logarithm(n: number, scale: number, shift: number, factor: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = factor * Math.log(shift + scale * xs[i])
}

/** dx ← dy·factor·scale / (shift + scale·x). */
export function logarithmGradient(
  n: number,
  scale: number,
  shift: number,
  factor: number,
  x: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = (dys[i] * factor * scale) / (shift + scale * xs[i])
}

/** y ← (shift + scale·x)^exponent. */
export function power(n: number, exponent: number, scale: number, shift: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  if (exponent === 1) for (let i = 0; i < n; i++) ys[i] = shift + scale * xs[i]
  else if (exponent === 2) for (let i = 0; i < n; i++) ys[i] = (shift + scale * xs[i]) ** 2
  else for (let i = 0; i < n; i++) ys[i] = (shift + scale * xs[i]) ** exponent
}

/** dx ← dy·exponent·scale·(shift + scale·x)^(exponent − 1). */
export function powerGradient(
  n: number,
  exponent: number,
  scale: number,
  shift: number,
  x: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  const slope = exponent * scale
  if (exponent === 1) for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope
  else if (exponent === 2) for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope * (shift + scale * xs[i])
  else for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope * (shift + scale * xs[i]) ** (exponent - 1)
}

/** y ← x / (1 + e^(−β·x)). */
export function swish(n: number, beta: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] / (1 + Math.exp(-beta * xs[i]))
}

/** dx ← dy·(s + β·x·s·(1 − s)), with s = 1 / (1 + e^(−β·x)). */
export function swishGradient(n: number, beta: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) {
    const s = 1 / (1 + Math.exp(-beta * xs[i]))
    dxs[i] = dys[i] * (s + beta * xs[i] * s * (1 - s))
  }
}

/** y ← 1 if x > limit, else 0. */
export function threshold(n: number, limit: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] > limit ? 1 : 0
}
