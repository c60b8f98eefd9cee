import { type Blob, shapeText } from '../../blob.js'
import type { FilledRecurrentParameter } from '../../generated/caffe.js'
import { type Count, Layer } from '../../layer.js'
import { Memory } from '../../memory.js'
import { withDefaults } from '../../proto/message.js'

/** What a step is multiplied with, what is added, and what static inputs and the state are multiplied with. */
export type RecurrentBlob = 'Wx' | 'b' | 'Ws' | 'Wh'

/** Kernels take steps one after the other; a device keeps some values of each apart. */
const MAX_STEPS = 1 << 17

/**
 * x (T, N, …), cont (T, N)[, x_static (N, …)][, initial states (1, N, H)] → y (T, N, H)[, last states (1, N, H)].
 * At each step the gates receive Wx·x[t] + b (+ Ws·x_static) + Wh·(cont[t]·h[t−1]). The state goes on from one forward
 * pass to the next where cont[0] is not 0; gradients do not. Blobs: Wx, b[, Ws], Wh and what the subclass adds.
 */
export abstract class RecurrentLayer extends Layer {
  static override readonly onlyKernels = true
  /** How many states there are: h, and c. */
  protected abstract stateCount(): number
  /** How many gates a hidden value has. */
  protected abstract gateCount(): number
  protected settings(): FilledRecurrentParameter {
    return withDefaults('RecurrentParameter', this.param.recurrent_param)
  }
  /** Blobs in their order, without what the subclass adds. */
  protected get order(): readonly RecurrentBlob[] {
    return this.hasStatic ? ['Wx', 'b', 'Ws', 'Wh'] : ['Wx', 'b', 'Wh']
  }
  /** T, N and the values of a step. */
  protected sizesOf(x: Blob): readonly [steps: number, streams: number, values: number] {
    return [x.dim(0), x.dim(1), x.size(2)]
  }
  protected contOf(bottom: Blob[]): Memory {
    return bottom[1].memory.data
  }

  protected readonly p: FilledRecurrentParameter = this.settings()
  private readonly exposed = this.p.expose_hidden ? this.stateCount() : 0
  override readonly bottomCount: Count = { atLeast: 2 + this.exposed, atMost: 3 + this.exposed }
  override readonly topCount: Count = { exactly: 1 + this.exposed }

  /** H. */
  protected readonly hidden = this.p.num_output
  protected readonly width = this.gateCount() * this.hidden
  /** T and N. */
  protected steps = 0
  protected batch = 0
  private hasStatic = false
  /** All steps one after the other: what goes into the gates, its gradient, and cont·h. */
  protected readonly gates = new Memory(0, this.engine.heap)
  protected readonly conted = new Memory(0, this.engine.heap)
  private readonly staticGates = new Memory(0, this.engine.heap)
  /** The states after the last step of the last pass, (N, H). */
  private readonly lastH = new Memory(0, this.engine.heap)
  private readonly lastC = new Memory(0, this.engine.heap)
  private readonly last = [this.lastH, this.lastC].slice(0, this.stateCount())

