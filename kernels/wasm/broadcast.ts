/** Functions of two or three values by number, of operands that repeat along axes, row by row of the last axis. */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, put, smaller } from './vector'

/** The order is that of lib/engines/wasm/bind/named.ts. */
const ADD: i32 = 0
const SUB: i32 = 1
const MUL: i32 = 2
const DIV: i32 = 3
const MAX: i32 = 4
const MIN: i32 = 5
const POW: i32 = 6
const WHERE: i32 = 7
const EQUAL: i32 = 8
const GREATER: i32 = 9
const GREATER_EQUAL: i32 = 10
const LESS: i32 = 11

/** By which operand a derivative is, or the value itself. */
const VALUE: i32 = -1

@unmanaged
class Broadcast {
  operation: i32
  /** VALUE, or an operand. */
  index: i32
  /** Axes before the last two, along each of which `axis` says how far to go. */
  axes: i32
  /** Along the last but one and the last axis. */
  rows: i32
  length: i32
  /** A row is cut into so many parts, and a chunk is so many of them. */
  parts: i32
  all: i32
  block: i32
  a: usize
  b: usize
  c: usize
  dy: usize
  y: usize
}

/** Follows the job, one for each of up to 16 axes, the last two among them: steps of a, b and c in values. */
@unmanaged
class Axis {
  size: i32
  a: i32
  b: i32
  c: i32
}
const AXES: usize = 64
const AXIS_BYTES: usize = 16

@inline
function axis(d: i32): Axis {
  return changetype<Axis>(job + AXES + <usize>d * AXIS_BYTES)
}

/** Axis d, below 16, of the next broadcast: its size, and how far apart values of the operands are along it. */
export function broadcastAxis(d: i32, size: i32, a: i32, b: i32, c: i32): void {
  const s = axis(d)
  s.size = size
  s.a = a
  s.b = b
  s.c = c
}

/** `axes` are at least 2, along the last of which steps are 0 or 1; `index` is VALUE or the operand of a derivative. */
export function broadcast(operation: i32, index: i32, axes: i32, a: usize, b: usize, c: usize, dy: usize, y: usize): void {
  const s = changetype<Broadcast>(job)
  s.operation = operation
  s.index = index
  s.axes = axes - 2
  s.rows = axis(axes - 2).size
  s.length = axis(axes - 1).size
  s.parts = larger(1, ceilDiv(s.length, CHUNK_VALUES))
  s.all = s.rows * s.parts
  for (let d = 0; d < s.axes; d++) s.all *= axis(d).size
  s.block = larger(1, CHUNK_VALUES / larger(1, s.length))
  s.a = a
  s.b = b
  s.c = c
  s.dy = dy
  s.y = y
  run(broadcastChunk, ceilDiv(s.all, s.block))
}

function broadcastChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Broadcast>(job)
  const last = smaller(s.all, (chunk + 1) * s.block)
  const long = axis(s.axes + 1)
  const wide = axis(s.axes)
  let a: i32 = 0
  let b: i32 = 0
  let c: i32 = 0
  // the place along the last but one axis; where it ends, steps are counted anew
  let row = s.rows
  for (let i = chunk * s.block; i < last; i++) {
    const whole = i / s.parts
    if (s.parts > 1 || row == s.rows) {
      let rest = whole / s.rows
      row = whole - rest * s.rows
      a = row * wide.a
      b = row * wide.b
      c = row * wide.c
      for (let d = s.axes - 1; d >= 0; d--) {
        const x = axis(d)
        const outer = rest / x.size
        const k = rest - outer * x.size
        rest = outer
        a += k * x.a
        b += k * x.b
        c += k * x.c
      }
    }
    const first = (i - whole * s.parts) * CHUNK_VALUES
    const to = bytes(whole * s.length + first)
    rowOf(
      s,
      smaller(CHUNK_VALUES, s.length - first),
      s.a + bytes(a + first * long.a),
      s.b + bytes(b + first * long.b),
      s.c + bytes(c + first * long.c),
      to,
      <bool>long.a,
      <bool>long.b,
      <bool>long.c,
    )
    a += wide.a
    b += wide.b
    c += wide.c
    row++
  }
}

function rowOf(s: Broadcast, n: i32, a: usize, b: usize, c: usize, to: usize, p: bool, q: bool, r: bool): void {
  const y = s.y + to
  if (s.operation == WHERE) {
    if (s.index == VALUE) choose(n, a, b, c, y, p, q, r)
    else share(s.index == 1, n, a, s.dy + to, y, p)
    return
  }
  if (s.index == VALUE) values(s.operation, n, a, b, y, p, q)
  else slopes(s.operation, s.index, n, a, b, s.dy + to, y, p, q)
}

function choose(n: i32, a: usize, b: usize, c: usize, y: usize, p: bool, q: bool, r: bool): void {
  let u = v128.load_splat<f32>(a)
  let v = v128.load_splat<f32>(b)
  let w = v128.load_splat<f32>(c)
  for (let i = 0; i < n; i += 4) {
    if (p) u = v128.load(a + bytes(i))
    if (q) v = v128.load(b + bytes(i))
    if (r) w = v128.load(c + bytes(i))
    put(y + bytes(i), v128.bitselect(v, w, f32x4.ne(u, f32x4.splat(0))), n - i)
  }
}

