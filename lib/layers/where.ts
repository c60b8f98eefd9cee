import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { eachRow, reshapeBroadcast, stepIn, type Walk } from './parts/broadcasting.js'

/** top = bottom 1 where bottom 0 is not 0, else bottom 2; axes are compared from the last, one of size 1 is repeated. */
export class WhereLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 3 }
  override readonly topCount: Count = { exactly: 1 }
  private walk!: Walk

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.walk = reshapeBroadcast(this, bottom, top[0])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex > 0
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [cs, as, bs] = bottom.map(blob => blob.dataArray)
    const ys = top[0].dataArray
    const [o, p, q] = [0, 1, 2].map(k => stepIn(this.walk, k))
    eachRow(this.walk, (n, to, [c, a, b]) => {
      for (let i = 0; i < n; i++) ys[to + i] = cs[c + i * o] !== 0 ? as[a + i * p] : bs[b + i * q]
    })
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      throw this.error(`bottom 0, '${bottom[0].name}', has no gradient: give this layer propagate_down: false for it`)
    const [cs, dys] = [bottom[0].dataArray, top[0].diffArray]
    const o = stepIn(this.walk, 0)
    for (const k of [1, 2]) {
      if (!propagateDown[k]) continue
      const step = stepIn(this.walk, k)
      const sums = new Float64Array(bottom[k].count)
      eachRow(this.walk, (n, to, from) => {
        for (let i = 0; i < n; i++)
          if ((cs[from[0] + i * o] !== 0) === (k === 1)) sums[from[k] + i * step] += dys[to + i]
      })
      bottom[k].diffArray.set(sums)
    }
  }
}
