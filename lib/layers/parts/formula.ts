import type { Blob } from '../../blob.js'
import type { UnaryOperation } from '../../engine.js'
import { NeuronLayer } from './neuron.js'

/** A layer that is one of the kernels' functions of a value. */
export abstract class FormulaLayer extends NeuronLayer {
  static override readonly uses = ['unary', 'unaryGradient'] as const
  protected abstract readonly operation: UnaryOperation

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    super.reshape(bottom, top)
  }

  override forward([bottom]: Blob[], [top]: Blob[]): void {
    this.kernels.unary(this.operation, bottom.count, bottom.memory.data, top.memory.data)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    const [{ data: x, diff: dx }, { diff: dy }] = [bottom.memory, top.memory]
    this.kernels.unaryGradient(this.operation, bottom.count, x, dy, dx)
  }
}
