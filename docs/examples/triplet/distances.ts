/** How well an embedding keeps classes apart. */
import { squaredDistance } from './triplet_select.js'

export interface Separation {
  /** Share of rows whose nearest other row has their label. */
  recall: number
  /**
   * Mean squared distance of two rows with one label, over that of two rows with different labels: 0 is perfect, 1 is
   * nothing learned.
   */
  ratio: number
  /**
   * Share of (pair with one label, pair with different labels) in which the former is the nearer one: 1 is perfect, 0.5
   * is chance.
   */
  ranking: number
}

/** @param rows N × C, one embedding after another. @param labels N */
export function separation(rows: Float32Array, labels: ArrayLike<number>): Separation {
  const n = labels.length
  const channels = rows.length / n
  const nearest = new Float64Array(n).fill(Number.POSITIVE_INFINITY)
  const hit = new Uint8Array(n)
  const same: number[] = []
  const different: number[] = []
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const distance = squaredDistance(rows, i * channels, j * channels, channels)
      const equal = labels[i] === labels[j]
      if (equal) same.push(distance)
      else different.push(distance)
      for (const k of [i, j])
        if (distance < nearest[k]) {
          nearest[k] = distance
          hit[k] = Number(equal)
        }
    }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    recall: hit.reduce((sum, value) => sum + value, 0) / n,
    ratio: mean(same) / mean(different),
    ranking: ranking(same, different),
  }
}

/** The share of pairs (s, d) with s < d; half of the ties count. */
function ranking(same: number[], different: number[]): number {
  const a = Float32Array.from(same).sort()
  const b = Float32Array.from(different).sort()
  let [below, upTo, sum] = [0, 0, 0]
  for (const value of b) {
    while (below < a.length && a[below] < value) below++
    while (upTo < a.length && a[upTo] <= value) upTo++
    sum += (below + upTo) / 2
  }
  return sum / (a.length * b.length)
}
