import { type Blob, shapeText } from '../blob.js'
import type { FilledRecurrentParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'

/** What one time step keeps for the way back; all (N, …). */
export interface Step {
  readonly cont: Memory
  /** What goes into the gates, (N, gates·H). */
  readonly gates: Memory
  /** State after the step: h, and c if there is one. */
  readonly states: readonly Memory[]
}

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

  protected steps = 0
  protected batch = 0
  /** H. */
  protected readonly hidden = this.p.num_output
  protected readonly width = this.gateCount() * this.hidden
  private hasStatic = false
  private unrolled: Step[] = []
  /** States before the first step, and after the last step of the last pass. */
  private readonly initial = this.states()
  private readonly last = this.states()
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
    if (T !== this.steps || N !== this.batch) this.unroll(T, N)
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

  /** The state that the next pass goes on from, value by value; on a device it stays there, and a resumed run starts afresh. */
  override saveState(): Record<string, number> | undefined {
    if (this.exposed || !this.engine.isHost) return undefined
    const state: Record<string, number> = {}
    this.last.forEach((memory, k) => {
      memory.array.forEach((value, i) => {
        if (value !== 0 && Number.isFinite(value)) state[`${k}.${i}`] = value
      })
    })
    return state
  }

  override restoreState(state: Record<string, number>): void {
    this.reset()
    for (const [key, value] of Object.entries(state)) {
      const [k, i] = key.split('.').map(Number)
      if (k < this.last.length && i < this.last[k].length) this.last[k].array[i] = value
    }
  }

  /** Runs all steps; h of all of them goes to `allHidden` (T, N, H). */
  protected forwardSteps(bottom: Blob[], top: Blob[], allHidden: Memory): void {
    const { kernels, steps: T, batch: N, hidden: H, width: G, blobs } = this
    const [x, cont] = bottom
    const wh = blobs[this.hasStatic ? 3 : 2].memory.data
    this.initial.forEach((state, k) => {
      const from = this.exposed ? bottom[bottom.length - this.exposed + k].memory.data : this.last[k]
      kernels.copy(N * H, from, state)
    })
    kernels.gemm(false, true, T * N, G, x.size(2), 1, x.memory.data, blobs[0].memory.data, 0, this.allGates)
    kernels.addBias(T * N, G, 1, blobs[1].memory.data, this.allGates)
    if (this.hasStatic)
      kernels.gemm(false, true, N, G, bottom[2].size(1), 1, bottom[2].memory.data, blobs[2].memory.data, 0, this.staticGates)
    for (let t = 0; t < T; t++) {
      const step = this.unrolled[t]
      const before = this.before(t)
      kernels.copyRows(1, N, cont.memory.data, t * N, N, step.cont, 0, N)
      kernels.scaleChannels(1, N, H, before[0], step.cont, null, this.conted)
      kernels.copyRows(1, N * H, this.conted, 0, N * H, this.allConted, t * N * H, N * H)
      kernels.copyRows(1, N * G, this.allGates, t * N * G, N * G, step.gates, 0, N * G)
      if (this.hasStatic) kernels.axpby(N * G, 1, this.staticGates, 1, step.gates)
      kernels.gemm(false, true, N, G, H, 1, this.conted, wh, 1, step.gates)
      this.forwardStep(step, before)
      kernels.copyRows(1, N * H, step.states[0], 0, N * H, allHidden, t * N * H, N * H)
    }
    this.unrolled[T - 1].states.forEach((state, k) => {
      kernels.copy(N * H, state, this.last[k])
      if (this.exposed) kernels.copy(N * H, state, top[1 + k].memory.data)
    })
  }

  /** From the gradients of all h (T, N, H) to those of params and bottoms. */
  protected backwardSteps(dhidden: Memory, propagateDown: boolean[], bottom: Blob[]): void {
    const { kernels, steps: T, batch: N, hidden: H, width: G, blobs, dh, dgates, allGates } = this
    if (propagateDown[1])
      throw this.error(`'${bottom[1].name}' says where sequences go on and has no gradient: give this layer propagate_down: false for it`)
    const wh = blobs[this.hasStatic ? 3 : 2].memory
    for (let t = T - 1; t >= 0; t--) {
      const step = this.unrolled[t]
      kernels.copyRows(1, N * H, dhidden, t * N * H, N * H, dh, 0, N * H)
      // what the step after this one sends back through its weights
      if (t < T - 1) kernels.axpby(N * H, 1, this.conted, 1, dh)
      this.backwardStep(step, this.before(t), dh, dgates)
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
    for (const memory of [...this.initial, ...this.last, this.conted, this.dh, this.dgates, this.staticGates]) memory.dispose()
    this.allGates.dispose()
    this.allConted.dispose()
    this.disposeSteps()
  }

  private before(t: number): readonly Memory[] {
    return t === 0 ? this.initial : this.unrolled[t - 1].states
  }

  private states(): Memory[] {
    return Array.from({ length: this.stateCount() }, () => new Memory(0, this.engine.heap))
  }

  private disposeSteps(): void {
    for (const step of this.unrolled) for (const memory of [step.cont, step.gates, ...step.states]) memory.dispose()
  }

  private unroll(T: number, N: number): void {
    const H = this.hidden
    const G = this.width
    const newMemory = (length: number) => new Memory(length, this.engine.heap)
    this.disposeSteps()
    this.unrolled = Array.from({ length: T }, () => {
      const states = Array.from({ length: this.stateCount() }, () => newMemory(N * H))
      return { cont: newMemory(N), gates: newMemory(N * G), states }
    })
    for (const memory of [...this.initial, ...this.last, this.conted, this.dh]) memory.resize(N * H)
    for (const memory of [this.dgates, this.staticGates]) memory.resize(N * G)
    this.allGates.resize(T * N * G)
    this.allConted.resize(T * N * H)
    // the streams of another batch size are other streams
    if (N !== this.batch) this.reset()
    this.steps = T
    this.batch = N
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
