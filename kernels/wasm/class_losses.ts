/**
 * Losses over classes beside softmax's. Chunks are rows of scores, or places; sums are doubles, one for each chunk, added
 * up in their order.
 */
import { CHUNK_VALUES } from './elementwise'
import { log } from './log_lanes'
import { normalizer, VALID } from './softmax_loss'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, fillValues, high, larger, low, put, smaller } from './vector'

/** Probabilities below this cost as much as this one: Caffe's kLOG_THRESHOLD. */
const SMALLEST: f32 = 1e-20
/** What a chunk leaves: two doubles. */
const PAIR: usize = 16

@unmanaged
class ClassLosses {
  rows: i32
  classes: i32
  /** Places of a row: the values of a class at them lie beside each other. */
  inner: i32
  squared: bool
  ignore: f64
  /** Rows a chunk. */
  block: i32
  scale: f32
  x: usize
  label: usize
  /** Rows that labels name, of infogainLoss. */
  H: usize
  /** Sums of the chunks, or gradients. */
  out: usize
}

@inline
function described(): ClassLosses {
  return changetype<ClassLosses>(job)
}

function describe(rows: i32, classes: i32, inner: i32, x: usize, label: usize, out: usize): i32 {
  const s = described()
  s.rows = rows
  s.classes = classes
  s.inner = inner
  s.block = larger(1, CHUNK_VALUES / larger(1, classes * inner))
  s.x = x
  s.label = label
  s.out = out
  return ceilDiv(rows, s.block)
}

/** The sums of all chunks, which lie at `out`. */
function sums(chunks: i32, out: usize): v128 {
  let all = f64x2.splat(0)
  for (let i = 0; i < chunks; i++) all = f64x2.add(all, v128.load(out + <usize>i * PAIR))
  return all
}

@inline
function leave(chunk: i32, sum: f64, valid: f64): void {
  const at = described().out + <usize>chunk * PAIR
  store<f64>(at, sum)
  store<f64>(at, valid, 8)
}

@inline
function truthOf(at: usize): f64 {
  return Math.trunc(<f64>load<f32>(at))
}

/** The first `count` lanes, 0 in the others. */
@inline
function firstLanes(v: v128, count: i32): v128 {
  return v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)))
}

// ---- hinge ---------------------------------------------------------------------------------------------------------

export function hingeLoss(batch: i32, classes: i32, squared: bool, x: usize, label: usize, loss: usize): void {
  const chunks = describe(batch, classes, 1, x, label, 0)
  const s = described()
  s.squared = squared
  s.out = sharedWorkspace(<usize>larger(1, chunks) * PAIR)
  run(hingeChunk, chunks)
  store<f32>(loss, <f32>(f64x2.extract_lane(sums(chunks, s.out), 0) / <f64>batch))
}

@inline
function margins(v: v128): v128 {
  return f32x4.max(f32x4.splat(0), f32x4.add(f32x4.splat(1), v))
}

function hingeChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.rows, (chunk + 1) * s.block)
  let a = f64x2.splat(0)
  let b = a
  let sum: f64 = 0
  for (let n = chunk * s.block; n < last; n++) {
    const row = s.x + <usize>n * bytes(s.classes)
    const truth = truthOf(s.label + bytes(n))
    const own = truth >= 0 && truth < <f64>s.classes ? <i32>truth : -1
    for (let j = 0; j < s.classes; j += 4) {
      let v = firstLanes(margins(v128.load(row + bytes(j))), s.classes - j)
      // the label's score counts with the other sign alone: added and taken away again it would hide the rest
      v = v128.andnot(v, i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(own - j)))
      if (s.squared) v = f32x4.mul(v, v)
      a = f64x2.add(a, low(v))
      b = f64x2.add(b, high(v))
    }
    if (own < 0) continue
    const margin = f32x4.extract_lane(margins(f32x4.splat(-load<f32>(row + bytes(own)))), 0)
    sum += <f64>(s.squared ? margin * margin : margin)
  }
  const all = f64x2.add(a, b)
  leave(chunk, sum + f64x2.extract_lane(all, 0) + f64x2.extract_lane(all, 1), 0)
}

