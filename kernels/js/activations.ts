import type { Memory } from '../../lib/memory.js'

export function absolute(n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.abs(xs[i])
}

export function absoluteGradient(n: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] * Math.sign(xs[i])
}

export function bnll(n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.max(xs[i], 0) + Math.log1p(Math.exp(-Math.abs(xs[i])))
}

export function bnllGradient(n: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] / (1 + Math.exp(-xs[i]))
}

export function elu(n: number, alpha: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] > 0 ? xs[i] : alpha * Math.expm1(xs[i])
}

export function eluGradient(n: number, alpha: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = xs[i] > 0 ? dys[i] : dys[i] * alpha * Math.exp(xs[i])
}

export function exponential(n: number, scale: number, factor: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = factor * Math.exp(scale * xs[i])
}

export function exponentialGradient(n: number, scale: number, factor: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] * factor * scale * Math.exp(scale * xs[i])
}

export function logarithm(n: number, scale: number, shift: number, factor: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = factor * Math.log(shift + scale * xs[i])
}

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

export function swish(n: number, beta: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] / (1 + Math.exp(-beta * xs[i]))
}

export function swishGradient(n: number, beta: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) {
    const s = 1 / (1 + Math.exp(-beta * xs[i]))
    dxs[i] = dys[i] * (s + beta * xs[i] * s * (1 - s))
  }
}

export function threshold(n: number, limit: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] > limit ? 1 : 0
}

export function hardSigmoid(n: number, alpha: number, beta: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.max(0, Math.min(alpha * xs[i] + beta, 1))
}

export function hardSigmoidGradient(n: number, alpha: number, beta: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) {
    const h = alpha * xs[i] + beta
    dxs[i] = h > 0 && h < 1 ? dys[i] * alpha : 0
  }
}

export function mish(n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) {
    const { ratio } = mishTerms(xs[i])
    ys[i] = xs[i] * ratio
  }
}

export function mishGradient(n: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) {
    const { ratio, slope } = mishTerms(xs[i])
    dxs[i] = dys[i] * (ratio + xs[i] * slope)
  }
}

/** tanh(log(1 + w)) = q / (q + 2) with w = eˣ, q = w·(w + 2), and its derivative; from 20 on they are 1 and 0. */
function mishTerms(x: number): { ratio: number; slope: number } {
  const w = Math.exp(Math.min(x, 20))
  const q = w * (w + 2)
  return { ratio: q / (q + 2), slope: (4 * w * (1 + w)) / ((q + 2) * (q + 2)) }
}
