import { CHUNK_VALUES } from './elementwise'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, larger, smaller } from './vector'

@unmanaged
class Accuracy {
  outer: i32
  classes: i32
  inner: i32
  topK: i32
  ignore: f64
  block: i32
  x: usize
  label: usize
  /** For each label: 1 for a hit, 0 for none, −1 if it does not count. */
  hits: usize
}

/** A `perClass` of 0 is none; `ignore` is NaN if every label counts. */
export function accuracy(
  outer: i32,
  classes: i32,
  inner: i32,
  topK: i32,
  ignore: f64,
  x: usize,
  label: usize,
  accuracy: usize,
  perClass: usize,
): void {
  const labels = outer * inner
  const s = changetype<Accuracy>(job)
  s.outer = outer
  s.classes = classes
  s.inner = inner
  s.topK = topK
  s.ignore = ignore
  s.x = x
  s.label = label
  s.hits = sharedWorkspace(bytes(labels + 4 + 2 * classes))
  s.block = larger(1, CHUNK_VALUES / (classes * (inner == 1 ? 1 : 4)))
  run(inner == 1 ? rowsChunk : stripesChunk, ceilDiv(outer * ceilDiv(inner, 4), s.block))
  const hits = s.hits
  // true labels of each class, and hits
  const counts = hits + bytes(labels + 4)
  memory.fill(counts, 0, bytes(2 * classes))
  let sum: f64 = 0
  let count: f64 = 0
  for (let i = 0; i < labels; i++) {
    const hit = load<f32>(hits + bytes(i))
    if (hit < 0) continue
    sum += <f64>hit
    count++
    const truth = <i32>load<f32>(label + bytes(i))
    if (!perClass || truth < 0 || truth >= classes) continue
    const at = counts + bytes(2 * truth)
    store<i32>(at, load<i32>(at) + 1)
    store<i32>(at, load<i32>(at, 4) + <i32>hit, 4)
  }
  store<f32>(accuracy, count > 0 ? <f32>(sum / count) : 0)
  if (!perClass) return
  for (let c = 0; c < classes; c++) {
    const all = <f64>load<i32>(counts + bytes(2 * c))
    store<f32>(perClass + bytes(c), all > 0 ? <f32>(<f64>load<i32>(counts + bytes(2 * c), 4) / all) : 0)
  }
}

/** The place of the true score in a column, or −1 where there is none. */
@inline
function truthOf(s: Accuracy, at: i32): i32 {
  const label = Math.trunc(<f64>load<f32>(s.label + bytes(at)))
  return label >= 0 && label < <f64>s.classes ? <i32>label : -1
}

/** What a label scores whose value `others` values, its own among them, are not below. */
@inline
function keep(s: Accuracy, at: i32, truth: i32, others: i32): void {
  const ignored = Math.trunc(<f64>load<f32>(s.label + bytes(at))) == s.ignore
  store<f32>(s.hits + bytes(at), ignored ? -1 : truth >= 0 && others <= s.topK ? 1 : 0)
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Accuracy>(job)
  const last = smaller(s.outer, (chunk + 1) * s.block)
  const classes = s.classes
  for (let o = chunk * s.block; o < last; o++) {
    const truth = truthOf(s, o)
    const x = s.x + bytes(o * classes)
    const score = v128.load_splat<f32>(x + bytes(larger(0, truth)))
    let below = i32x4.splat(0)
    let c = 0
    for (; c + 4 <= classes; c += 4) below = i32x4.sub(below, f32x4.lt(v128.load(x + bytes(c)), score))
    const rest = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(classes - c))
    below = i32x4.sub(below, v128.and(rest, f32x4.lt(v128.load(x + bytes(c)), score)))
    const pairs = i32x4.add(below, v128.shuffle<i32>(below, below, 2, 3, 0, 1))
    keep(s, o, truth, classes - i32x4.extract_lane(pairs, 0) - i32x4.extract_lane(pairs, 1))
  }
}

function stripesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Accuracy>(job)
  const stripes = ceilDiv(s.inner, 4)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const step = bytes(s.inner)
  for (let t = chunk * s.block; t < last; t++) {
    const o = t / stripes
    const i = (t % stripes) * 4
    const first = o * s.inner + i
    const width = smaller(4, s.inner - i)
    let x = s.x + bytes(o * s.classes * s.inner + i)
    // the label's own scores, gathered where the results will be
    const scores = s.hits + bytes(first)
    for (let j = 0; j < width; j++) store<f32>(scores + bytes(j), load<f32>(x + bytes(larger(0, truthOf(s, first + j)) * s.inner + j)))
    const score = v128.load(scores)
    let below = i32x4.splat(0)
    for (let c = 0; c < s.classes; c++, x += step) below = i32x4.sub(below, f32x4.lt(v128.load(x), score))
    for (let j = 0; j < width; j++) {
      keep(s, first + j, truthOf(s, first + j), s.classes - i32x4.extract_lane(below, 0))
      below = v128.shuffle<i32>(below, below, 1, 2, 3, 0)
    }
  }
}