export function hingeLossGradient(
  batch: i32,
  classes: i32,
  squared: bool,
  x: usize,
  label: usize,
  dloss: f64,
  dx: usize,
): void {
  const chunks = describe(batch, classes, 1, x, label, dx)
  const s = described()
  s.squared = squared
  s.scale = <f32>(dloss / <f64>batch)
  run(hingeGradientChunk, chunks)
}

/** Of margins: twice themselves, or 1 where there is one; what is no number stays. */
@inline
function slopes(squared: bool, margin: v128): v128 {
  if (squared) return f32x4.add(margin, margin)
  const one = v128.and(f32x4.splat(1), f32x4.gt(margin, f32x4.splat(0)))
  return v128.or(one, v128.and(margin, f32x4.ne(margin, margin)))
}

function hingeGradientChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.rows, (chunk + 1) * s.block)
  const scale = f32x4.splat(s.scale)
  for (let n = chunk * s.block; n < last; n++) {
    const row = s.x + <usize>n * bytes(s.classes)
    const to = s.out + <usize>n * bytes(s.classes)
    const truth = truthOf(s.label + bytes(n))
    const own = truth >= 0 && truth < <f64>s.classes ? <i32>truth : -1
    // before it is written over: dx may be x
    const score = own < 0 ? <f32>0 : load<f32>(row + bytes(own))
    for (let j = 0; j < s.classes; j += 4)
      put(to + bytes(j), f32x4.mul(scale, slopes(s.squared, margins(v128.load(row + bytes(j))))), s.classes - j)
    if (own >= 0)
      store<f32>(to + bytes(own), -s.scale * f32x4.extract_lane(slopes(s.squared, margins(f32x4.splat(-score))), 0))
  }
}

// ---- multinomial logistic ------------------------------------------------------------------------------------------

export function multinomialLogisticLoss(batch: i32, classes: i32, p: usize, label: usize, loss: usize): void {
  let sum: f64 = 0
  for (let n = 0; n < batch; n++) {
    const truth = truthOf(label + bytes(n))
    if (truth >= 0 && truth < <f64>classes) sum -= logOf(load<f32>(p + <usize>n * bytes(classes) + bytes(<i32>truth)))
    else sum = NaN
  }
  store<f32>(loss, <f32>(sum / <f64>batch))
}

@inline
function logOf(p: f32): f64 {
  return <f64>f32x4.extract_lane(log(f32x4.splat(max<f32>(p, SMALLEST))), 0)
}

export function multinomialLogisticLossGradient(
  batch: i32,
  classes: i32,
  p: usize,
  label: usize,
  dloss: f64,
  dp: usize,
): void {
  const chunks = describe(batch, classes, 1, p, label, dp)
  described().scale = <f32>(-dloss / <f64>batch)
  run(multinomialGradientChunk, chunks)
}

function multinomialGradientChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.rows, (chunk + 1) * s.block)
  for (let n = chunk * s.block; n < last; n++) {
    const at = <usize>n * bytes(s.classes)
    const truth = truthOf(s.label + bytes(n))
    const own = truth >= 0 && truth < <f64>s.classes ? bytes(<i32>truth) : 0
    const p = load<f32>(s.x + at + own)
    fillValues(s.out + at, s.classes, 0)
    if (truth >= 0 && truth < <f64>s.classes) store<f32>(s.out + at + own, s.scale / max<f32>(p, SMALLEST))
  }
}

// ---- infogain ------------------------------------------------------------------------------------------------------

export function infogainLoss(
  outer: i32,
  classes: i32,
  inner: i32,
  ignore: f64,
  mode: i32,
  p: usize,
  label: usize,
  H: usize,
  loss: usize,
): void {
  const chunks = describe(outer, classes, inner, p, label, 0)
  const s = described()
  s.ignore = ignore
  s.H = H
  s.out = sharedWorkspace(<usize>larger(1, chunks) * PAIR)
  run(infogainChunk, chunks)
  const all = sums(chunks, s.out)
  store<f32>(loss, <f32>(f64x2.extract_lane(all, 0) / normalizer(outer, inner, mode, f64x2.extract_lane(all, 1))))
}

