import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/**
 * One time step of an LSTM without its weights: c (1, N, H), gate inputs (1, N, 4·H) in the order i, f, o, g, cont (1,
 * N)
 * → c = cont·σ(f)·c + σ(i)·tanh(g) and h = σ(o)·tanh c, both (1, N, H).
 */
export class LSTMUnitLayer extends Layer {
  static override readonly uses = ['lstmUnit', 'lstmUnitGradient'] as const
  override readonly bottomCount: Count = { exactly: 3 }
  override readonly topCount: Count = { exactly: 2 }
  private batch = 0
  private hidden = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [c, gates, cont] = bottom
    this.batch = c.numAxes === 3 ? c.dim(1) : 0
    this.hidden = c.numAxes === 3 ? c.dim(2) : 0
    this.requireShape(c, [1, this.batch, this.hidden])
    this.requireShape(gates, [1, this.batch, 4 * this.hidden])
    this.requireShape(cont, [1, this.batch])
    for (const blob of top) blob.reshapeLike(c)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== 2
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [c, gates, cont] = bottom
    this.kernels.lstmUnit(
      this.batch,
      this.hidden,
      c.memory.data,
      gates.memory.data,
      cont.memory.data,
      top[0].memory.data,
      top[1].memory.data,
    )
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [c, gates, cont] = bottom
    if (propagateDown[2])
      throw this.error(
        `'${cont.name}' says where sequences go on and has no gradient: give this layer propagate_down: false for it`,
      )
    if (!propagateDown[0] && !propagateDown[1]) return
    // the two gradients come from one computation; the one that is not wanted goes to the workspace
    const dc = propagateDown[0] ? c.memory.diff : this.engine.scratch(c.count)
    const dgates = propagateDown[1] ? gates.memory.diff : this.engine.scratch(gates.count)
    this.kernels.lstmUnitGradient(
      this.batch,
      this.hidden,
      c.memory.data,
      gates.memory.data,
      cont.memory.data,
      top[0].memory.data,
      top[0].memory.diff,
      top[1].memory.diff,
      dc,
      dgates,
    )
  }

  private requireShape(blob: Blob, shape: readonly number[]): void {
    if (blob.numAxes !== shape.length || shape.some((size, i) => blob.dim(i) !== size))
      throw this.error(
        `'${blob.name}' is ${shapeText(blob.shape)}, but must be ${shapeText(shape)}: bottoms are c (1×N×H), gate inputs (1×N×4H) and cont (1×N)`,
      )
  }
}
