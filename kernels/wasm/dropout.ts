/** Random masks. */
import { CHUNK_VALUES, chunksOf } from './elementwise'
import { sixteenWords } from './philox'
import { job, needWorkspace, run } from './threads'
import { bytes, put, smaller } from './vector'

@unmanaged
class DropoutJob {
  n: i32
  threshold: u32
  kept: f32
  k0: i32
  k1: i32
  c1: i32
  c2: i32
  c3: i32
  mask: usize
}

/** Draws below `threshold` give 0, the others `kept`. */
export function dropoutMask(n: i32, threshold: u32, kept: f32, k0: i32, k1: i32, c1: i32, c2: i32, c3: i32, mask: usize): void {
  const d = changetype<DropoutJob>(job)
  d.n = n
  d.threshold = threshold
  d.kept = kept
  d.k0 = k0
  d.k1 = k1
  d.c1 = c1
  d.c2 = c2
  d.c3 = c3
  d.mask = mask
  needWorkspace(64)
  run(dropoutChunk, chunksOf(n))
}

function dropoutChunk(chunk: i32, words: usize): void {
  const d = changetype<DropoutJob>(job)
  const threshold = i32x4.splat(d.threshold)
  const kept = f32x4.splat(d.kept)
  const last = smaller(d.n, (chunk + 1) * CHUNK_VALUES)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 16) {
    sixteenWords(i, d.k0, d.k1, d.c1, d.c2, d.c3, words)
    for (let j = 0; j < 16 && i + j < last; j += 4) {
      put(d.mask + bytes(i + j), v128.and(i32x4.ge_u(v128.load(words + bytes(j)), threshold), kept), last - i - j)
    }
  }
}