/** Four classes of a place, `step` bytes apart, or the `rest` that are left and 1s, whose logarithm is 0. */
@inline
function fourClasses(at: usize, step: usize, rest: i32): v128 {
  if (rest >= 4 && step == 4) return v128.load(at)
  let v = f32x4.replace_lane(f32x4.splat(1), 0, load<f32>(at))
  if (rest > 1) v = v128.load_lane<f32>(at + step, v, 1)
  if (rest > 2) v = v128.load_lane<f32>(at + 2 * step, v, 2)
  if (rest > 3) v = v128.load_lane<f32>(at + 3 * step, v, 3)
  return v
}

/** The row of H of place i of a row, 0 where it is ignored, 1 where there is none. */
@inline
function gainsOf(s: ClassLosses, o: i32, i: i32): usize {
  const truth = truthOf(s.label + bytes(o * s.inner + i))
  if (truth == s.ignore) return 0
  return truth >= 0 && truth < <f64>s.classes ? s.H + <usize>(<i32>truth) * bytes(s.classes) : 1
}

function infogainChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.rows, (chunk + 1) * s.block)
  const step = bytes(s.inner)
  let a = f64x2.splat(0)
  let b = a
  let valid: f64 = 0
  for (let o = chunk * s.block; o < last; o++) {
    for (let i = 0; i < s.inner; i++) {
      const gains = gainsOf(s, o, i)
      if (gains == 0) continue
      valid++
      if (gains == 1) a = f64x2.splat(NaN)
      else {
        const at = s.x + bytes(o * s.classes * s.inner + i)
        for (let l = 0; l < s.classes; l += 4) {
          const p = f32x4.max(fourClasses(at + <usize>l * step, step, s.classes - l), f32x4.splat(SMALLEST))
          const lost = f32x4.mul(firstLanes(v128.load(gains + bytes(l)), s.classes - l), log(p))
          a = f64x2.sub(a, low(lost))
          b = f64x2.sub(b, high(lost))
        }
      }
    }
  }
  const all = f64x2.add(a, b)
  leave(chunk, f64x2.extract_lane(all, 0) + f64x2.extract_lane(all, 1), valid)
}

export function infogainLossGradient(
  outer: i32,
  classes: i32,
  inner: i32,
  ignore: f64,
  mode: i32,
  p: usize,
  label: usize,
  H: usize,
  dloss: f64,
  dx: usize,
): void {
  const chunks = describe(outer, classes, inner, p, label, dx)
  const s = described()
  s.ignore = ignore
  s.H = H
  let valid: f64 = 0
  if (mode == VALID) for (let i = 0; i < outer * inner; i++) if (truthOf(label + bytes(i)) != ignore) valid++
  s.scale = <f32>(dloss / normalizer(outer, inner, mode, valid))
  run(infogainGradientChunk, chunks)
}

function infogainGradientChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.rows, (chunk + 1) * s.block)
  const step = bytes(s.inner)
  const scale = f32x4.splat(s.scale)
  for (let o = chunk * s.block; o < last; o++) {
    for (let i = 0; i < s.inner; i++) {
      const gains = gainsOf(s, o, i)
      const first = bytes(o * s.classes * s.inner + i)
      let sum: f64 = gains == 1 ? NaN : 0
      if (gains > 1) for (let l = 0; l < s.classes; l++) sum += <f64>load<f32>(gains + bytes(l))
      const all = f32x4.splat(<f32>sum)
      for (let l = 0; l < s.classes; l += 4) {
        const at = first + <usize>l * step
        const rest = s.classes - l
        let slope = f32x4.splat(0)
        if (gains) {
          const own = gains > 1 ? v128.load(gains + bytes(l)) : all
          slope = f32x4.mul(scale, f32x4.sub(f32x4.mul(fourClasses(s.x + at, step, rest), all), own))
        }
        putFour(s.out + at, step, slope, rest)
      }
    }
  }
}

/** The inverse of fourClasses. */
@inline
function putFour(at: usize, step: usize, v: v128, rest: i32): void {
  if (step == 4) {
    put(at, v, rest)
    return
  }
  v128.store_lane<f32>(at, v, 0)
  if (rest > 1) v128.store_lane<f32>(at + step, v, 1)
  if (rest > 2) v128.store_lane<f32>(at + 2 * step, v, 2)
  if (rest > 3) v128.store_lane<f32>(at + 3 * step, v, 3)
}
