import { type Blob, shapeText } from '../blob.js'
import type { FilledRecurrentParameter } from '../generated/caffe.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { LSTMLayer } from './lstm.js'
import type { RecurrentBlob } from './parts/recurrent.js'

/**
 * An LSTM whose sequences begin with each pass, unless a second bottom says what goes on: x (T, N, I) or, of rows, (T·N,
 * …) with `batch_size` N; cont (T, N) or (T·N). Blobs: Wx, Wh, b. Gradients of gates may be cut on their way back.
 */
export class PlainLSTMLayer extends LSTMLayer {
  static override readonly param = ['lstm_param'] as const
  static override readonly uses = [...LSTMLayer.uses, ...(['axpby', 'clip', 'scaleChannels'] as const)] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  /** What stands for cont where there is no second bottom. */
  private readonly goesOn = new Memory(0, this.engine.heap)

  private get own() {
    return withDefaults('LstmParameter', this.param.lstm_param)
  }

  protected override settings(): FilledRecurrentParameter {
    const { num_output, weight_filler, bias_filler } = this.own
    return withDefaults('RecurrentParameter', { num_output, weight_filler, bias_filler })
  }

  protected override get order(): readonly RecurrentBlob[] {
    return ['Wx', 'Wh', 'b']
  }

  private hasRows(x: Blob): boolean {
    return x.numAxes !== 3
  }

  protected override sizesOf(x: Blob): readonly [steps: number, streams: number, values: number] {
    if (!this.hasRows(x)) return [x.dim(0), x.dim(1), x.dim(2)]
    const { batch_size } = this.own
    return [x.dim(0) / batch_size, batch_size, x.size(1)]
  }

  protected override contOf(bottom: Blob[]): Memory {
    return bottom[1]?.memory.data ?? this.goesOn
  }

  override setup(bottom: Blob[]): void {
    const { num_output, clipping_threshold } = this.own
    if (!num_output) throw this.error('num_output: give how many hidden values there are')
    if (!(clipping_threshold >= 0)) throw this.error(`clipping_threshold: ${clipping_threshold} must not be negative`)
    super.setup(bottom)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    if (this.hasRows(bottom[0])) top[0].reshape([this.steps * this.batch, this.hidden])
    if (bottom.length > 1 || this.goesOn.length === this.steps * this.batch) return
    this.goesOn.resize(this.steps * this.batch)
    this.goesOn.array.fill(0, 0, this.batch).fill(1, this.batch)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (this.own.clipping_threshold === 0) {
      super.backward(top, propagateDown, bottom)
      return
    }
    this.refuseContGradient(propagateDown, bottom)
    this.clippedGradient(top[0].memory.diff, this.contOf(bottom))
    this.backwardGates(propagateDown, bottom)
  }

  /** lstmGradient step by step: what is cut in one is what reaches the one before. */
  private clippedGradient(dh: Memory, cont: Memory): void {
    const { kernels, steps: T, batch: N, hidden: H, dc, dgates } = this
    const { clipping_threshold: most } = this.own
    const parts: Memory[] = []
    const part = (size: number): Memory => {
      const memory = new Memory(size, this.engine.heap)
      parts.push(memory)
      return memory
    }
    const [dy, back, states] = [part(N * H), part(N * H), part(2 * N * H)]
    const [gates, slopes, go] = [part(N * 4 * H), part(N * 4 * H), part(N)]
    const take = (from: Memory, t: number, to: Memory) =>
      kernels.copyRows(1, to.length, from, t * to.length, to.length, to, 0, to.length)
    kernels.fill(N * H, 0, dc)
    for (let t = T - 1; t >= 0; t--) {
      take(dh, t, dy)
      if (t < T - 1) {
        kernels.gemm(false, false, N, H, 4 * H, 1, slopes, this.Wh.memory.data, 0, back)
        take(cont, t + 1, go)
        kernels.scaleChannels(1, N, H, back, go, null, back)
        kernels.axpby(N * H, 1, back, 1, dy)
      }
      kernels.copyRows(1, 2 * N * H, this.c, t * N * H, 2 * N * H, states, 0, 2 * N * H)
      take(this.gates, t, gates)
      take(cont, t, go)
      kernels.lstmGradient(1, N, H, go, this.Wh.memory.data, gates, states, dy, dc, slopes)
      kernels.clip(N * 4 * H, -most, most, slopes, slopes)
      kernels.copyRows(1, slopes.length, slopes, 0, slopes.length, dgates, t * slopes.length, slopes.length)
    }
    for (const memory of parts) memory.dispose()
  }

  protected override checkInputs([x, cont]: Blob[]): void {
    const show = (blob: Blob) => `'${blob.name}' (${shapeText(blob.shape)})`
    const { batch_size } = this.own
    if (x.numAxes < 2 || x.count === 0 || (this.hasRows(x) && (batch_size < 1 || x.dim(0) % batch_size !== 0)))
      throw this.error(
        `${show(x)} must be steps × streams × values, or rows of values that batch_size: ${batch_size} divides`,
      )
    const [T, N, values] = this.sizesOf(x)
    if (cont && (cont.count !== T * N || (cont.dim(0) !== T && cont.dim(0) !== T * N)))
      throw this.error(
        `${show(cont)} must have ${T}×${N} values, the steps and streams of ${show(x)}: 0 where a sequence begins, else 1`,
      )
    const [weights] = this.blobs
    if (weights && weights.dim(1) !== values)
      throw this.error(
        `a step of ${show(x)} has ${values} values, but the weights are for ${weights.dim(1)}: only steps and streams may change`,
      )
  }

  override dispose(): void {
    super.dispose()
    this.goesOn.dispose()
  }
}
