import { CHUNK_VALUES, chunksOf, describe, described, endOf, firstOf, restOf } from './elementwise'
import { squares, total } from './sum_of_squares'
import { job, run, sharedWorkspace } from './threads'
import { bytes, smaller, storeLanes } from './vector'

export function euclideanLoss(n: i32, batch: i32, a: usize, b: usize, difference: usize, loss: usize): void {
  const chunks = chunksOf(n)
  const partial = sharedWorkspace(<usize>chunks << 3)
  describe(n, a, difference, b)
  store<usize>(job, partial, 32)
  run(differenceChunk, chunks)
  store<f32>(loss, <f32>(total(partial, chunks) / <f64>batch / 2))
}

function differenceChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, f32x4.sub(v128.load(e.x + i), v128.load(e.z + i)))
  if (rest) storeLanes(e.y + i, f32x4.sub(v128.load(e.x + i), v128.load(e.z + i)), rest)
  const n = smaller(CHUNK_VALUES, e.n - chunk * CHUNK_VALUES)
  store<f64>(load<usize>(job, 32) + ((<usize>chunk) << 3), squares(n, e.y + bytes(chunk * CHUNK_VALUES)))
}
