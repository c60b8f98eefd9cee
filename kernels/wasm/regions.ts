/** Pooling of regions: chunks are planes of y, or of dx, each of which walks through the regions in their order. */
import { CHUNK_VALUES } from './elementwise'
import { job, needWorkspace, run } from './threads'
import { bytes, ceilDiv, larger, smaller } from './vector'

@unmanaged
class Regions {
  regions: i32
  batch: i32
  channels: i32
  H: i32
  W: i32
  PH: i32
  PW: i32
  samples: i32
  scale: f32
  /** Planes of a chunk. */
  block: i32
  x: usize
  rois: usize
  y: usize
  mask: usize
}

@inline
function described(): Regions {
  return changetype<Regions>(job)
}

/** Sizes of the next call; `samples` is for roiAlign. */
export function regionShape(
  regions: i32,
  batch: i32,
  channels: i32,
  H: i32,
  W: i32,
  PH: i32,
  PW: i32,
  scale: f32,
  samples: i32,
): void {
  const s = described()
  s.regions = regions
  s.batch = batch
  s.channels = channels
  s.H = H
  s.W = W
  s.PH = PH
  s.PW = PW
  s.scale = scale
  s.samples = samples
}

/** How many chunks there are of `planes`, each about `work` values. */
function begin(planes: i32, work: i32, x: usize, rois: usize, y: usize, mask: usize): i32 {
  const s = described()
  s.x = x
  s.rois = rois
  s.y = y
  s.mask = mask
  s.block = larger(1, CHUNK_VALUES / larger(1, work))
  return ceilDiv(planes, s.block)
}

/** Number i of region r. */
@inline
function roi(s: Regions, r: i32, i: i32): f32 {
  return load<f32>(s.rois + <usize>r * 20 + bytes(i))
}

/** The picture that region r names, −1 if there is none. */
@inline
function pictureOf(s: Regions, r: i32): i32 {
  const n = Mathf.trunc(roi(s, r, 0))
  return n >= 0 && n < <f32>s.batch ? <i32>n : -1
}

/** Half away from zero. */
@inline
function rounded(v: f32): f32 {
  const half = <f64>v
  return <f32>(half < 0 ? -Math.floor(0.5 - half) : Math.floor(half + 0.5))
}

/** v cut to 0 … n; 0 for what is no number. */
@inline
function cut(v: f32, n: i32): i32 {
  return v > 0 ? (v < <f32>n ? <i32>v : n) : 0
}

/** Where axis 0 (rows) or 1 (columns) of region r begins (0) or ends (2), scaled and then rounded. */
@inline
function corner(s: Regions, r: i32, axis: i32, end: i32): f32 {
  return rounded(roi(s, r, 2 - axis + end) * s.scale)
}

/** ends ← where each bin along an axis begins and ends, two numbers each; all empty without a picture. */
function wholeBins(s: Regions, r: i32, axis: i32, n: i32, ends: usize): void {
  const bins = axis ? s.PW : s.PH
  const size = n < 0 ? 0 : axis ? s.W : s.H
  const first = corner(s, r, axis, 0)
  const length = corner(s, r, axis, 2) - first + 1
  const bin = (length > 1 ? length : 1) / <f32>bins
  for (let p = 0; p < bins; p++) {
    store<i32>(ends + bytes(2 * p), cut(Mathf.floor(<f32>p * bin) + first, size))
    store<i32>(ends + bytes(2 * p), cut(Mathf.ceil(<f32>(p + 1) * bin) + first, size), 4)
  }
}

/** Bin p along an axis whose ends are rounded before they are scaled: where it begins (0) or ends (1). */
@inline
function fractionEnd(s: Regions, r: i32, axis: i32, p: i32, end: i32): i32 {
  const first = rounded(roi(s, r, 2 - axis)) * s.scale
  const length = (rounded(roi(s, r, 4 - axis)) + 1) * s.scale - first
  const bin = (length > 0.1 ? length : <f32>0.1) / <f32>(axis ? s.PW : s.PH)
  const at = <f32>(p + end) * bin + first
  return cut(end ? Mathf.ceil(at) : Mathf.floor(at), axis ? s.W : s.H)
}

