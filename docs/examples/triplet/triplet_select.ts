import { type Blob, Layer } from 'ristretto'

/**
 * Hard triplets within a batch. Bottom 0: features (N, C); bottom 1: labels (N).
 * Tops, each (N, C): every row itself (the anchor), the farthest row with its label (the positive; itself where there
 * is none), and the nearest row with another label (the negative). Of equally far rows the first one counts.
 */
export class TripletSelectLayer extends Layer {
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 3 }
  /** For every anchor: the rows of anchor, positive and negative. */
  triplets: [anchor: number, positive: number, negative: number][] = []

  reshape(bottom: Blob[], top: Blob[]): void {
    if (bottom[0].numAxes !== 2 || bottom[1].count !== bottom[0].num)
      throw this.error(`needs features (N, C) and N labels, not [${bottom[0].shape}] and [${bottom[1].shape}]`)
    for (const blob of top) blob.reshapeLike(bottom[0])
  }

  forward(bottom: Blob[], top: Blob[]): void {
    const features = bottom[0].dataArray
    const labels = bottom[1].dataArray
    const [n, channels] = bottom[0].shape
    this.triplets = []
    for (let i = 0; i < n; i++) {
      let [positive, negative] = [i, -1]
      let [farthest, nearest] = [0, Number.POSITIVE_INFINITY]
      for (let j = 0; j < n; j++) {
        if (j === i) continue
        const distance = squaredDistance(features, i * channels, j * channels, channels)
        if (labels[j] === labels[i]) {
          if (positive === i || distance > farthest) [positive, farthest] = [j, distance]
        } else if (distance < nearest) [negative, nearest] = [j, distance]
      }
      if (negative < 0)
        throw this.error(`all ${n} labels of the batch are ${labels[i]}: a triplet needs two different ones`)
      this.triplets.push([i, positive, negative])
    }
    for (let k = 0; k < 3; k++) {
      const rows = top[k].dataArray
      this.triplets.forEach((triplet, i) =>
        rows.set(features.subarray(triplet[k] * channels, (triplet[k] + 1) * channels), i * channels),
      )
    }
  }

  /** Every row that was copied to a top gets that top's gradient back; a row may have been copied many times. */
  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[1]) throw this.error('labels have no gradient')
    if (!propagateDown[0]) return
    const diff = bottom[0].diffArray
    const channels = bottom[0].channels
    diff.fill(0)
    for (let k = 0; k < 3; k++) {
      const gradient = top[k].diffArray
      this.triplets.forEach((triplet, i) => {
        for (let c = 0; c < channels; c++) diff[triplet[k] * channels + c] += gradient[i * channels + c]
      })
    }
  }
}

/** Σ (a − b)² over two rows of the same array. */
export function squaredDistance(values: Float32Array, a: number, b: number, length: number): number {
  let sum = 0
  for (let c = 0; c < length; c++) sum += (values[a + c] - values[b + c]) ** 2
  return sum
}
