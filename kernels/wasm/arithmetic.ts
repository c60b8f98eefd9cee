import { CHUNK_VALUES, describe, described, endOf, firstOf, restOf, runLight } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, copyValues, larger, madd, smaller, storeLanes } from './vector'

export function fill(n: i32, value: f32, y: usize): void {
  describe(n, 0, y, 0, value)
  runLight(fillChunk, n)
}

function fillChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const value = f32x4.splat(e.a)
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, value)
  if (rest) storeLanes(e.y + i, value, rest)
}

export function copy(n: i32, x: usize, y: usize): void {
  describe(n, x, y)
  runLight(copyChunk, n)
}

function copyChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  memory.copy(e.y + firstOf(chunk), e.x + firstOf(chunk), bytes(smaller(CHUNK_VALUES, e.n - chunk * CHUNK_VALUES)))
}

export function axpby(n: i32, alpha: f32, x: usize, beta: f32, y: usize): void {
  describe(n, x, y, 0, alpha, beta)
  runLight(beta == 0 ? scaleChunk : axpbyChunk, n)
}

function scaleChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const alpha = f32x4.splat(e.a)
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, f32x4.mul(alpha, v128.load(e.x + i)))
  if (rest) storeLanes(e.y + i, f32x4.mul(alpha, v128.load(e.x + i)), rest)
}

function axpbyChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const alpha = f32x4.splat(e.a)
  const beta = f32x4.splat(e.b)
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, madd(alpha, v128.load(e.x + i), f32x4.mul(beta, v128.load(e.y + i))))
  if (rest) storeLanes(e.y + i, madd(alpha, v128.load(e.x + i), f32x4.mul(beta, v128.load(e.y + i))), rest)
}

export function multiply(n: i32, a: usize, b: usize, y: usize): void {
  describe(n, a, y, b)
  runLight(multiplyChunk, n)
}

function multiplyChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, f32x4.mul(v128.load(e.x + i), v128.load(e.z + i)))
  if (rest) storeLanes(e.y + i, f32x4.mul(v128.load(e.x + i), v128.load(e.z + i)), rest)
}

@unmanaged
class RowsJob {
  rows: i32
  block: i32
  width: i32
  x: usize
  xStride: usize
  y: usize
  yStride: usize
}

/** x and y already include their offsets. */
export function copyRows(rows: i32, width: i32, x: usize, xStride: i32, y: usize, yStride: i32): void {
  if (rows <= 0 || width <= 0) return
  if (rows == 1) {
    copy(width, x, y)
    return
  }
  const r = changetype<RowsJob>(job)
  r.rows = rows
  r.block = larger(1, CHUNK_VALUES / width)
  r.width = width
  r.x = x
  r.xStride = bytes(xStride)
  r.y = y
  r.yStride = bytes(yStride)
  run(rowsChunk, ceilDiv(rows, r.block))
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const r = changetype<RowsJob>(job)
  const last = smaller(r.rows, (chunk + 1) * r.block)
  for (let i = chunk * r.block; i < last; i++) copyValues(r.y + <usize>i * r.yStride, r.x + <usize>i * r.xStride, r.width)
}