/** A mask of 0 is none. */
export function roiPool(x: usize, rois: usize, y: usize, mask: usize): void {
  const s = described()
  needWorkspace(bytes(2 * (s.PH + s.PW)))
  run(poolChunk, begin(s.regions * s.channels, s.H * s.W, x, rois, y, mask))
}

function poolChunk(chunk: i32, rows: usize): void {
  const s = described()
  const columns = rows + bytes(2 * s.PH)
  const last = smaller(s.regions * s.channels, (chunk + 1) * s.block)
  const bins = <usize>s.PH * <usize>s.PW * 4
  let n = -1
  for (let i = chunk * s.block, region = -1; i < last; i++) {
    const r = i / s.channels
    if (r != region) {
      region = r
      n = pictureOf(s, r)
      wholeBins(s, r, 0, n, rows)
      wholeBins(s, r, 1, n, columns)
    }
    const plane = s.x + <usize>(n * s.channels + i - r * s.channels) * bytes(s.H * s.W)
    let y = s.y + <usize>i * bins
    let mask = s.mask + <usize>i * bins
    for (let p = 0; p < s.PH; p++) {
      const top = load<i32>(rows + bytes(2 * p))
      const bottom = load<i32>(rows + bytes(2 * p), 4)
      for (let q = 0; q < s.PW; q++, y += 4, mask += 4) {
        const left = load<i32>(columns + bytes(2 * q))
        const right = load<i32>(columns + bytes(2 * q), 4)
        let best: f32 = 0
        let at = -1
        for (let h = top; h < bottom; h++) {
          for (let k = h * s.W + left, end = h * s.W + right; k < end; k++) {
            const v = load<f32>(plane + bytes(k))
            if (at >= 0 && !(v > best)) continue
            best = v
            at = k
          }
        }
        store<f32>(y, best)
        if (s.mask) store<f32>(mask, <f32>at)
      }
    }
  }
}

export function roiPoolGradient(dy: usize, rois: usize, mask: usize, dx: usize): void {
  const s = described()
  run(poolGradientChunk, begin(s.batch * s.channels, s.H * s.W + s.regions * s.PH * s.PW, dx, rois, dy, mask))
}

function poolGradientChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.batch * s.channels, (chunk + 1) * s.block)
  const size = s.H * s.W
  const bins = s.PH * s.PW
  for (let i = chunk * s.block; i < last; i++) {
    const dx = s.x + <usize>i * bytes(size)
    memory.fill(dx, 0, bytes(size))
    const n = i / s.channels
    const c = i - n * s.channels
    for (let r = 0; r < s.regions; r++) {
      if (pictureOf(s, r) != n) continue
      const top = corner(s, r, 0, 0)
      const bottom = corner(s, r, 0, 2)
      const left = corner(s, r, 1, 0)
      const right = corner(s, r, 1, 2)
      let o = <usize>(r * s.channels + c) * bytes(bins)
      for (const end = o + bytes(bins); o < end; o += 4) {
        const at = load<f32>(s.mask + o)
        // −1, or whatever somebody else has put there
        if (!(at >= 0 && at < <f32>size)) continue
        const k = <i32>at
        const h = <f32>(k / s.W)
        const w = <f32>(k % s.W)
        if (h < top || h > bottom || w < left || w > right) continue
        store<f32>(dx + bytes(k), load<f32>(dx + bytes(k)) + load<f32>(s.y + o))
      }
    }
  }
}

export function positionRoiPool(x: usize, rois: usize, y: usize): void {
  const s = described()
  run(positionChunk, begin(s.regions * s.channels, s.H * s.W, x, rois, y, 0))
}

function positionChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.regions * s.channels, (chunk + 1) * s.block)
  const bins = s.PH * s.PW
  for (let i = chunk * s.block; i < last; i++) {
    const r = i / s.channels
    const n = pictureOf(s, r)
    for (let p = 0; p < s.PH; p++) {
      const top = fractionEnd(s, r, 0, p, 0)
      const bottom = fractionEnd(s, r, 0, p, 1)
      for (let q = 0; q < s.PW; q++) {
        const left = fractionEnd(s, r, 1, q, 0)
        const right = fractionEnd(s, r, 1, q, 1)
        const b = p * s.PW + q
        let mean: f32 = 0
        if (n >= 0 && bottom > top && right > left) {
          const plane = s.x + <usize>((n * s.channels + i - r * s.channels) * bins + b) * bytes(s.H * s.W)
          for (let h = top; h < bottom; h++) {
            let row: f32 = 0
            for (let w = left; w < right; w++) row += load<f32>(plane + bytes(h * s.W + w))
            mean += row
          }
          mean /= <f32>((bottom - top) * (right - left))
        }
        store<f32>(s.y + <usize>i * bytes(bins) + bytes(b), mean)
      }
    }
  }
}

