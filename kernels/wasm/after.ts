/**
 * What a kernel that fuses does to its result before it stores it: nothing, a ReLU, a clip or a hard swish. It stands beside the job,
 * where all threads see it, and all zero it is nothing.
 */
import { clipped, hardSwished } from './activations'
import { rectify } from './relu'
import { job } from './threads'
import { bytes, storeLanes } from './vector'

const RELU: i32 = 1
const CLIP: i32 = 2
const HARD_SWISH: i32 = 3

@unmanaged
class After {
  kind: i32
  /** The ReLU's slope; the least and the largest value; or α and β of the hard swish. */
  low: f32
  high: f32
}
/** Between the head of a job, 20 bytes, and its arguments, which begin at 64. */
const BEFORE_JOB: usize = 32

@inline
function current(): After {
  return changetype<After>(job - BEFORE_JOB)
}

/** For all kernels from now on. */
export function after(kind: i32, low: f32, high: f32): void {
  const a = current()
  a.kind = kind
  a.low = low
  a.high = high
}

@inline
export function hasAfter(): bool {
  return current().kind != 0
}

/** The ReLU's slope in all lanes; 1, which changes nothing, if there is none. */
@inline
export function slopes(): v128 {
  return f32x4.splat(current().kind == RELU ? current().low : 1)
}

/** after(v), with `slopes()` from before the loop. */
@inline
export function finished(v: v128, slope: v128): v128 {
  const y = rectify(v, v, slope)
  if (current().kind < CLIP) return y
  const low = f32x4.splat(current().low)
  const high = f32x4.splat(current().high)
  return current().kind == CLIP ? clipped(y, low, high) : hardSwished(y, low, high)
}

/** The same for `rows` rows of n values at p, while they are in the cache. */
export function finishRows(p: usize, rows: i32, stride: usize, n: i32): void {
  if (!hasAfter()) return
  const slope = slopes()
  for (const end = p + <usize>rows * stride; p < end; p += stride) {
    let i = 0
    for (; i + 4 <= n; i += 4) v128.store(p + bytes(i), finished(v128.load(p + bytes(i)), slope))
    if (i < n) storeLanes(p + bytes(i), finished(v128.load(p + bytes(i)), slope), n - i)
  }
}
