import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { CTCDecoderLayer, editDistance } from './ctc_decoder.js'

/**
 * CTCDecoder where a second bottom is indicators (T, N). Of scores (T, N, C) alone: what is said, (N, T, 1, 1), in all
 * steps. Of scores and labels (N, L), padded with blanks: (1, 2, 1, 1), 1 − the mean edit distance as a share, and the
 * share of items that are right. In both `blank_index` is 0 unless given.
 */
export class CTCGreedyDecoderLayer extends CTCDecoderLayer {
  override readonly bottomCount: Count = { atLeast: 1, atMost: 3 }

  private hasLabels([scores, second]: Blob[]): boolean {
    const [steps, items] = scores.shape
    return second.dim(0) === items && !(second.dim(0) === steps && second.count === steps * items)
  }

  private isPlain(bottom: Blob[], top: Blob[]): boolean {
    return bottom.length === 1 || (bottom.length === 2 && top.length === 1 && this.hasLabels(bottom))
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    if (!this.isPlain(bottom, top)) {
      super.reshape(bottom, top)
      return
    }
    const [scores] = bottom
    const [steps, items, classes] = scores.shape
    if (scores.numAxes < 3 || scores.count !== steps * items * classes)
      throw this.error(`'${scores.name}' (${shapeText(scores.shape)}) must be T × N × C: steps, items, classes`)
    if (top.length > 1) throw this.error('of scores alone it makes one top, what is said')
    this.setBlank(this.param.ctc_decoder_param?.blank_index ?? 0, classes)
    top[0].reshape(bottom.length === 1 ? [items, steps, 1, 1] : [1, 2, 1, 1])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    if (!this.isPlain(bottom, top)) {
      super.forward(bottom, top)
      return
    }
    const [scores, labels] = bottom
    const [steps, items] = scores.shape
    const said = Array.from({ length: items }, (_, n) => this.decode([scores], n).sequence)
    if (!labels) {
      top[0].dataArray.fill(-1)
      said.forEach((sequence, n) => {
        top[0].dataArray.set(sequence, n * steps)
      })
      return
    }
    const [missed, right] = said.reduce(
      ([missed, right], sequence, n) => {
        const wanted = this.labelsOf(labels, n)
        const distance = editDistance(wanted, sequence)
        // as in the fork, an item without labels of which nothing is said is not counted as right
        const counts = wanted.length + sequence.length > 0
        return [
          missed + distance / Math.max(1, wanted.length, sequence.length),
          right + (counts && distance === 0 ? 1 : 0),
        ]
      },
      [0, 0],
    )
    top[0].dataArray.set([1 - missed / items, right / items])
  }

  /** Of item n, up to the first below 0. */
  private labelsOf(labels: Blob, n: number): number[] {
    const length = labels.size(1)
    const all = Array.from(labels.dataArray.subarray(n * length, (n + 1) * length), Math.round)
    const end = all.findIndex(label => label < 0)
    return (end < 0 ? all : all.slice(0, end)).filter(label => label !== this.blank)
  }
}
