/**
 * Convolutions whose groups have one input channel and few output channels: a matrix product would be mostly padding,
 * so every tap is a multiply-add of whole rows. A chunk is a block of planes, output planes forward and input planes
 * backward, or of output channels.
 */
import { finishRows } from './after'
import { CHUNK_VALUES } from './elementwise'
import { Convolution, convolutionJob, isPadded, paddedBytes, padRows, zero } from './convolution_shape'
import { needWorkspace, run } from './threads'
import { bytes, ceilDiv, copyValues, evens, larger, madd, smaller, storeLanes, sumLanes } from './vector'

/** Whether a pass should come here. From four output channels on a tile of the matrix product is full. */
export function isDepthwise(s: Convolution): bool {
  return s.groupC == 1 && s.groupM < 4 && s.taps > 1
}

/** Output channels from which on the weight gradient comes here: its chunks are made of them. */
const CHANNELS: i32 = 16

export function hasDepthwiseWeights(s: Convolution): bool {
  return isDepthwise(s) && s.M >= CHANNELS
}

@inline
function describe(s: Convolution, x: usize, w: usize, bias: usize, y: usize): void {
  s.x = x
  s.w = w
  s.bias = bias
  s.y = y
  s.block = larger(1, CHUNK_VALUES / 2 / larger(1, s.positions))
  needWorkspace(paddedBytes(s, 1) + 64)
}

/** y ← w ∗ x + bias. */
export function depthwise(x: usize, w: usize, bias: usize, y: usize): void {
  const s = convolutionJob()
  describe(s, x, w, bias, y)
  run(forwardChunk, ceilDiv(s.N * s.M, s.block))
}

function forwardChunk(chunk: i32, padded: usize): void {
  const s = convolutionJob()
  const last = smaller(s.N * s.M, (chunk + 1) * s.block)
  for (let plane = chunk * s.block; plane < last; plane++) {
    const m = plane % s.M
    const c = (plane / s.M) * s.C + m / s.groupM
    let image = s.x + <usize>c * bytes(s.H * s.W)
    if (isPadded(s)) {
      padRows(s, 1, image, padded, 0, s.padH)
      image = padded
    }
    const w = s.w + <usize>m * bytes(s.taps)
    const bias = s.bias ? load<f32>(s.bias + bytes(m)) : 0
    const y = s.y + <usize>plane * bytes(s.positions)
    if (isThree(s)) threeByThree(s, image, w, bias, y)
    else anySize(s, image, w, bias, y)
    finishRows(y, 1, bytes(s.positions), s.positions)
  }
}

function anySize(s: Convolution, image: usize, w: usize, bias: f32, y: usize): void {
  if (s.SW == 1) eachRow(s, 1, image, w, bias, y)
  else if (s.SW == 2) eachRow(s, 2, image, w, bias, y)
  else eachRow(s, s.SW, image, w, bias, y)
}

/** Rows of the kernel that lie in the padding are left out. A step that is known here costs nothing further in. */
@inline
function eachRow(s: Convolution, step: i32, image: usize, w: usize, bias: f32, y: usize): void {
  for (let oh = 0; oh < s.OH; oh++) {
    const above = s.PH - oh * s.SH
    const first = above > 0 ? ceilDiv(above, s.DH) : 0
    const last = smaller(s.KH, ceilDiv(larger(0, above + s.H), s.DH))
    const row = image + bytes(oh * s.SH * s.padW)
    let ow = 0
    for (; ow + 16 <= s.OW; ow += 16) sixteen(s, step, row + bytes(ow * step), w, bias, first, last, y + bytes(oh * s.OW + ow))
    for (; ow < s.OW; ow += 4) {
      const sum = taps(s, step, row + bytes(ow * step), w, bias, first, last, s.OW - ow)
      const to = y + bytes(oh * s.OW + ow)
      if (ow + 4 <= s.OW) v128.store(to, sum)
      else storeLanes(to, sum, s.OW - ow)
    }
  }
}

/** What nearly all depthwise convolutions are: the nine weights stay in registers. */
@inline
function isThree(s: Convolution): bool {
  return s.KH == 3 && s.KW == 3 && s.DH == 1 && s.DW == 1 && s.OW >= 4 && s.SW <= 2
}