  override setup(bottom: Blob[]): void {
    if (this.hidden < 1) throw this.error(`recurrent_param needs num_output of at least 1 (it is ${this.hidden})`)
    this.hasStatic = bottom.length > 2 + this.exposed
    this.checkInputs(bottom)
    const { weight_filler, bias_filler } = this.p
    const values = { Wx: () => this.sizesOf(bottom[0])[2], Ws: () => bottom[2].size(1), Wh: () => this.hidden }
    for (const name of this.order)
      if (name === 'b') this.addBlob([this.width], bias_filler)
      else this.addBlob([this.width, values[name]()], weight_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.checkInputs(bottom)
    const [T, N] = this.sizesOf(bottom[0])
    if (T > MAX_STEPS)
      throw this.error(`bottom 0 has ${T} time steps, at most ${MAX_STEPS} can be unrolled: cut the sequences`)
    if (T !== this.steps || N !== this.batch) this.resize(T, N)
    top[0].reshape([T, N, this.hidden])
    for (const blob of top.slice(1)) blob.reshape([1, N, this.hidden])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== 1
  }

  /** Forget the state that the last pass left. */
  reset(): void {
    for (const state of this.last) this.kernels.fill(state.length, 0, state)
  }

  override async pullState(): Promise<void> {
    if (!this.exposed) for (const memory of this.last) await memory.pull()
  }

  /** The state that the next pass goes on from, value by value. On a device `pullState` comes first. */
  override saveState(): Record<string, number> | undefined {
    if (this.exposed) return undefined
    const state: Record<string, number> = {}
    this.last.forEach((memory, k) => {
      // looked at only: on a device the state is not sent up again
      const values = memory.hostValues ?? memory.array
      values.forEach((value, i) => {
        if (value !== 0 && Number.isFinite(value)) state[`${k}.${i}`] = value
      })
    })
    return state
  }

  override restoreState(state: Record<string, number>): void {
    for (const memory of this.last) {
      memory.claim()
      memory.array.fill(0)
    }
    for (const [key, value] of Object.entries(state)) {
      const [k, i] = key.split('.').map(Number)
      if (Number.isInteger(i) && i >= 0 && i < (this.last[k]?.length ?? 0)) this.last[k].array[i] = value
    }
  }

  protected get dgates(): Memory {
    return this.engine.scratch(this.steps * this.batch * this.width)
  }

  /** State k before the first step, (N, H). */
  protected initial(k: number, bottom: Blob[]): Memory {
    return this.exposed ? bottom[bottom.length - this.exposed + k].memory.data : this.last[k]
  }

  protected get Wh(): Blob {
    return this.blobOf('Wh')
  }

  private blobOf(name: RecurrentBlob): Blob {
    return this.blobs[this.order.indexOf(name)]
  }

  private learns(name: RecurrentBlob): boolean {
    return this.paramPropagateDown[this.order.indexOf(name)]
  }

  /** gates ← what goes into them beside the state before. */
  protected forwardGates(bottom: Blob[]): void {
    const { kernels, steps: T, batch: N, width: G, gates, staticGates } = this
    const [x] = bottom
    const K = this.sizesOf(x)[2]
    kernels.gemm(false, true, T * N, G, K, 1, x.memory.data, this.blobOf('Wx').memory.data, 0, gates)
    kernels.addBias(T * N, G, 1, this.blobOf('b').memory.data, gates)
    if (!this.hasStatic) return
    const ws = this.blobOf('Ws').memory.data
    kernels.gemm(false, true, N, G, bottom[2].size(1), 1, bottom[2].memory.data, ws, 0, staticGates)
    kernels.addBias(T, N * G, 1, staticGates, gates)
  }

  /** The last of `count` states (N, H) at `states` is what state k goes on from, and what a top shows. */
  protected keepLast(k: number, count: number, states: Memory, top: Blob[]): void {
    const n = this.batch * this.hidden
    this.kernels.copyRows(1, n, states, (count - 1) * n, n, this.last[k], 0, n)
    if (this.exposed) this.kernels.copy(n, this.last[k], top[1 + k].memory.data)
  }

  /** From the gradients of all gates to those of params and bottoms. */
  protected backwardGates(propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, steps: T, batch: N, hidden: H, width: G, dgates, conted, staticGates } = this
    const x = bottom[0]
    const K = this.sizesOf(x)[2]
    const wx = this.blobOf('Wx').memory
    if (this.learns('Wx')) kernels.gemm(true, false, G, K, T * N, 1, dgates, x.memory.data, 1, wx.diff)
    if (this.learns('b')) kernels.biasGradient(T * N, G, 1, dgates, this.blobOf('b').memory.diff)
    if (this.learns('Wh')) kernels.gemm(true, false, G, H, T * N, 1, dgates, conted, 1, this.Wh.memory.diff)
    if (propagateDown[0]) kernels.gemm(false, false, T * N, K, G, 1, dgates, wx.data, 0, x.memory.diff)
    // as in Caffe, initial states are given, not learned
    for (let i = bottom.length - this.exposed; i < bottom.length; i++)
      if (propagateDown[i]) kernels.fill(N * H, 0, bottom[i].memory.diff)
    if (!this.hasStatic) return
    const S = bottom[2].size(1)
    const ws = this.blobOf('Ws').memory
    kernels.sumMiddle(1, T, N * G, dgates, staticGates)
    if (this.learns('Ws')) kernels.gemm(true, false, G, S, N, 1, staticGates, bottom[2].memory.data, 1, ws.diff)
    if (propagateDown[2]) kernels.gemm(false, false, N, S, G, 1, staticGates, ws.data, 0, bottom[2].memory.diff)
  }

  /** cont has no gradient. */
  protected refuseContGradient(propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[1])
      throw this.error(
        `'${bottom[1].name}' says where sequences go on and has no gradient: give this layer propagate_down: false for it`,
      )
  }

  override dispose(): void {
    for (const memory of [this.gates, this.conted, this.staticGates, ...this.last]) memory.dispose()
  }

  private resize(T: number, N: number): void {
    const others = N !== this.batch
    this.steps = T
    this.batch = N
    this.gates.resize(T * N * this.width)
    this.conted.resize(T * N * this.hidden)
    if (this.hasStatic) this.staticGates.resize(N * this.width)
    for (const memory of this.last) memory.resize(N * this.hidden)
    // the streams of another batch size are other streams
    if (others) this.reset()
  }

  protected checkInputs(bottom: Blob[]): void {
    const [x, cont] = bottom
    const show = (blob: Blob) => `'${blob.name}' (${shapeText(blob.shape)})`
    if (x.numAxes < 3 || x.count === 0)
      throw this.error(`${show(x)} must have at least 3 axes, none empty: time steps, streams and the values of a step`)
    const [T, N] = x.shape
    if (cont.numAxes !== 2 || cont.dim(0) !== T || cont.dim(1) !== N)
      throw this.error(
        `${show(cont)} must be ${T}×${N}, the time steps and streams of ${show(x)}: 0 where a sequence begins, else 1`,
      )
    if (this.hasStatic && (bottom[2].numAxes < 2 || bottom[2].dim(0) !== N))
      throw this.error(
        `the static input ${show(bottom[2])} must have at least 2 axes, the first being the ${N} streams of ${show(x)}`,
      )
    for (const state of bottom.slice(bottom.length - this.exposed)) {
      if (
        this.exposed &&
        (state.numAxes !== 3 || state.dim(0) !== 1 || state.dim(1) !== N || state.dim(2) !== this.hidden)
      )
        throw this.error(
          `the initial state ${show(state)} must be 1×${N}×${this.hidden}: one step, the streams, num_output`,
        )
    }
    const blobs = this.blobs
    if (blobs.length && (blobs[0].dim(1) !== x.size(2) || (this.hasStatic && blobs[2].dim(1) !== bottom[2].size(1))))
      throw this.error(
        `a step of ${show(x)} has ${x.size(2)} values, but the weights are for ${blobs[0].dim(1)}: only steps and streams may change`,
      )
  }
}
