import type { Blob } from '../blob.js'
import type { ChannelAffine } from '../layer.js'
import { Memory } from '../memory.js'

/** Weight and bias of a layer with the scaling and shifting that follows it multiplied in. The layer's own blobs stay as they are. */
export class FoldedWeights {
  readonly weight: Memory
  /** One value per output, also where the layer has no bias. */
  readonly bias: Memory

  /** @param weight (outputs, …) @param bias (outputs) or undefined for zeros */
  constructor(weight: Blob, bias: Blob | undefined) {
    this.weight = new Memory(weight.count, weight.memory.data.home)
    this.bias = new Memory(weight.dim(0), weight.memory.data.home)
    this.weight.array.set(weight.dataArray)
    if (bias) this.bias.array.set(bias.dataArray)
  }

  /** w ← factor·w, b ← factor·b + shift, output by output. */
  absorb({ factor, shift }: ChannelAffine): void {
    const w = this.weight.array
    const b = this.bias.array
    const K = w.length / b.length
    for (let m = 0; m < b.length; m++) {
      for (let k = m * K; k < (m + 1) * K; k++) w[k] *= factor[m]
      b[m] = b[m] * factor[m] + shift[m]
    }
  }

  dispose(): void {
    this.weight.dispose()
    this.bias.dispose()
  }
}
