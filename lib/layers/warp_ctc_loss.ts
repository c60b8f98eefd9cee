import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { CTCLossLayer } from './ctc_loss.js'
import { labelsOf } from './parts/ctc.js'

/**
 * CTCLoss of forks with Baidu's warp-ctc: the blank is `blank_index`, 0 unless given. Two bottoms: labels (N, L), padded
 * with blanks. Three: indicators (T, N) of what goes on and labels (L, N), counted without the blank where it is 0. Four:
 * how many steps each item has (N), how many labels (N), and labels (L, N).
 */
export class WarpCTCLossLayer extends CTCLossLayer {
  override readonly bottomCount: Count = { atLeast: 2, atMost: 4 }

  protected override blankOf(_bottom: Blob[], classes: number): number {
    const blank = this.param.ctc_loss_param?.blank_index ?? 0
    return blank < 0 ? classes - 1 : blank
  }

  protected override checkOthers(bottom: Blob[]): void {
    if (bottom.length < 4) {
      super.checkOthers(bottom)
      return
    }
    const items = bottom[0].dim(1)
    const wrong = bottom.slice(1, 3).find(blob => blob.count !== items)
    if (wrong)
      throw this.error(`'${wrong.name}' (${shapeText(wrong.shape)}) must have one value for each of ${items} items`)
    const labels = bottom[3]
    if (labels.numAxes < 2 || labels.dim(1) !== items)
      throw this.error(`'${labels.name}' (${shapeText(labels.shape)}) must be L × ${items}`)
  }

  protected override end(bottom: Blob[], n: number): number {
    return bottom.length < 4 ? super.end(bottom, n) : this.length(bottom[1], n, bottom[0].dim(0), 'steps')
  }

  protected override written(bottom: Blob[], n: number): number[] {
    if (bottom.length < 3) return super.written(bottom, n)
    if (bottom.length === 3) return super.written(bottom, n).map(label => (this.blank === 0 ? label + 1 : label))
    const [scores, , lengths, labels] = bottom
    const length = this.length(lengths, n, labels.dim(0), 'labels')
    return labelsOf(labels.dataArray.subarray(0, length * scores.dim(1)), n, scores.dim(1))
  }

  private length(lengths: Blob, n: number, most: number, what: string): number {
    const length = Math.trunc(lengths.dataArray[n])
    if (!(length >= 0 && length <= most))
      throw this.error(`item ${n} of '${lengths.name}' has ${lengths.dataArray[n]} ${what}: there are 0 to ${most}`)
    return length
  }
}
