import type { ArgMaxShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

export function argMax(s: ArgMaxShape, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  const { size, inner, topK, output } = s
  const depth = output === 'both' ? 2 * topK : topK
  for (let o = 0; o < s.outer; o++) {
    for (let i = 0; i < inner; i++) {
      const column = o * size * inner + i
      let value = Number.POSITIVE_INFINITY
      let index = size
      for (let k = 0; k < topK; k++) {
        const previous = value
        const before = index
        index = -1
        value = Number.NEGATIVE_INFINITY
        // the next one in the order (value down, index down): going down the indices, only a greater value displaces
        for (let j = size - 1; j >= 0; j--) {
          const candidate = xs[column + j * inner]
          const follows = candidate < previous || (candidate === previous && j < before)
          if (follows && (index < 0 || candidate > value)) {
            value = candidate
            index = j
          }
        }
        const at = (o * depth + k) * inner + i
        ys[at] = output === 'value' ? value : index
        if (output === 'both') ys[at + topK * inner] = value
      }
    }
  }
}