/** dy where a is not 0, or where it is. */
function share(isFirst: bool, n: i32, a: usize, dy: usize, y: usize, p: bool): void {
  let u = v128.load_splat<f32>(a)
  for (let i = 0; i < n; i += 4) {
    if (p) u = v128.load(a + bytes(i))
    const mask = isFirst ? f32x4.ne(u, f32x4.splat(0)) : f32x4.eq(u, f32x4.splat(0))
    put(y + bytes(i), v128.and(v128.load(dy + bytes(i)), mask), n - i)
  }
}

function values(operation: i32, n: i32, a: usize, b: usize, y: usize, p: bool, q: bool): void {
  if (operation == ADD) loop<Add>(0, n, a, b, 0, y, p, q)
  else if (operation == SUB) loop<Sub>(0, n, a, b, 0, y, p, q)
  else if (operation == MUL) loop<Mul>(0, n, a, b, 0, y, p, q)
  else if (operation == DIV) loop<Div>(0, n, a, b, 0, y, p, q)
  else if (operation == POW) powers(VALUE, n, a, b, 0, y, p, q)
  else loop<Choice>(operation, n, a, b, 0, y, p, q)
}

function slopes(operation: i32, index: i32, n: i32, a: usize, b: usize, dy: usize, y: usize, p: bool, q: bool): void {
  if (operation <= SUB) loop<Signed>(operation * index, n, a, b, dy, y, p, q)
  else if (operation == MUL || (operation == DIV && index == 0)) {
    // by the other one
    if (index == 0) loop<Times>(operation, n, a, b, dy, y, p, q)
    else loop<Times>(operation, n, b, a, dy, y, q, p)
  } else if (operation == DIV) loop<Divisor>(0, n, a, b, dy, y, p, q)
  else if (operation == POW) powers(index, n, a, b, dy, y, p, q)
  // a is smaller where b is larger
  else if (operation == MAX) loop<Taken>(index, n, a, b, dy, y, p, q)
  else loop<Taken>(index, n, b, a, dy, y, q, p)
}

/** y ← F of a, b and dy; where that is 0, F does not look at it. */
function loop<F>(which: i32, n: i32, a: usize, b: usize, dy: usize, y: usize, p: bool, q: bool): void {
  let u = v128.load_splat<f32>(a)
  let v = v128.load_splat<f32>(b)
  for (let i = 0; i < n; i += 4) {
    if (p) u = v128.load(a + bytes(i))
    if (q) v = v128.load(b + bytes(i))
    put(y + bytes(i), changetype<F>(job).of(which, u, v, dy + bytes(i)), n - i)
  }
}

/** aᵇ, or dy times its derivative by a or b, value by value. */
function powers(index: i32, n: i32, a: usize, b: usize, dy: usize, y: usize, p: bool, q: bool): void {
  const far = p ? 4 : 0
  const along = q ? 4 : 0
  for (const end = y + bytes(n); y < end; y += 4, a += far, b += along) {
    const u = load<f32>(a)
    const v = load<f32>(b)
    if (index == VALUE) {
      store<f32>(y, raised(u, v))
      continue
    }
    const d = <f64>load<f32>(dy)
    dy += 4
    if (index == 0) store<f32>(y, <f32>(d * (v == 0 ? 0 : <f64>v * <f64>raised(u, v - 1))))
    else store<f32>(y, <f32>(d * (u > 0 ? <f64>raised(u, v) * <f64>Mathf.log(u) : 0)))
  }
}

function raised(base: f32, exponent: f32): f32 {
  // as Math.pow has it
  if (abs(base) == 1 && !isFinite(exponent)) return NaN
  return Mathf.pow(base, exponent)
}

@unmanaged
class Add {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return f32x4.add(a, b)
  }
}
@unmanaged
class Sub {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return f32x4.sub(a, b)
  }
}
@unmanaged
class Mul {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return f32x4.mul(a, b)
  }
}
@unmanaged
class Div {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return f32x4.div(a, b)
  }
}
/** The larger or smaller one, of equal ones the second; or whether a comparison holds. */
@unmanaged
class Choice {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    const nan = f32x4.ne(a, a)
    if (which == MAX) return v128.bitselect(a, b, v128.or(f32x4.gt(a, b), nan))
    if (which == MIN) return v128.bitselect(a, b, v128.or(f32x4.lt(a, b), nan))
    let holds = f32x4.eq(a, b)
    if (which == GREATER) holds = f32x4.gt(a, b)
    else if (which == GREATER_EQUAL) holds = f32x4.ge(a, b)
    else if (which == LESS) holds = f32x4.lt(a, b)
    else if (which != EQUAL) holds = f32x4.le(a, b)
    return v128.and(holds, f32x4.splat(1))
  }
}
/** dy, or −dy by the second of a difference. */
@unmanaged
class Signed {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return which == SUB ? f32x4.neg(v128.load(dy)) : v128.load(dy)
  }
}
@unmanaged
class Times {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return which == DIV ? f32x4.div(v128.load(dy), b) : f32x4.mul(v128.load(dy), b)
  }
}
@unmanaged
class Divisor {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    return f32x4.neg(f32x4.mul(v128.load(dy), f32x4.div(f32x4.div(a, b), b)))
  }
}
/** dy where the operand was taken; of equal ones the second. */
@unmanaged
class Taken {
  @inline
  of(which: i32, a: v128, b: v128, dy: usize): v128 {
    const first = f32x4.gt(a, b)
    return which == 0 ? v128.and(v128.load(dy), first) : v128.andnot(v128.load(dy), first)
  }
}