export function positionRoiPoolGradient(dy: usize, rois: usize, dx: usize): void {
  const s = described()
  const planes = s.batch * s.channels * s.PH * s.PW
  run(positionGradientChunk, begin(planes, s.H * s.W + s.regions, dx, rois, dy, 0))
}

function positionGradientChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const bins = s.PH * s.PW
  const last = smaller(s.batch * s.channels * bins, (chunk + 1) * s.block)
  for (let i = chunk * s.block; i < last; i++) {
    const dx = s.x + <usize>i * bytes(s.H * s.W)
    memory.fill(dx, 0, bytes(s.H * s.W))
    const n = i / (s.channels * bins)
    const b = i % bins
    const c = (i / bins) % s.channels
    const p = b / s.PW
    const q = b % s.PW
    for (let r = 0; r < s.regions; r++) {
      if (pictureOf(s, r) != n) continue
      const top = fractionEnd(s, r, 0, p, 0)
      const bottom = fractionEnd(s, r, 0, p, 1)
      const left = fractionEnd(s, r, 1, q, 0)
      const right = fractionEnd(s, r, 1, q, 1)
      if (bottom <= top || right <= left) continue
      const dy = load<f32>(s.y + <usize>(r * s.channels + c) * bytes(bins) + bytes(b))
      const share = dy / <f32>((bottom - top) * (right - left))
      for (let h = top; h < bottom; h++) {
        for (let at = dx + bytes(h * s.W + left), end = dx + bytes(h * s.W + right); at < end; at += 4)
          store<f32>(at, load<f32>(at) + share)
      }
    }
  }
}

/** One axis of a sample: the two pixels around it and how much each weighs. */
@unmanaged
class Sample {
  low: i32
  high: i32
  ofLow: f32
  ofHigh: f32
}
const SAMPLE_BYTES: usize = 16

/** Samples of a bin along an axis, at most. */
@inline
function mostSamples(s: Regions, size: i32, bins: i32): i32 {
  return s.samples > 0 ? s.samples : larger(1, ceilDiv(size + 1, bins))
}

/** out ← the samples of region r along an axis, bin by bin. Returns how many a bin has. */
function samplesOf(s: Regions, r: i32, axis: i32, out: usize): i32 {
  const bins = axis ? s.PW : s.PH
  const size = axis ? s.W : s.H
  const first = roi(s, r, 2 - axis) * s.scale
  const end = roi(s, r, 4 - axis) * s.scale
  const length = end - first > 1 ? end - first : <f32>1
  const bin = length / <f32>bins
  const count = s.samples > 0 ? s.samples : larger(1, cut(Mathf.ceil(bin), ceilDiv(size + 1, bins)))
  for (let i = 0; i < bins * count; i++, out += SAMPLE_BYTES) {
    const sample = changetype<Sample>(out)
    const p = i / count
    const at = first + <f32>p * bin + ((<f32>(i - p * count) + 0.5) * bin) / <f32>count
    sample.low = sample.high = 0
    sample.ofLow = sample.ofHigh = 0
    if (!(at >= -1 && at <= <f32>size)) continue
    const inside = at > 0 ? at : 0
    sample.low = smaller(<i32>inside, size - 1)
    sample.high = smaller(sample.low + 1, size - 1)
    if (sample.high > sample.low) sample.ofHigh = inside - <f32>sample.low
    sample.ofLow = 1 - sample.ofHigh
  }
  return count
}

@inline
function needSamples(s: Regions): void {
  const count = s.PH * mostSamples(s, s.H, s.PH) + s.PW * mostSamples(s, s.W, s.PW)
  needWorkspace(<usize>count * SAMPLE_BYTES)
}