/** The same sums in the same order; what is left of a row is four outputs that end with it, some of them again. */
function threeByThree(s: Convolution, image: usize, w: usize, bias: f32, y: usize): void {
  const first = f32x4.splat(bias)
  const w0 = v128.load_splat<f32>(w)
  const w1 = v128.load_splat<f32>(w, 4)
  const w2 = v128.load_splat<f32>(w, 8)
  const w3 = v128.load_splat<f32>(w, 12)
  const w4 = v128.load_splat<f32>(w, 16)
  const w5 = v128.load_splat<f32>(w, 20)
  const w6 = v128.load_splat<f32>(w, 24)
  const w7 = v128.load_splat<f32>(w, 28)
  const w8 = v128.load_splat<f32>(w, 32)
  const line = bytes(s.padW)
  const step = bytes(s.SH * s.padW)
  const last = s.OW - 4
  const rows = s.OH
  const width = bytes(s.OW)
  let oh = 0
  if (s.SW == 1 && s.SH == 1) {
    // two rows at a time read four lines where one by one would read six
    for (; oh + 2 <= rows; oh += 2, image += 2 * line, y += 2 * width) {
      for (let ow = 0; ; ow = smaller(ow + 4, last)) {
        let p = image + bytes(ow)
        let a = sum(first, w0, w1, w2, v128.load(p), v128.load(p, 4), v128.load(p, 8))
        p += line
        let x = v128.load(p)
        let z = v128.load(p, 4)
        let t = v128.load(p, 8)
        a = sum(a, w3, w4, w5, x, z, t)
        let b = sum(first, w0, w1, w2, x, z, t)
        p += line
        x = v128.load(p)
        z = v128.load(p, 4)
        t = v128.load(p, 8)
        a = sum(a, w6, w7, w8, x, z, t)
        b = sum(b, w3, w4, w5, x, z, t)
        p += line
        b = sum(b, w6, w7, w8, v128.load(p), v128.load(p, 4), v128.load(p, 8))
        const to = y + bytes(ow)
        v128.store(to, a)
        v128.store(to + width, b)
        if (ow == last) break
      }
    }
  }
  for (; oh < rows; oh++, image += step, y += width) {
    for (let ow = 0; ; ow = smaller(ow + 4, last)) {
      let p = image + bytes(ow * s.SW)
      let a = sum(first, w0, w1, w2, four(p, s.SW), four(p + 4, s.SW), four(p + 8, s.SW))
      p += line
      a = sum(a, w3, w4, w5, four(p, s.SW), four(p + 4, s.SW), four(p + 8, s.SW))
      p += line
      a = sum(a, w6, w7, w8, four(p, s.SW), four(p + 4, s.SW), four(p + 8, s.SW))
      v128.store(y + bytes(ow), a)
      if (ow == last) break
    }
  }
}

@inline
function sum(to: v128, a: v128, b: v128, c: v128, x: v128, y: v128, z: v128): v128 {
  return madd(c, z, madd(b, y, madd(a, x, to)))
}

/** Four neighbouring outputs, or the `rest` that are left: bias + Σ w·x over the taps of rows first ≤ r < last. */
@inline
function taps(s: Convolution, step: i32, image: usize, w: usize, bias: f32, first: i32, last: i32, rest: i32): v128 {
  let sum = f32x4.splat(bias)
  w += bytes(first * s.KW)
  for (let r = first; r < last; r++) {
    let p = image + bytes(r * s.DH * s.padW)
    for (let q = 0; q < s.KW; q++, p += bytes(s.DW), w += 4) sum = madd(v128.load_splat<f32>(w), some(p, step, rest), sum)
  }
  return sum
}

/** Sixteen of them: four sums that do not wait for each other. */
@inline
function sixteen(s: Convolution, step: i32, image: usize, w: usize, bias: f32, first: i32, last: i32, to: usize): void {
  const next = bytes(4 * step)
  let a = f32x4.splat(bias)
  let b = a
  let c = a
  let d = a
  const right = bytes(s.DW)
  const end = bytes(s.KW)
  w += <usize>first * end
  for (let r = first; r < last; r++) {
    let p = image + bytes(r * s.DH * s.padW)
    for (const over = w + end; w < over; p += right, w += 4) {
      const v = v128.load_splat<f32>(w)
      a = madd(v, four(p, step), a)
      b = madd(v, four(p + next, step), b)
      c = madd(v, four(p + 2 * next, step), c)
      d = madd(v, four(p + 3 * next, step), d)
    }
  }
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
}

/** The same where `rest` of them are left: the others would lie any number of steps beyond the image. */
@inline
function some(p: usize, step: i32, rest: i32): v128 {
  if (rest >= 4 || step <= 2) return four(p, step)
  let v = v128.load_splat<f32>(p)
  if (rest > 1) v = v128.load_lane<f32>(p + bytes(step), v, 1)
  if (rest > 2) v = v128.load_lane<f32>(p + bytes(2 * step), v, 2)
  return v
}

