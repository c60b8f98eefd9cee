import { finished, slopes } from './after'
import { CHUNK_VALUES } from './elementwise'
import { job, needWorkspace, run } from './threads'
import { bytes, ceilDiv, demote, high as highOf, larger, low as lowOf, put, smaller, storeLanes, sumLanes } from './vector'

/** Values of a cache line. */
const LINE: i32 = 16
/** Columns whose sums are made side by side where there are four times as many, and rows that are added at a time. */
const COLUMNS: i32 = 256
const ROWS: i32 = 8

@unmanaged
class BiasJob {
  batch: i32
  channels: i32
  inner: i32
  block: i32
  bias: usize
  y: usize
}

@inline
function describe(batch: i32, channels: i32, inner: i32, block: i32, bias: usize, y: usize): void {
  const j = changetype<BiasJob>(job)
  j.batch = batch
  j.channels = channels
  j.inner = inner
  j.block = block
  j.bias = bias
  j.y = y
}

export function addBias(batch: i32, channels: i32, inner: i32, bias: usize, y: usize): void {
  // with nothing after the channels a row is a whole image, otherwise one channel of it
  const rows = inner == 1 ? batch : batch * channels
  const width = inner == 1 ? channels : inner
  if (rows <= 0 || width <= 0) return
  const block = larger(1, CHUNK_VALUES / width)
  describe(batch, channels, inner, block, bias, y)
  run(inner == 1 ? addRowChunk : addBiasChunk, ceilDiv(rows, block))
}

function addBiasChunk(chunk: i32, _workspace: usize): void {
  const j = changetype<BiasJob>(job)
  const last = smaller(j.batch * j.channels, (chunk + 1) * j.block)
  const slope = slopes()
  for (let row = chunk * j.block; row < last; row++) {
    const b = v128.load_splat<f32>(j.bias + bytes(row % j.channels))
    let p = j.y + <usize>row * bytes(j.inner)
    const end = p + bytes(j.inner & ~3)
    for (; p < end; p += 16) v128.store(p, finished(f32x4.add(v128.load(p), b), slope))
    if (j.inner & 3) storeLanes(p, finished(f32x4.add(v128.load(p), b), slope), j.inner & 3)
  }
}

function addRowChunk(chunk: i32, _workspace: usize): void {
  const j = changetype<BiasJob>(job)
  const last = smaller(j.batch, (chunk + 1) * j.block)
  const slope = slopes()
  for (let row = chunk * j.block; row < last; row++) {
    let p = j.y + <usize>row * bytes(j.channels)
    let b = j.bias
    const end = p + bytes(j.channels & ~3)
    for (; p < end; p += 16, b += 16) v128.store(p, finished(f32x4.add(v128.load(p), v128.load(b)), slope))
    if (j.channels & 3) storeLanes(p, finished(f32x4.add(v128.load(p), v128.load(b)), slope), j.channels & 3)
  }
}

export function biasGradient(batch: i32, channels: i32, inner: i32, dy: usize, db: usize): void {
  if (channels <= 0) return
  const parts = smaller(64, 1 + <i32>((<i64>batch * <i64>channels * <i64>inner) / CHUNK_VALUES))
  let block = ceilDiv(channels, parts)
  if (inner == 1) {
    block = ceilDiv(larger(block, smaller(COLUMNS, ceilDiv(channels, 4))), LINE) * LINE
    needWorkspace(2 * bytes(block + 3))
  }
  describe(batch, channels, inner, block, db, dy)
  run(inner == 1 ? columnSumsChunk : channelSumsChunk, ceilDiv(channels, block))
}

/** Each row is summed in float32 lanes, the rows in double; all in double where float32 cannot hold a row's sum. */
function channelSumsChunk(chunk: i32, _workspace: usize): void {
  const j = changetype<BiasJob>(job)
  const last = smaller(j.channels, (chunk + 1) * j.block)
  const rest = j.inner & 3
  for (let c = chunk * j.block; c < last; c++) {
    let total: f64 = 0
    for (let n = 0; n < j.batch; n++) {
      let p = j.y + <usize>(n * j.channels + c) * bytes(j.inner)
      let s0 = f32x4.splat(0)
      let s1 = s0
      const pairs = p + bytes(j.inner & ~7)
      for (; p < pairs; p += 32) {
        s0 = f32x4.add(s0, v128.load(p))
        s1 = f32x4.add(s1, v128.load(p, 16))
      }
      if (j.inner & 4) {
        s0 = f32x4.add(s0, v128.load(p))
        p += 16
      }
      total += <f64>sumLanes(f32x4.add(s0, s1))
      for (let i = 0; i < rest; i++) total += <f64>load<f32>(p + bytes(i))
    }
    if (!isFinite(total)) total = sumInDouble(j, c)
    const p = j.bias + bytes(c)
    store<f32>(p, <f32>(<f64>load<f32>(p) + total))
  }
}

function sumInDouble(j: BiasJob, c: i32): f64 {
  let total: f64 = 0
  for (let n = 0; n < j.batch; n++) {
    const p = j.y + <usize>(n * j.channels + c) * bytes(j.inner)
    for (let i = 0; i < j.inner; i++) total += <f64>load<f32>(p + bytes(i))
  }
  return total
}

/**
 * In double, in the thread's workspace: some rows at a time, whose values pass in the order in which they lie. Down a
 * column each line of a large blob would be waited for on its own.
 */
function columnSumsChunk(chunk: i32, workspace: usize): void {
  const j = changetype<BiasJob>(job)
  const first = chunk * j.block
  const count = smaller(j.block, j.channels - first)
  const row = bytes(j.channels)
  const bias = j.bias + bytes(first)
  memory.fill(workspace, 0, <usize>(count + 3) * 8)
  for (let n = 0; n < j.batch; n += ROWS) {
    const rows = smaller(ROWS, j.batch - n)
    let from = j.y + <usize>n * row + bytes(first)
    let sum = workspace
    for (let c = 0; c < count; c += 4, from += 16, sum += 32) {
      let low = v128.load(sum)
      let high = v128.load(sum, 16)
      let p = from
      for (let i = 0; i < rows; i++, p += row) {
        const v = v128.load(p)
        low = f64x2.add(low, lowOf(v))
        high = f64x2.add(high, highOf(v))
      }
      v128.store(sum, low)
      v128.store(sum, high, 16)
    }
  }
  let sum = workspace
  for (let c = 0; c < count; c += 4, sum += 32) addDoubles(bias + bytes(c), v128.load(sum), v128.load(sum, 16), count - c)
}

/** Adds four sums to the values at q, or the `rest` that are left. */
@inline
function addDoubles(q: usize, low: v128, high: v128, rest: i32): void {
  const before = v128.load(q)
  put(q, demote(f64x2.add(lowOf(before), low), f64x2.add(highOf(before), high)), rest)
}
