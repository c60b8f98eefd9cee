import type { Blob } from '../../blob.js'
import { Memory } from '../../memory.js'
import { NeuronLayer } from './neuron.js'

/**
 * A layer from bottom to a top of the same shape whose gradient is a function of the input. In place the input is gone
 * by then, so a copy is kept, and the gradient is right whatever else works in place on the same blob afterwards.
 */
export abstract class KeptInputLayer extends NeuronLayer {
  private readonly kept = new Memory(0, this.engine.heap)

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    if (top[0] === bottom[0]) this.kept.resize(bottom[0].count)
  }

  /**
   * To be called by forward before it writes: in place, copies the input if a backward pass may come. Uses the kernel
   * `copy`.
   */
  protected keepInput(bottom: Blob[], top: Blob[]): void {
    if (this.needsBackward && top[0] === bottom[0]) this.kernels.copy(bottom[0].count, bottom[0].memory.data, this.kept)
  }

  /** The values that bottom 0 had in forward. */
  protected input(bottom: Blob[], top: Blob[]): Memory {
    return top[0] === bottom[0] ? this.kept : bottom[0].memory.data
  }

  override dispose(): void {
    this.kept.dispose()
  }
}