/** Four values, `step` apart. */
@inline
function four(p: usize, step: i32): v128 {
  if (step == 1) return v128.load(p)
  if (step == 2) return evens(v128.load(p), v128.load(p, 16))
  const v = v128.load_lane<f32>(p + bytes(step), v128.load_splat<f32>(p), 1)
  return v128.load_lane<f32>(p + bytes(3 * step), v128.load_lane<f32>(p + bytes(2 * step), v, 2), 3)
}

/** dx ← ∂E/∂x. */
export function depthwiseInputGradient(dy: usize, w: usize, dx: usize): void {
  const s = convolutionJob()
  describe(s, dx, w, 0, dy)
  run(inputChunk, ceilDiv(s.N * s.C, s.block))
}

function inputChunk(chunk: i32, padded: usize): void {
  const s = convolutionJob()
  const last = smaller(s.N * s.C, (chunk + 1) * s.block)
  for (let plane = chunk * s.block; plane < last; plane++) {
    const m = (plane % s.C) * s.groupM
    const dx = s.x + <usize>plane * bytes(s.H * s.W)
    const sums = isPadded(s) ? padded : dx
    zero(sums, s.padH * s.padW)
    for (let j = 0; j < s.groupM; j++) {
      const dy = s.y + <usize>((plane / s.C) * s.M + m + j) * bytes(s.positions)
      let w = s.w + <usize>(m + j) * bytes(s.taps)
      for (let r = 0; r < s.KH; r++) {
        for (let q = 0; q < s.KW; q++, w += 4) addTap(s, load<f32>(w), dy, sums + bytes(r * s.DH * s.padW + q * s.DW))
      }
    }
    if (isPadded(s)) {
      for (let h = 0; h < s.H; h++) copyValues(dx + bytes(h * s.W), sums + bytes((h + s.PH) * s.padW + s.PW), s.W)
    }
  }
}

/** sums[position] += w·dy[position], where `sums` is already moved by the tap. */
function addTap(s: Convolution, w: f32, dy: usize, sums: usize): void {
  const step = bytes(s.SW)
  for (let oh = 0; oh < s.OH; oh++, dy += bytes(s.OW)) {
    let to = sums + bytes(oh * s.SH * s.padW)
    let i = 0
    if (s.SW == 1) {
      for (; i + 4 <= s.OW; i += 4, to += 16) v128.store(to, madd(f32x4.splat(w), v128.load(dy + bytes(i)), v128.load(to)))
    }
    for (; i < s.OW; i++, to += step) store<f32>(to, load<f32>(to) + w * load<f32>(dy + bytes(i)))
  }
}

/** dw ← dw + ∂E/∂w, image by image. */
export function depthwiseWeightGradient(x: usize, dy: usize, dw: usize): void {
  const s = convolutionJob()
  describe(s, x, dw, 0, dy)
  s.block = ceilDiv(s.block, s.N)
  run(weightChunk, ceilDiv(s.M, s.block))
}

function weightChunk(chunk: i32, padded: usize): void {
  const s = convolutionJob()
  const last = smaller(s.M, (chunk + 1) * s.block)
  for (let m = chunk * s.block; m < last; m++) {
    for (let n = 0; n < s.N; n++) {
      let image = s.x + <usize>(n * s.C + m / s.groupM) * bytes(s.H * s.W)
      if (isPadded(s)) {
        padRows(s, 1, image, padded, 0, s.padH)
        image = padded
      }
      const dy = s.y + <usize>(n * s.M + m) * bytes(s.positions)
      let w = s.w + <usize>m * bytes(s.taps)
      for (let r = 0; r < s.KH; r++) {
        for (let q = 0; q < s.KW; q++, w += 4) store<f32>(w, load<f32>(w) + tapSum(s, image + bytes(r * s.DH * s.padW + q * s.DW), dy))
      }
    }
  }
}

/**
 * Σ x·dy over the positions, where `image` is already moved by the tap. Each row has a sum of its own: the next one
 * need not wait for it.
 */
function tapSum(s: Convolution, image: usize, dy: usize): f32 {
  const whole = s.OW & ~3
  let sum = f32x4.splat(0)
  let rest: f32 = 0
  for (let oh = 0; oh < s.OH; oh++, dy += bytes(s.OW)) {
    const row = image + bytes(oh * s.SH * s.padW)
    let line = f32x4.splat(0)
    for (let i = 0; i < whole; i += 4) line = madd(v128.load(dy + bytes(i)), four(row + bytes(i * s.SW), s.SW), line)
    sum = f32x4.add(sum, line)
    for (let i = whole; i < s.OW; i++) rest += load<f32>(dy + bytes(i)) * load<f32>(row + bytes(i * s.SW))
  }
  return sumLanes(sum) + rest
}
