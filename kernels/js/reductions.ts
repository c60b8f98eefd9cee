import type { Memory } from '../../lib/memory.js'

export function sumOfSquares(n: number, x: Memory, sum: Memory, index: number): void {
  const xs = x.array
  let total = 0
  for (let i = 0; i < n; i++) total += xs[i] * xs[i]
  sum.array[index] = total
}
