import { type Blob, Layer } from 'ristretto'

/**
 * Sum of squared differences over twice the batch. Bottoms: predictions and targets of the same count, batch first;
 * top: the loss.
 */
export class EuclideanLossLayer extends Layer {
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 1 }
  private difference = new Float32Array(0)

  reshape(bottom: Blob[], top: Blob[]): void {
    this.requireSameCount(bottom[0], bottom[1])
    this.difference = new Float32Array(bottom[0].count)
    top[0].reshape(1)
  }

  forward(bottom: Blob[], top: Blob[]): void {
    const [a, b] = [bottom[0].dataArray, bottom[1].dataArray]
    let sum = 0
    for (let i = 0; i < a.length; i++) {
      this.difference[i] = a[i] - b[i]
      sum += this.difference[i] ** 2
    }
    top[0].dataArray[0] = sum / bottom[0].num / 2
  }

  /** d loss / d prediction = difference / N, times the loss weight, which the Net keeps in the diff of the loss top. */
  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const weight = top[0].diffArray[0]
    for (const [i, sign] of [1, -1].entries()) {
      if (!propagateDown[i]) continue
      const factor = (sign * weight) / bottom[i].num
      const diff = bottom[i].diffArray
      for (let k = 0; k < diff.length; k++) diff[k] = factor * this.difference[k]
    }
  }
}
