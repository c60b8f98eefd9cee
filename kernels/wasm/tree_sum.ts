/** Bytes of a slot that are added before the next: they stay in the first-level cache. */
const BLOCK: usize = 2048

/**
 * Slot 0 ← the sum of `n` slots, `stride` bytes apart, in the bytes from … to of each: neighbours first, then pairs of
 * them, so that the left part of every sum has the largest power of two of slots. Slots are overwritten. Everything is a
 * multiple of 16 bytes.
 */
export function treeSum(base: usize, stride: usize, n: i32, from: usize, to: usize): void {
  for (let block = from; block < to; block += BLOCK) {
    const end = min(block + BLOCK, to)
    for (let step = 1; step < n; step <<= 1)
      for (let i = 0; i + step < n; i += 2 * step) {
        let a = base + <usize>i * stride + block
        let b = base + <usize>(i + step) * stride + block
        const last = base + <usize>i * stride + end
        for (; a < last; a += 16, b += 16) v128.store(a, f32x4.add(v128.load(a), v128.load(b)))
      }
  }
}