export function roiAlign(x: usize, rois: usize, y: usize): void {
  const s = described()
  needSamples(s)
  run(alignChunk, begin(s.regions * s.channels, 4 * s.H * s.W, x, rois, y, 0))
}

function alignChunk(chunk: i32, rows: usize): void {
  const s = described()
  const columns = rows + <usize>(s.PH * mostSamples(s, s.H, s.PH)) * SAMPLE_BYTES
  const last = smaller(s.regions * s.channels, (chunk + 1) * s.block)
  let n = -1
  let tall = 1
  let wide = 1
  for (let i = chunk * s.block, region = -1; i < last; i++) {
    const r = i / s.channels
    if (r != region) {
      region = r
      n = pictureOf(s, r)
      tall = samplesOf(s, r, 0, rows)
      wide = samplesOf(s, r, 1, columns)
    }
    const plane = s.x + <usize>(n * s.channels + i - r * s.channels) * bytes(s.H * s.W)
    let y = s.y + <usize>i * bytes(s.PH * s.PW)
    for (let p = 0; p < s.PH; p++) {
      for (let q = 0; q < s.PW; q++, y += 4) {
        let sum: f32 = 0
        for (let k = n < 0 ? tall : 0; k < tall; k++) {
          const row = changetype<Sample>(rows + <usize>(p * tall + k) * SAMPLE_BYTES)
          const low = plane + bytes(row.low * s.W)
          const high = plane + bytes(row.high * s.W)
          let line: f32 = 0
          for (let l = 0; l < wide; l++) {
            const column = changetype<Sample>(columns + <usize>(q * wide + l) * SAMPLE_BYTES)
            const left = bytes(column.low)
            const right = bytes(column.high)
            line += row.ofLow * (column.ofLow * load<f32>(low + left) + column.ofHigh * load<f32>(low + right))
            line += row.ofHigh * (column.ofLow * load<f32>(high + left) + column.ofHigh * load<f32>(high + right))
          }
          sum += line
        }
        store<f32>(y, sum / <f32>(tall * wide))
      }
    }
  }
}

export function roiAlignGradient(dy: usize, rois: usize, dx: usize): void {
  const s = described()
  needSamples(s)
  run(alignGradientChunk, begin(s.batch * s.channels, s.H * s.W + 4 * s.regions * s.PH * s.PW, dx, rois, dy, 0))
}

@inline
function add(p: usize, v: f32): void {
  store<f32>(p, load<f32>(p) + v)
}

function alignGradientChunk(chunk: i32, rows: usize): void {
  const s = described()
  const columns = rows + <usize>(s.PH * mostSamples(s, s.H, s.PH)) * SAMPLE_BYTES
  const last = smaller(s.batch * s.channels, (chunk + 1) * s.block)
  for (let i = chunk * s.block; i < last; i++) {
    const dx = s.x + <usize>i * bytes(s.H * s.W)
    memory.fill(dx, 0, bytes(s.H * s.W))
    const n = i / s.channels
    for (let r = 0; r < s.regions; r++) {
      if (pictureOf(s, r) != n) continue
      const tall = samplesOf(s, r, 0, rows)
      const wide = samplesOf(s, r, 1, columns)
      let dy = s.y + <usize>(r * s.channels + i - n * s.channels) * bytes(s.PH * s.PW)
      for (let p = 0; p < s.PH; p++) {
        for (let q = 0; q < s.PW; q++, dy += 4) {
          const share = load<f32>(dy) / <f32>(tall * wide)
          for (let k = p * tall; k < (p + 1) * tall; k++) {
            const row = changetype<Sample>(rows + <usize>k * SAMPLE_BYTES)
            const low = dx + bytes(row.low * s.W)
            const high = dx + bytes(row.high * s.W)
            for (let l = q * wide; l < (q + 1) * wide; l++) {
              const column = changetype<Sample>(columns + <usize>l * SAMPLE_BYTES)
              add(low + bytes(column.low), share * row.ofLow * column.ofLow)
              add(low + bytes(column.high), share * row.ofLow * column.ofHigh)
              add(high + bytes(column.low), share * row.ofHigh * column.ofLow)
              add(high + bytes(column.high), share * row.ofHigh * column.ofHigh)
            }
          }
        }
      }
    }
  }
}
