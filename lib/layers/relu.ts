import type { Blob } from '../blob.js'
import type { After } from '../engine.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { NeuronLayer } from './parts/neuron.js'

/** y = x if x > 0, else negative_slope·x. */
export class ReLULayer extends NeuronLayer {
  static override readonly param = ['relu_param'] as const
  static override readonly uses = ['relu', 'reluGradient', 'copy'] as const

  /** `negative_slope`. */
  private slope = 0
  /** In place with a negative slope the sign of y does not tell the sign of x, so x is kept. */
  private signs: Memory | undefined

  override setup(bottom: Blob[], top: Blob[]): void {
    this.slope = withDefaults('ReLUParameter', this.param.relu_param).negative_slope
    if (this.slope < 0 && bottom[0] === top[0]) this.signs = new Memory(bottom[0].count, this.engine.heap)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.signs?.resize(bottom[0].count)
  }

  override get after(): After | undefined {
    return this.signs && this.needsBackward ? undefined : { relu: this.slope }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const x = bottom[0].memory.data
    if (this.signs && this.needsBackward) this.kernels.copy(bottom[0].count, x, this.signs)
    this.kernels.relu(bottom[0].count, this.slope, x, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const x = this.signs ?? bottom[0].memory.data
    this.kernels.reluGradient(bottom[0].count, this.slope, x, top[0].memory.diff, bottom[0].memory.diff)
  }

  override dispose(): void {
    this.signs?.dispose()
  }
}
