import type { Blob } from '../blob.js'
import { Memory } from '../memory.js'
import { RecurrentLayer } from './parts/recurrent.js'

/**
 * Plain recurrent net: h[t] = tanh(Wx·x[t] + b (+ Ws·x_static) + Wh·(cont[t]·h[t−1])), o[t] = tanh(Wo·h[t] + bo).
 * Top 0 is o; the state is h. Blobs: Wx, b[, Ws], Wh, Wo, bo.
 */
export class RNNLayer extends RecurrentLayer {
  static override readonly param = ['recurrent_param'] as const
  static override readonly uses = [
    ...([
      'gemm',
      'addBias',
      'biasGradient',
      'copy',
      'copyRows',
      'fill',
      'sumMiddle',
      'tanh',
      'tanhGradient',
      'rnn',
      'rnnGradient',
    ] as const),
  ]
  /** All steps one after the other. */
  private readonly allHidden = new Memory(0, this.engine.heap)
  private readonly outputs = new Memory(0, this.engine.heap)
  private readonly doutputs = new Memory(0, this.engine.heap)
  private readonly dhidden = new Memory(0, this.engine.heap)

  protected override stateCount(): number {
    return 1
  }

  protected override gateCount(): number {
    return 1
  }

  override setup(bottom: Blob[]): void {
    super.setup(bottom)
    this.addBlob([this.hidden, this.hidden], this.p.weight_filler)
    this.addBlob([this.hidden], this.p.bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    for (const memory of [this.allHidden, this.outputs, this.doutputs, this.dhidden]) memory.resize(top[0].count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { kernels, allHidden, outputs, steps: T, batch: N, hidden: H } = this
    const [wo, bo] = this.blobs.slice(-2)
    this.forwardGates(bottom)
    kernels.rnn(
      T,
      N,
      H,
      bottom[1].memory.data,
      this.Wh.memory.data,
      this.initial(0, bottom),
      this.gates,
      this.conted,
      allHidden,
    )
    this.keepLast(0, T, allHidden, top)
    kernels.gemm(false, true, T * N, H, H, 1, allHidden, wo.memory.data, 0, outputs)
    kernels.addBias(T * N, H, 1, bo.memory.data, outputs)
    kernels.tanh(T * N * H, outputs, outputs)
    // the top is a copy: whatever works in place on it must not change what the gradient is computed from
    kernels.copy(T * N * H, outputs, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, doutputs, dhidden, steps: T, batch: N, hidden: H } = this
    this.refuseContGradient(propagateDown, bottom)
    const n = this.blobs.length
    const [wo, bo] = this.blobs.slice(-2)
    kernels.tanhGradient(T * N * H, this.outputs, top[0].memory.diff, doutputs)
    if (this.paramPropagateDown[n - 2])
      kernels.gemm(true, false, H, H, T * N, 1, doutputs, this.allHidden, 1, wo.memory.diff)
    if (this.paramPropagateDown[n - 1]) kernels.biasGradient(T * N, H, 1, doutputs, bo.memory.diff)
    kernels.gemm(false, false, T * N, H, H, 1, doutputs, wo.memory.data, 0, dhidden)
    kernels.rnnGradient(T, N, H, bottom[1].memory.data, this.Wh.memory.data, this.allHidden, dhidden, this.dgates)
    this.backwardGates(propagateDown, bottom)
  }

  override dispose(): void {
    super.dispose()
    for (const memory of [this.allHidden, this.outputs, this.doutputs, this.dhidden]) memory.dispose()
  }
}
