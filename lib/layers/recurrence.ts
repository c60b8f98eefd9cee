import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { type Cell, gru, type Run, rnn } from './parts/recurrence_cells.js'

/**
 * x (T, N, …)[, h before the first step (1, N, H)] → h of every step (T, N, H), from zeros where none is given: a GRU, or
 * h[t] = f(W·x[t] + b + R·h[t−1] + c). Blobs: W (gates·H, I), b, R (gates·H, H), c; the gates of a GRU are update, reset
 * and value. Gradients go to the first state, too.
 */
export class RecurrenceLayer extends Layer {
  static override readonly param = ['recurrence_param'] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('RecurrenceParameter', this.param.recurrence_param)
  private readonly cell: Cell = this.p.cell === 'GRU' ? gru : rnn
  private walked!: Run

  override setup(bottom: Blob[]): void {
    const { num_output: H = 0, weight_filler, bias_filler, linear_before_reset, cell } = this.p
    if (H < 1) throw this.error(`recurrence_param needs num_output of at least 1 (it is ${H})`)
    if (linear_before_reset && cell !== 'GRU') throw this.error('linear_before_reset: true is of cell: GRU alone')
    const rows = this.cell.gates * H
    this.checkInputs(bottom)
    this.addBlob([rows, bottom[0].size(2)], weight_filler)
    this.addBlob([rows], bias_filler)
    this.addBlob([rows, H], weight_filler)
    this.addBlob([rows], bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.checkInputs(bottom)
    this.refuseInPlace(bottom, top)
    const { num_output: H = 0, activation, linear_before_reset } = this.p
    const [steps, batch] = bottom[0].shape
    const inputs = bottom[0].size(2)
    const values = steps * batch * H
    this.walked = {
      ...{ steps, batch, inputs, hidden: H, activation, isLinear: linear_before_reset },
      gates: new Float64Array(this.cell.gates * values),
      slopes: new Float64Array(this.cell.gates * values),
      kept: new Float64Array(this.cell === gru ? values : 0),
    }
    top[0].reshape([steps, batch, H])
  }

  override forward(bottom: Blob[], [top]: Blob[]): void {
    const [W, b, R, c] = this.blobs.map(blob => blob.dataArray)
    const { walked: run } = this
    const rows = this.cell.gates * run.hidden
    const xs = bottom[0].dataArray
    for (let row = 0; row < run.steps * run.batch; row++) {
      for (let j = 0; j < rows; j++) {
        let sum = b[j]
        for (let i = 0, w = j * run.inputs, x = row * run.inputs; i < run.inputs; i++) sum += W[w++] * xs[x++]
        run.gates[row * rows + j] = sum
      }
    }
    this.cell.forward(run, R, c, bottom[1]?.dataArray, top.dataArray)
  }

  override backward([top]: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { walked: run } = this
    const [W, b, R, c] = this.blobs
    const rows = this.cell.gates * run.hidden
    const sums = { R: new Float64Array(R.count), c: new Float64Array(c.count) }
    const first = this.cell.backward(run, R.dataArray, bottom[1]?.dataArray, top.dataArray, top.diffArray, sums)
    if (bottom[1] && propagateDown[1]) bottom[1].diffArray.set(first)
    const added = (blob: Blob, i: number, values: Float64Array): void => {
      const { diffArray } = blob
      if (this.paramPropagateDown[i]) for (let k = 0; k < values.length; k++) diffArray[k] += values[k]
    }
    added(R, 2, sums.R)
    added(c, 3, sums.c)
    const xs = bottom[0].dataArray
    const [dW, db] = [new Float64Array(W.count), new Float64Array(b.count)]
    const dx = propagateDown[0] ? new Float64Array(bottom[0].count) : undefined
    const ws = W.dataArray
    for (let row = 0; row < run.steps * run.batch; row++) {
      const x = row * run.inputs
      for (let j = 0; j < rows; j++) {
        const slope = run.slopes[row * rows + j]
        const w = j * run.inputs
        db[j] += slope
        for (let i = 0; i < run.inputs; i++) dW[w + i] += slope * xs[x + i]
        if (dx) for (let i = 0; i < run.inputs; i++) dx[x + i] += slope * ws[w + i]
      }
    }
    added(W, 0, dW)
    added(b, 1, db)
    if (dx) bottom[0].diffArray.set(dx)
  }

  private checkInputs([x, first]: Blob[]): void {
    const { num_output: H = 0 } = this.p
    const show = (blob: Blob) => `'${blob.name}' (${shapeText(blob.shape)})`
    if (x.numAxes < 3 || x.count === 0)
      throw this.error(`${show(x)} must have at least 3 axes, none empty: time steps, streams and the values of a step`)
    if (first && first.shape.join() !== [1, x.dim(1), H].join())
      throw this.error(`the state ${show(first)} must be 1×${x.dim(1)}×${H}: one step, the streams, num_output`)
    if (this.blobs.length && this.blobs[0].dim(1) !== x.size(2))
      throw this.error(
        `a step of ${show(x)} has ${x.size(2)} values, but the weights are for ${this.blobs[0].dim(1)}: only steps and streams may change`,
      )
  }
}
