import type { InterpShape, TapsShape, UnpoolShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

/** Between which two of `size` places each of `output` places lies, and how far: single precision, as Caffe's forks. */
function between(size: number, output: number): { from: Int32Array; to: Int32Array; share: Float32Array } {
  const step = Math.fround(output > 1 ? Math.fround(size - 1) / Math.fround(output - 1) : 0)
  const from = new Int32Array(output)
  const to = new Int32Array(output)
  const share = new Float32Array(output)
  for (let i = 0; i < output; i++) {
    const place = Math.fround(step * i)
    from[i] = Math.min(Math.floor(place), size - 1)
    to[i] = Math.min(from[i] + 1, size - 1)
    share[i] = place - from[i]
  }
  return { from, to, share }
}

/** v·share; where a place has no share of a value that is not finite either, as 0·∞ is no number. */
const part = (v: number, share: number): number => (share === 0 ? 0 : v * share)

export function interp(
  { planes, input: [H, W], offset, size, output: [OH, OW] }: InterpShape,
  x: Memory,
  y: Memory,
): void {
  const xs = x.array
  const ys = y.array
  const rows = between(size[0], OH)
  const columns = between(size[1], OW)
  for (let p = 0, o = 0; p < planes; p++) {
    const first = (p * H + offset[0]) * W + offset[1]
    for (let i = 0; i < OH; i++) {
      const above = first + rows.from[i] * W
      const below = first + rows.to[i] * W
      const v = rows.share[i]
      for (let j = 0; j < OW; j++, o++) {
        const left = columns.from[j]
        const right = columns.to[j]
        const u = columns.share[j]
        ys[o] =
          part(part(xs[above + left], 1 - u) + part(xs[above + right], u), 1 - v) +
          part(part(xs[below + left], 1 - u) + part(xs[below + right], u), v)
      }
    }
  }
}

export function interpGradient(s: InterpShape, dy: Memory, dx: Memory): void {
  const { planes, offset, size } = s
  const [[H, W], [OH, OW]] = [s.input, s.output]
  const dys = dy.array
  const dxs = dx.array
  const rows = between(size[0], OH)
  const columns = between(size[1], OW)
  const sums = new Float64Array(H * W)
  for (let p = 0, o = 0; p < planes; p++) {
    sums.fill(0)
    for (let i = 0; i < OH; i++) {
      const above = (offset[0] + rows.from[i]) * W + offset[1]
      const below = (offset[0] + rows.to[i]) * W + offset[1]
      const v = rows.share[i]
      for (let j = 0; j < OW; j++, o++) {
        const left = columns.from[j]
        const right = columns.to[j]
        const u = columns.share[j]
        sums[above + left] += part(dys[o], (1 - v) * (1 - u))
        sums[above + right] += part(dys[o], (1 - v) * u)
        sums[below + left] += part(dys[o], v * (1 - u))
        sums[below + right] += part(dys[o], v * u)
      }
    }
    dxs.set(sums, p * H * W)
  }
}

export function unpool({ planes, places, size }: UnpoolShape, x: Memory, mask: Memory, y: Memory): void {
  const xs = x.array
  const masks = mask.array
  const ys = y.array.fill(0, 0, planes * size)
  for (let p = 0, i = 0; p < planes; p++) {
    for (const end = i + places; i < end; i++) {
      const place = Math.trunc(masks[i])
      if (place >= 0 && place < size) ys[p * size + place] = xs[i]
    }
  }
}

export function unpoolGradient({ planes, places, size }: UnpoolShape, dy: Memory, mask: Memory, dx: Memory): void {
  const dys = dy.array
  const masks = mask.array
  const dxs = dx.array
  for (let p = 0, i = 0; p < planes; p++) {
    for (const end = i + places; i < end; i++) {
      const place = Math.trunc(masks[i])
      dxs[i] = place >= 0 && place < size ? dys[p * size + place] : 0
    }
  }
}

export function enlarge(planes: number, height: number, width: number, factor: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  const wide = width * factor
  for (let row = 0, i = 0; row < planes * height; row++) {
    const first = row * factor * wide
    for (let o = first; o < first + wide; i++) for (let k = 0; k < factor; k++) ys[o++] = xs[i]
    for (let k = 1; k < factor; k++) ys.copyWithin(first + k * wide, first, first + wide)
  }
}

export function enlargeGradient(
  planes: number,
  height: number,
  width: number,
  factor: number,
  dy: Memory,
  dx: Memory,
): void {
  const dys = dy.array
  const dxs = dx.array
  const wide = width * factor
  for (let row = 0, i = 0; row < planes * height; row++) {
    for (let j = 0; j < width; j++, i++) {
      let sum = 0
      for (let k = 0; k < factor; k++) {
        const first = (row * factor + k) * wide + j * factor
        for (let o = first; o < first + factor; o++) sum += dys[o]
      }
      dxs[i] = sum
    }
  }
}

export function mixAxis(s: TapsShape, from: Memory, weight: Memory, x: Memory, y: Memory): void {
  const { outer, size, out, inner, taps, nothing } = s
  const [places, weights, xs, ys] = [from.array, weight.array, x.array, y.array]
  for (let o = 0, to = 0; o < outer; o++) {
    for (let j = 0; j < out; j++) {
      for (let i = 0; i < inner; i++, to++) {
        let sum = 0
        let found = 0
        for (let t = j * taps; t < (j + 1) * taps; t++) {
          if (!(places[t] >= 0 && places[t] < size)) continue
          const value = weights[t] * xs[(o * size + places[t]) * inner + i]
          // alone a value is itself, −0 too
          sum = found++ ? sum + value : value
        }
        ys[to] = found ? sum : nothing
      }
    }
  }
}
