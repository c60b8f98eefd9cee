/**
 * Slot 0 ← the sum of `n` slots, `stride` values apart, at the places from … to of each: neighbours first, then pairs of
 * them, so that the left part of every sum has the largest power of two of slots. Slots are overwritten.
 */
export function treeSum(slots: Float32Array, stride: number, n: number, from: number, to: number): void {
  for (let step = 1; step < n; step *= 2)
    for (let i = 0; i + step < n; i += 2 * step) {
      const [a, b] = [i * stride, (i + step) * stride]
      for (let k = from; k < to; k++) slots[a + k] += slots[b + k]
    }
}
