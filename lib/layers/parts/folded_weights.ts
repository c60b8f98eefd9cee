import type { Blob } from '../../blob.js'
import type { ChannelAffine } from '../../layer.js'
import { Memory } from '../../memory.js'

/**
 * Weight and bias of a layer with the scaling and shifting that follows it multiplied in. The layer's own blobs stay as
 * they are.
 */
export class FoldedWeights {
  readonly weight: Memory
  /** One value per output, also where the layer has no bias. */
  readonly bias: Memory

  /** @param weight (outputs, …) @param bias (outputs) or undefined for zeros */
  constructor(weight: Blob, bias: Blob | undefined) {
    this.weight = new Memory(weight.count, weight.memory.data.home)
    this.bias = new Memory(weight.dim(0), weight.memory.data.home)
    this.weight.write(values => values.set(weight.memory.data.values))
    if (bias) this.bias.write(values => values.set(bias.memory.data.values))
  }

  /** w ← factor·w, b ← factor·b + shift, output by output. */
  absorb({ factor, shift }: ChannelAffine): void {
    const K = this.weight.length / this.bias.length
    this.weight.write(w => {
      for (let m = 0; m < factor.length; m++) for (let k = m * K; k < (m + 1) * K; k++) w[k] *= factor[m]
    })
    this.bias.write(b => {
      for (let m = 0; m < b.length; m++) b[m] = b[m] * factor[m] + shift[m]
    })
  }

  memories(): Memory[] {
    return [this.weight, this.bias]
  }

  dispose(): void {
    this.weight.dispose()
    this.bias.dispose()
  }
}
