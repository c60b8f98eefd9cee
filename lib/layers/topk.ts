import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { sortByScore } from './parts/ranking.js'

/** The k largest or smallest values along an axis, best first, and, as a second top, where they are; of equal ones the first. */
export class TopKLayer extends Layer {
  static override readonly param = ['top_k_param'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  private readonly p = withDefaults('TopKParameter', this.param.top_k_param)
  private axis = 0
  /** For each value of top 0 where it was taken from. */
  private taken = new Int32Array(0)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { k } = this.p
    this.axis = axisOf(this, bottom[0], this.p.axis)
    const size = bottom[0].dim(this.axis)
    if (k < 1 || k > size)
      throw this.error(`k: ${k} of the ${size} values along axis ${this.axis} of '${bottom[0].name}' are not there`)
    for (const blob of top) blob.reshape(bottom[0].shape.map((own, i) => (i === this.axis ? k : own)))
    if (this.taken.length !== top[0].count) this.taken = new Int32Array(top[0].count)
  }

  override forward([bottom]: Blob[], [best, places]: Blob[]): void {
    const { axis, taken } = this
    const { k, largest } = this.p
    const [outer, size, inner] = [bottom.size(0, axis), bottom.dim(axis), bottom.size(axis + 1)]
    const xs = bottom.dataArray
    const ys = best.dataArray
    const scores = new Float32Array(size)
    const order = new Int32Array(size)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const first = o * size * inner + i
        for (let j = 0; j < size; j++) {
          order[j] = j
          scores[j] = largest ? xs[first + j * inner] : -xs[first + j * inner]
        }
        sortByScore(order, size, scores)
        for (let j = 0; j < k; j++) {
          const to = (o * k + j) * inner + i
          taken[to] = first + order[j] * inner
          ys[to] = xs[taken[to]]
          if (places) places.dataArray[to] = order[j]
        }
      }
    }
  }

  /** Places have no gradient. */
  override backward([best]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    const [dxs, dys] = [bottom.diffArray, best.diffArray]
    dxs.fill(0)
    for (let i = 0; i < dys.length; i++) dxs[this.taken[i]] = dys[i]
  }
}
