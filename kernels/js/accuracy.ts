import type { AccuracyShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

export function accuracy(s: AccuracyShape, x: Memory, label: Memory, accuracy: Memory, perClass: Memory | null): void {
  const xs = x.array
  const labels = label.array
  const counts = new Float64Array(s.classes)
  const hits = new Float64Array(s.classes)
  for (let o = 0; o < s.outer; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(labels[o * s.inner + i])
      if (truth === s.ignoreLabel) continue
      const first = o * s.classes * s.inner + i
      const score = xs[first + truth * s.inner]
      let better = 0
      for (let c = 0; c < s.classes; c++) if (c !== truth && !(xs[first + c * s.inner] < score)) better++
      counts[truth]++
      if (better < s.topK) hits[truth]++
    }
  }
  const count = counts.reduce((a, b) => a + b, 0)
  accuracy.array[0] = count === 0 ? 0 : hits.reduce((a, b) => a + b, 0) / count
  if (perClass) for (let c = 0; c < s.classes; c++) perClass.array[c] = counts[c] === 0 ? 0 : hits[c] / counts[c]
}
