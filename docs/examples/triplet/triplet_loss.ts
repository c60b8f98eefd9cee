import { type Blob, Layer, parseParamStr } from 'ristretto'

/**
 * Σ max(0, margin + |a − p|² − |a − n|²) / 2N over N rows: an anchor should be nearer to its positive than to its negative, by a margin.
 * Bottoms, each (N, C): anchors, positives, negatives; top: the loss. The margin comes from `param_str: "'margin':
 * 0.2"`. The net weighs it with the layer's `loss_weight`, which has to be written.
 */
export class TripletLossLayer extends Layer {
  override readonly bottomCount = { exactly: 3 }
  override readonly topCount = { exactly: 1 }
  private margin = 0
  /** The rows that violate the margin. */
  private active: boolean[] = []

  override setup(): void {
    const { margin } = parseParamStr(this.paramStr)
    if (typeof margin !== 'number' || !(margin >= 0))
      throw this.error(`param_str must give a margin of 0 or more, as in "'margin': 0.2"`)
    this.margin = margin
  }

  reshape(bottom: Blob[], top: Blob[]): void {
    this.requireSameCount(bottom[0], bottom[1])
    this.requireSameCount(bottom[0], bottom[2])
    top[0].reshape(1)
  }

  forward(bottom: Blob[], top: Blob[]): void {
    const [a, p, n] = bottom.map(blob => blob.dataArray)
    const rows = bottom[0].num
    const channels = bottom[0].size(1)
    let loss = 0
    this.active = Array.from({ length: rows }, (_, i) => {
      let value = this.margin
      for (let k = i * channels; k < (i + 1) * channels; k++) value += (a[k] - p[k]) ** 2 - (a[k] - n[k]) ** 2
      loss += Math.max(0, value)
      return value > 0
    })
    top[0].dataArray[0] = loss / (2 * rows)
  }

  /**
   * For an active row: n − p to the anchor, p − a to the positive, a − n to the negative; each times loss weight / N.
   */
  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [a, p, n] = bottom.map(blob => blob.dataArray)
    const channels = bottom[0].size(1)
    const weight = top[0].diffArray[0] / bottom[0].num
    const pairs = [
      [n, p],
      [p, a],
      [a, n],
    ]
    pairs.forEach(([plus, minus], i) => {
      if (!propagateDown[i]) return
      const diff = bottom[i].diffArray
      for (let k = 0; k < diff.length; k++)
        diff[k] = this.active[Math.floor(k / channels)] ? weight * (plus[k] - minus[k]) : 0
    })
  }
}
