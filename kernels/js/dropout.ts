import type { Memory } from '../../lib/memory.js'
import { philox, type RandomStream } from '../../lib/rng.js'

export function dropoutMask(n: number, ratio: number, stream: RandomStream, mask: Memory): void {
  const masks = mask.array
  const [k0, k1, c1, c2, c3] = stream.key
  const four = new Uint32Array(4)
  const limit = ratio * 0x100000000
  const scale = 1 / (1 - ratio)
  for (let i = 0; i < n; i++) {
    if ((i & 3) === 0) philox(i >>> 2, c1, c2, c3, k0, k1, four)
    masks[i] = four[i & 3] < limit ? 0 : scale
  }
}
