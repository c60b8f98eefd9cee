import { CHUNK_VALUES } from './elementwise'
import { log } from './log_lanes'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, larger, smaller, storeLanes } from './vector'

/** How the summed loss is divided; the order is that of lib/engines/wasm/bind/losses.ts. */
const FULL: i32 = 0
export const VALID: i32 = 1
const BATCH_SIZE: i32 = 2

/** The smallest normal float32: a probability of 0 costs 87.3365, not infinity. */
const FLT_MIN: f32 = 1.1754943508222875e-38

@unmanaged
class LossJob {
  outer: i32
  classes: i32
  inner: i32
  ignore: f64
  block: i32
  p: usize
  label: usize
  /** Two doubles for each chunk: its loss and how many of its labels count. Or, for the gradient, dx. */
  out: usize
  scale: f32
}

/** `ignore` is NaN if every label counts. Chunks are blocks of the outer axis. */
@inline
function describe(outer: i32, classes: i32, inner: i32, ignore: f64, p: usize, label: usize): i32 {
  const s = changetype<LossJob>(job)
  s.outer = outer
  s.classes = classes
  s.inner = inner
  s.ignore = ignore
  s.block = larger(1, CHUNK_VALUES / larger(1, classes * inner))
  s.p = p
  s.label = label
  return ceilDiv(outer, s.block)
}

/** What a sum of losses is divided by; never below 1. */
export function normalizer(outer: i32, inner: i32, mode: i32, valid: f64): f64 {
  if (mode == FULL) return Math.max(1, <f64>outer * <f64>inner)
  if (mode == VALID) return Math.max(1, valid)
  if (mode == BATCH_SIZE) return Math.max(1, <f64>outer)
  return 1
}

export function softmaxLoss(
  outer: i32,
  classes: i32,
  inner: i32,
  ignore: f64,
  mode: i32,
  p: usize,
  label: usize,
  loss: usize,
): void {
  const chunks = describe(outer, classes, inner, ignore, p, label)
  const s = changetype<LossJob>(job)
  s.out = sharedWorkspace(<usize>larger(1, chunks) << 4)
  run(lossChunk, chunks)
  let sum: f64 = 0
  let valid: f64 = 0
  for (let i = 0; i < chunks; i++) {
    sum += load<f64>(s.out + ((<usize>i) << 4))
    valid += load<f64>(s.out + ((<usize>i) << 4), 8)
  }
  store<f32>(loss, <f32>(sum / normalizer(outer, inner, mode, valid)))
}

function lossChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<LossJob>(job)
  const last = smaller(s.outer, (chunk + 1) * s.block)
  let sum: f64 = 0
  let valid: f64 = 0
  for (let o = chunk * s.block; o < last; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(<f64>load<f32>(s.label + bytes(o * s.inner + i)))
      if (truth == s.ignore) continue
      valid++
      // a label that names no class has no probability
      if (truth >= 0 && truth < <f64>s.classes) {
        const p = max<f32>(load<f32>(s.p + bytes((o * s.classes + <i32>truth) * s.inner + i)), FLT_MIN)
        sum -= <f64>f32x4.extract_lane(log(f32x4.splat(p)), 0)
      } else sum = NaN
    }
  }
  store<f64>(s.out + ((<usize>chunk) << 4), sum)
  store<f64>(s.out + ((<usize>chunk) << 4), valid, 8)
}

export function softmaxLossGradient(
  outer: i32,
  classes: i32,
  inner: i32,
  ignore: f64,
  mode: i32,
  p: usize,
  label: usize,
  dloss: f64,
  dx: usize,
): void {
  const chunks = describe(outer, classes, inner, ignore, p, label)
  let valid: f64 = 0
  if (mode == VALID) {
    for (let i = 0; i < outer * inner; i++) if (Math.trunc(<f64>load<f32>(label + bytes(i))) != ignore) valid++
  }
  const s = changetype<LossJob>(job)
  s.out = dx
  s.scale = <f32>(dloss / normalizer(outer, inner, mode, valid))
  run(gradientChunk, chunks)
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<LossJob>(job)
  const first = chunk * s.block
  const last = smaller(s.outer, first + s.block)
  const scale = f32x4.splat(s.scale)
  const end = last * s.classes * s.inner
  for (let i = first * s.classes * s.inner; i < end; i += 4) {
    const v = f32x4.mul(v128.load(s.p + bytes(i)), scale)
    if (i + 4 <= end) v128.store(s.out + bytes(i), v)
    else storeLanes(s.out + bytes(i), v, end - i)
  }
  for (let o = first; o < last; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(<f64>load<f32>(s.label + bytes(o * s.inner + i)))
      const at = s.out + bytes(o * s.classes * s.inner + i)
      if (truth == s.ignore) {
        for (let c = 0; c < s.classes; c++) store<f32>(at + bytes(c * s.inner), 0)
      } else if (truth >= 0 && truth < <f64>s.classes) {
        const k = bytes(<i32>truth * s.inner)
        store<f32>(at + k, (load<f32>(s.p + (at - s.out) + k) - 1) * s.scale)
      }
    }
  }
}

/** A label that names no class has no loss either. */
export function labelLosses(outer: i32, classes: i32, inner: i32, ignore: f64, p: usize, label: usize, losses: usize): void {
  const chunks = describe(outer, classes, inner, ignore, p, label)
  changetype<LossJob>(job).out = losses
  run(labelChunk, chunks)
}

function labelChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<LossJob>(job)
  const last = smaller(s.outer, (chunk + 1) * s.block)
  for (let o = chunk * s.block; o < last; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(<f64>load<f32>(s.label + bytes(o * s.inner + i)))
      let loss: f32 = truth == s.ignore ? 0 : NaN
      if (truth != s.ignore && truth >= 0 && truth < <f64>s.classes) {
        const p = max<f32>(load<f32>(s.p + bytes((o * s.classes + <i32>truth) * s.inner + i)), FLT_MIN)
        loss = -f32x4.extract_lane(log(f32x4.splat(p)), 0)
      }
      store<f32>(s.out + bytes(o * s.inner + i), loss)
    }
  }
}
