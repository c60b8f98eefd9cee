import type { LRNShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

export function lrnAcross(s: LRNShape, x: Memory, scale: Memory, y: Memory): void {
  const xs = x.array
  const scales = scale.array
  const ys = y.array
  const plane = s.height * s.width
  const reach = (s.size - 1) / 2
  const factor = s.alpha / s.size
  for (let n = 0; n < s.batch; n++) {
    for (let c = 0; c < s.channels; c++) {
      const here = (n * s.channels + c) * plane
      const first = (n * s.channels + Math.max(c - reach, 0)) * plane
      const last = (n * s.channels + Math.min(c + reach, s.channels - 1)) * plane
      for (let i = 0; i < plane; i++) {
        let sum = 0
        for (let k = first + i; k <= last + i; k += plane) sum += xs[k] * xs[k]
        scales[here + i] = s.k + factor * sum
      }
    }
  }
  normalize(s, xs, scales, ys)
}

export function lrnAcrossGradient(s: LRNShape, x: Memory, scale: Memory, dy: Memory, ratio: Memory, dx: Memory): void {
  const xs = x.array
  const ratios = ratio.array
  const dxs = dx.array
  const plane = s.height * s.width
  const reach = (s.size - 1) / 2
  const factor = (2 * s.alpha * s.beta) / s.size
  startGradient(s, xs, scale.array, dy.array, ratios, dxs)
  for (let n = 0; n < s.batch; n++) {
    for (let c = 0; c < s.channels; c++) {
      const here = (n * s.channels + c) * plane
      const first = (n * s.channels + Math.max(c - reach, 0)) * plane
      const last = (n * s.channels + Math.min(c + reach, s.channels - 1)) * plane
      for (let i = 0; i < plane; i++) {
        let sum = 0
        for (let k = first + i; k <= last + i; k += plane) sum += ratios[k]
        dxs[here + i] -= factor * xs[here + i] * sum
      }
    }
  }
}

export function lrnWithin(s: LRNShape, x: Memory, scale: Memory, y: Memory): void {
  const xs = x.array
  const scales = scale.array
  const factor = s.alpha / (s.size * s.size)
  const reach = (s.size - 1) / 2
  for (let p = 0, o = 0; p < s.batch * s.channels; p++) {
    for (let h = 0; h < s.height; h++) {
      const top = Math.max(h - reach, 0)
      const bottom = Math.min(h + reach, s.height - 1)
      for (let w = 0; w < s.width; w++, o++) {
        const left = Math.max(w - reach, 0)
        const right = Math.min(w + reach, s.width - 1)
        let sum = 0
        for (let r = top; r <= bottom; r++) {
          const row = (p * s.height + r) * s.width
          for (let k = row + left; k <= row + right; k++) sum += xs[k] * xs[k]
        }
        scales[o] = 1 + factor * sum
      }
    }
  }
  normalize(s, xs, scales, y.array)
}

export function lrnWithinGradient(s: LRNShape, x: Memory, scale: Memory, dy: Memory, ratio: Memory, dx: Memory): void {
  const xs = x.array
  const ratios = ratio.array
  const dxs = dx.array
  const factor = (2 * s.alpha * s.beta) / (s.size * s.size)
  const reach = (s.size - 1) / 2
  startGradient(s, xs, scale.array, dy.array, ratios, dxs)
  for (let p = 0, o = 0; p < s.batch * s.channels; p++) {
    for (let h = 0; h < s.height; h++) {
      const top = Math.max(h - reach, 0)
      const bottom = Math.min(h + reach, s.height - 1)
      for (let w = 0; w < s.width; w++, o++) {
        const left = Math.max(w - reach, 0)
        const right = Math.min(w + reach, s.width - 1)
        let sum = 0
        for (let r = top; r <= bottom; r++) {
          const row = (p * s.height + r) * s.width
          for (let k = row + left; k <= row + right; k++) sum += ratios[k]
        }
        dxs[o] -= factor * xs[o] * sum
      }
    }
  }
}

/** y ← x·scale^−β. */
function normalize(s: LRNShape, xs: Float32Array, scales: Float32Array, ys: Float32Array): void {
  const n = s.batch * s.channels * s.height * s.width
  for (let i = 0; i < n; i++) ys[i] = xs[i] * scales[i] ** -s.beta
}

/** The part of both gradients that needs no neighbours: dx ← dy·scale^−β, ratio ← dx·x / scale. */
function startGradient(
  s: LRNShape,
  xs: Float32Array,
  scales: Float32Array,
  dys: Float32Array,
  ratios: Float32Array,
  dxs: Float32Array,
): void {
  const n = s.batch * s.channels * s.height * s.width
  for (let i = 0; i < n; i++) {
    const direct = dys[i] * scales[i] ** -s.beta
    ratios[i] = (direct * xs[i]) / scales[i]
    dxs[i] = direct
  }
}
