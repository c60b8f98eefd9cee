/** What all elementwise kernels share: their job, and how n values are cut into chunks. */
import { job, run, runAlone, Task } from './threads'
import { bytes, ceilDiv, put, smaller } from './vector'

/** Values of a chunk: 64 KiB of each array, a few microseconds of work. */
export const CHUNK_VALUES: i32 = 16384

/** y ← f(a, b, c, x, z) for n values. */
@unmanaged
export class Elementwise {
  n: i32
  x: usize
  y: usize
  z: usize
  a: f32
  b: f32
  c: f32

  /** Four values of x and z at a byte offset. */
  @inline
  first(at: usize): v128 {
    return v128.load(this.x + at)
  }
  @inline
  second(at: usize): v128 {
    return v128.load(this.z + at)
  }
}

@inline
export function describe(n: i32, x: usize, y: usize, z: usize = 0, a: f32 = 0, b: f32 = 0, c: f32 = 0): void {
  const e = changetype<Elementwise>(job)
  e.n = n
  e.x = x
  e.y = y
  e.z = z
  e.a = a
  e.b = b
  e.c = c
}

@inline
export function described(): Elementwise {
  return changetype<Elementwise>(job)
}

@inline
export function chunksOf(n: i32): i32 {
  return ceilDiv(n, CHUNK_VALUES)
}

/** Byte offsets of a chunk: first value, end of the whole vectors, and how many values (0 to 3) are left after them. */
@inline
export function firstOf(chunk: i32): usize {
  return bytes(chunk * CHUNK_VALUES)
}
@inline
export function endOf(chunk: i32, n: i32): usize {
  return bytes(smaller((chunk + 1) * CHUNK_VALUES, n) & ~3)
}
@inline
export function restOf(chunk: i32, n: i32): i32 {
  return n <= (chunk + 1) * CHUNK_VALUES ? n & 3 : 0
}

/** Runs a task of about one operation a value. Up to four chunks take less time than it takes to wake a worker. */
export function runLight(task: Task, n: i32): void {
  if (n <= 4 * CHUNK_VALUES) runAlone(task, chunksOf(n))
  else run(task, chunksOf(n))
}

/**
 * The loop of a kernel that is one formula: F extends Elementwise and has `of(at)`, four values of y at a byte offset.
 * The compiler makes a loop of each F with the formula inside it.
 */
function eachChunk<F>(chunk: i32): void {
  const f = changetype<F>(job)
  const y = described().y
  const last = smaller(described().n, (chunk + 1) * CHUNK_VALUES)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) put(y + bytes(i), f.of(bytes(i)), last - i)
}

/** Runs the formula F over what `describe` said. */
export function each<F>(): void {
  run((chunk: i32, _workspace: usize): void => eachChunk<F>(chunk), chunksOf(described().n))
}

/** The same for a formula of few operations. */
export function eachLight<F>(): void {
  runLight((chunk: i32, _workspace: usize): void => eachChunk<F>(chunk), described().n)
}
