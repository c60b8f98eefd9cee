import { type Blob, shapeText } from '../blob.js'
import type { FilledRecurrentParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { RecurrentSteps, type Step } from './recurrent_steps.js'

/** Each step has memories of its own. */
const MAX_STEPS = 1 << 17

/**
 * x (T, N, …), cont (T, N)[, x_static (N, …)][, initial states (1, N, H)] → y (T, N, H)[, last states (1, N, H)].
 * At each step the gates receive Wx·x[t] + b (+ Ws·x_static) + Wh·(cont[t]·h[t−1]). The state goes on from one forward pass to the
 * next where cont[0] is not 0; gradients do not. Blobs: Wx, b[, Ws], Wh and what the subclass adds.
 */
export abstract class RecurrentLayer extends Layer {
  /** How many blobs of state there are: h, c. */
  protected abstract stateCount(): number
  /** How many gates a hidden value has. */
  protected abstract gateCount(): number
  /** step.states ← what follows from step.gates and the states before. */
  protected abstract forwardStep(step: Step, before: readonly Memory[]): void
  /** dgates ← ∂E/∂step.gates from dh, and from what the subclass carries from the step after this one. */
  protected abstract backwardStep(step: Step, before: readonly Memory[], dh: Memory, dgates: Memory): void

  protected readonly p: FilledRecurrentParameter = withDefaults('RecurrentParameter', this.param.recurrent_param)
  private readonly exposed = this.p.expose_hidden ? this.stateCount() : 0
  override readonly bottomCount: Count = { atLeast: 2 + this.exposed, atMost: 3 + this.exposed }
  override readonly topCount: Count = { exactly: 1 + this.exposed }

  /** H. */
  protected readonly hidden = this.p.num_output
  protected readonly width = this.gateCount() * this.hidden
  protected readonly steps = new RecurrentSteps(this.engine.heap, this.stateCount(), this.hidden, this.width)
  private hasStatic = false
  private readonly conted = new Memory(0, this.engine.heap)
  private readonly dh = new Memory(0, this.engine.heap)
  private readonly dgates = new Memory(0, this.engine.heap)
  private readonly staticGates = new Memory(0, this.engine.heap)
  /** All steps one after the other: gate inputs respectively their gradients, and cont·h. */
  private readonly allGates = new Memory(0, this.engine.heap)
  private readonly allConted = new Memory(0, this.engine.heap)

  override setup(bottom: Blob[]): void {
    if (this.hidden < 1) throw this.error(`recurrent_param needs num_output of at least 1 (it is ${this.hidden})`)
    this.hasStatic = bottom.length > 2 + this.exposed
    this.checkInputs(bottom)
    const { weight_filler, bias_filler } = this.p
    this.addBlob([this.width, bottom[0].size(2)], weight_filler)
    this.addBlob([this.width], bias_filler)
    if (this.hasStatic) this.addBlob([this.width, bottom[2].size(1)], weight_filler)
    this.addBlob([this.width, this.hidden], weight_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.checkInputs(bottom)
    const [T, N] = bottom[0].shape
    if (T > MAX_STEPS) throw this.error(`bottom 0 has ${T} time steps, at most ${MAX_STEPS} can be unrolled: cut the sequences`)
    if (T !== this.steps.count || N !== this.steps.batch) this.unroll(T, N)
    top[0].reshape([T, N, this.hidden])
    for (const blob of top.slice(1)) blob.reshape([1, N, this.hidden])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== 1
  }

  /** Forget the state that the last pass left. */
  reset(): void {
    for (const state of this.steps.last) this.kernels.fill(state.length, 0, state)
  }

  /** Bring home what `saveState` reads. */
  async pullState(): Promise<void> {
    if (!this.exposed) for (const memory of this.steps.last) await memory.pull()
  }

  /** The state that the next pass goes on from, value by value. On a device `pullState` comes first. */
  override saveState(): Record<string, number> | undefined {
    if (this.exposed) return undefined
    const state: Record<string, number> = {}
    this.steps.last.forEach((memory, k) => {
      // looked at only: on a device the state is not sent up again
      const values = memory.hostValues ?? memory.array
      values.forEach((value, i) => {
        if (value !== 0 && Number.isFinite(value)) state[`${k}.${i}`] = value
      })
    })
    return state
  }

  override restoreState(state: Record<string, number>): void {
    for (const memory of this.steps.last) {
      memory.claim()
      memory.array.fill(0)
    }
    for (const [key, value] of Object.entries(state)) {
      const [k, i] = key.split('.').map(Number)
      if (Number.isInteger(i) && i >= 0 && i < (this.steps.last[k]?.length ?? 0)) this.steps.last[k].array[i] = value
    }
  }

  /** Runs all steps; h of all of them goes to `allHidden` (T, N, H). */
  protected forwardSteps(bottom: Blob[], top: Blob[], allHidden: Memory): void {
    const { kernels, steps, hidden: H, width: G, blobs } = this
    const { count: T, batch: N } = steps
    const [x, cont] = bottom
    const wh = blobs[this.hasStatic ? 3 : 2].memory.data
    steps.initial.forEach((state, k) => {
      const from = this.exposed ? bottom[bottom.length - this.exposed + k].memory.data : this.steps.last[k]
      kernels.copy(N * H, from, state)
    })
    kernels.gemm(false, true, T * N, G, x.size(2), 1, x.memory.data, blobs[0].memory.data, 0, this.allGates)
    kernels.addBias(T * N, G, 1, blobs[1].memory.data, this.allGates)
    if (this.hasStatic)
      kernels.gemm(false, true, N, G, bottom[2].size(1), 1, bottom[2].memory.data, blobs[2].memory.data, 0, this.staticGates)
    for (let t = 0; t < T; t++) {
      const step = steps.all[t]
      const before = steps.before(t)
      kernels.copyRows(1, N, cont.memory.data, t * N, N, step.cont, 0, N)
      kernels.scaleChannels(1, N, H, before[0], step.cont, null, this.conted)
      kernels.copyRows(1, N * H, this.conted, 0, N * H, this.allConted, t * N * H, N * H)
      kernels.copyRows(1, N * G, this.allGates, t * N * G, N * G, step.gates, 0, N * G)
      if (this.hasStatic) kernels.axpby(N * G, 1, this.staticGates, 1, step.gates)
      kernels.gemm(false, true, N, G, H, 1, this.conted, wh, 1, step.gates)
      this.forwardStep(step, before)
      kernels.copyRows(1, N * H, step.states[0], 0, N * H, allHidden, t * N * H, N * H)
    }
    steps.all[T - 1].states.forEach((state, k) => {
      kernels.copy(N * H, state, this.steps.last[k])
      if (this.exposed) kernels.copy(N * H, state, top[1 + k].memory.data)
    })
  }

  /** From the gradients of all h (T, N, H) to those of params and bottoms. */
  protected backwardSteps(dhidden: Memory, propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, steps, hidden: H, width: G, blobs, dh, dgates, allGates } = this
    const { count: T, batch: N } = steps
    if (propagateDown[1])
      throw this.error(`'${bottom[1].name}' says where sequences go on and has no gradient: give this layer propagate_down: false for it`)
    const wh = blobs[this.hasStatic ? 3 : 2].memory
    for (let t = T - 1; t >= 0; t--) {
      const step = steps.all[t]
      kernels.copyRows(1, N * H, dhidden, t * N * H, N * H, dh, 0, N * H)
      // what the step after this one sends back through its weights
      if (t < T - 1) kernels.axpby(N * H, 1, this.conted, 1, dh)
      this.backwardStep(step, steps.before(t), dh, dgates)
      kernels.copyRows(1, N * G, dgates, 0, N * G, allGates, t * N * G, N * G)
      if (t === 0) continue
      kernels.gemm(false, false, N, H, G, 1, dgates, wh.data, 0, this.conted)
      kernels.scaleChannels(1, N, H, this.conted, step.cont, null, this.conted)
    }
    const x = bottom[0]
    const [wx, b, ws] = blobs
    const learns = this.paramPropagateDown
    if (learns[0]) kernels.gemm(true, false, G, x.size(2), T * N, 1, allGates, x.memory.data, 1, wx.memory.diff)
    if (learns[1]) kernels.biasGradient(T * N, G, 1, allGates, b.memory.diff)
    if (learns[this.hasStatic ? 3 : 2]) kernels.gemm(true, false, G, H, T * N, 1, allGates, this.allConted, 1, wh.diff)
    if (propagateDown[0]) kernels.gemm(false, false, T * N, x.size(2), G, 1, allGates, wx.memory.data, 0, x.memory.diff)
    // as in Caffe, initial states are given, not learned
    for (let i = bottom.length - this.exposed; i < bottom.length; i++) if (propagateDown[i]) kernels.fill(N * H, 0, bottom[i].memory.diff)
    if (!this.hasStatic) return
    const S = bottom[2].size(1)
    kernels.sumMiddle(1, T, N * G, allGates, this.staticGates)
    if (learns[2]) kernels.gemm(true, false, G, S, N, 1, this.staticGates, bottom[2].memory.data, 1, ws.memory.diff)
    if (propagateDown[2]) kernels.gemm(false, false, N, S, G, 1, this.staticGates, ws.memory.data, 0, bottom[2].memory.diff)
  }

  override dispose(): void {
    this.steps.dispose()
    for (const memory of [this.conted, this.dh, this.dgates, this.staticGates, this.allGates, this.allConted]) memory.dispose()
  }

  private unroll(T: number, N: number): void {
    const others = N !== this.steps.batch
    this.steps.resize(T, N)
    for (const memory of [this.conted, this.dh]) memory.resize(N * this.hidden)
    for (const memory of [this.dgates, this.staticGates]) memory.resize(N * this.width)
    this.allGates.resize(T * N * this.width)
    this.allConted.resize(T * N * this.hidden)
    // the streams of another batch size are other streams
    if (others) this.reset()
  }

  private checkInputs(bottom: Blob[]): void {
    const [x, cont] = bottom
    const show = (blob: Blob) => `'${blob.name}' (${shapeText(blob.shape)})`
    if (x.numAxes < 3 || x.count === 0)
      throw this.error(`${show(x)} must have at least 3 axes, none empty: time steps, streams and the values of a step`)
    const [T, N] = x.shape
    if (cont.numAxes !== 2 || cont.dim(0) !== T || cont.dim(1) !== N)
      throw this.error(`${show(cont)} must be ${T}×${N}, the time steps and streams of ${show(x)}: 0 where a sequence begins, else 1`)
    if (this.hasStatic && (bottom[2].numAxes < 2 || bottom[2].dim(0) !== N))
      throw this.error(`the static input ${show(bottom[2])} must have at least 2 axes, the first being the ${N} streams of ${show(x)}`)
    for (const state of bottom.slice(bottom.length - this.exposed)) {
      if (this.exposed && (state.numAxes !== 3 || state.dim(0) !== 1 || state.dim(1) !== N || state.dim(2) !== this.hidden))
        throw this.error(`the initial state ${show(state)} must be 1×${N}×${this.hidden}: one step, the streams, num_output`)
    }
    const blobs = this.blobs
    if (blobs.length && (blobs[0].dim(1) !== x.size(2) || (this.hasStatic && blobs[2].dim(1) !== bottom[2].size(1))))
      throw this.error(
        `a step of ${show(x)} has ${x.size(2)} values, but the weights are for ${blobs[0].dim(1)}: only steps and streams may change`,
      )
  }
}
