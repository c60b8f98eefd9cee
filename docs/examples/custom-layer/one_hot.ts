import { type Blob, Layer } from 'ristretto'

/**
 * Labels to one-hot rows. Bottom 0: labels (N); bottom 1: scores (N, C), of which only the shape is used; top: (N, C).
 */
export class OneHotLayer extends Layer {
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 1 }

  reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshape(bottom[1].num, bottom[1].channels)
  }

  forward(bottom: Blob[], top: Blob[]): void {
    const labels = bottom[0].dataArray
    const rows = top[0].dataArray
    const classes = top[0].channels
    // the top still holds the last batch: a layer owns its top and overwrites all of it
    rows.fill(0)
    labels.forEach((label, n) => {
      if (!(label >= 0 && label < classes))
        throw this.error(`label ${label} of item ${n} is not one of 0 … ${classes - 1}`)
      rows[n * classes + label] = 1
    })
  }

  /** Labels have no gradient, and neither has a shape. */
  override backward(): void {}
}
