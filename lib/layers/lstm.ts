import type { Blob } from '../blob.js'
import type { Kernels } from '../engine.js'
import { Memory } from '../memory.js'
import { RecurrentLayer } from './parts/recurrent.js'

/**
 * Long short-term memory: (i, f, o, g) = Wx·x[t] + b (+ Ws·x_static) + Wh·(cont[t]·h[t−1]),
 * c[t] = cont[t]·σ(f)·c[t−1] + σ(i)·tanh(g), h[t] = σ(o)·tanh c[t]. Top 0 is h; states are h and c. Blobs: Wx, b[, Ws],
 * Wh.
 */
export class LSTMLayer extends RecurrentLayer {
  static override readonly param: readonly ['recurrent_param'] | readonly ['lstm_param'] = ['recurrent_param']
  static override readonly uses: readonly (keyof Kernels)[] = [
    ...(['gemm', 'addBias', 'biasGradient', 'copy', 'copyRows', 'fill', 'sumMiddle', 'lstm', 'lstmGradient'] as const),
  ]
  /** c before the first step and after each one. */
  protected readonly c = new Memory(0, this.engine.heap)
  protected readonly dc = new Memory(0, this.engine.heap)

  protected override stateCount(): number {
    return 2
  }

  protected override gateCount(): number {
    return 4
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.dc.resize(this.batch * this.hidden)
    this.c.resize((this.steps + 1) * this.dc.length)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, steps: T, batch: N, hidden: H, c } = this
    const h = top[0].memory.data
    this.forwardGates(bottom)
    kernels.copyRows(1, N * H, this.initial(1, bottom), 0, N * H, c, 0, N * H)
    kernels.lstm(
      T,
      N,
      H,
      this.contOf(bottom),
      this.Wh.memory.data,
      this.initial(0, bottom),
      this.gates,
      this.conted,
      c,
      h,
    )
    this.keepLast(0, T, h, top)
    this.keepLast(1, T + 1, c, top)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, steps: T, batch: N, hidden: H, dc } = this
    this.refuseContGradient(propagateDown, bottom)
    // nothing comes back into c from behind the last step
    kernels.fill(N * H, 0, dc)
    const dh = top[0].memory.diff
    kernels.lstmGradient(T, N, H, this.contOf(bottom), this.Wh.memory.data, this.gates, this.c, dh, dc, this.dgates)
    this.backwardGates(propagateDown, bottom)
  }

  override dispose(): void {
    super.dispose()
    this.c.dispose()
    this.dc.dispose()
  }
}
