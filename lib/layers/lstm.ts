import type { Blob } from '../blob.js'
import { Memory } from '../memory.js'
import { RecurrentLayer } from './recurrent.js'
import type { Step } from './recurrent_steps.js'

/**
 * Long short-term memory: (i, f, o, g) = Wx·x[t] + b (+ Ws·x_static) + Wh·(cont[t]·h[t−1]),
 * c[t] = cont[t]·σ(f)·c[t−1] + σ(i)·tanh(g), h[t] = σ(o)·tanh c[t]. Top 0 is h; states are h and c. Blobs: Wx, b[, Ws], Wh.
 */
export class LSTMLayer extends RecurrentLayer {
  static override readonly uses = [
    ...(['gemm', 'addBias', 'biasGradient', 'copy', 'copyRows', 'fill', 'axpby', 'scaleChannels', 'sumMiddle'] as const),
    ...(['lstmUnit', 'lstmUnitGradient'] as const),
  ]
  private readonly dc = new Memory(0, this.engine.heap)

  protected override stateCount(): number {
    return 2
  }

  protected override gateCount(): number {
    return 4
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.dc.resize(this.steps.batch * this.hidden)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.forwardSteps(bottom, top, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    // nothing comes back into c from behind the last step
    this.kernels.fill(this.dc.length, 0, this.dc)
    this.backwardSteps(top[0].memory.diff, propagateDown, bottom)
  }

  protected override forwardStep({ gates, cont, states }: Step, before: readonly Memory[]): void {
    this.kernels.lstmUnit(this.steps.batch, this.hidden, before[1], gates, cont, states[1], states[0])
  }

  protected override backwardStep({ gates, cont, states }: Step, before: readonly Memory[], dh: Memory, dgates: Memory): void {
    const { dc } = this
    this.kernels.lstmUnitGradient(this.steps.batch, this.hidden, before[1], gates, cont, states[1], dc, dh, dc, dgates)
  }

  override dispose(): void {
    super.dispose()
    this.dc.dispose()
  }
}
