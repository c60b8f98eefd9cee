import { type Heap, Memory } from '../memory.js'

/** What one time step keeps for the way back; all (N, …). */
export interface Step {
  readonly cont: Memory
  /** What goes into the gates, (N, gates·H). */
  readonly gates: Memory
  /** State after the step: h, and c if there is one. */
  readonly states: readonly Memory[]
}

/** The unrolled time steps of a recurrent layer, and the states before and behind them, all (N, …). */
export class RecurrentSteps {
  count = 0
  batch = 0
  all: Step[] = []
  /** States before the first step, and after the last step of the last pass. */
  readonly initial: readonly Memory[]
  readonly last: readonly Memory[]

  /** @param stateCount how many states there are; @param hidden values of a state; @param width values that go into the gates */
  constructor(
    private readonly heap: Heap,
    private readonly stateCount: number,
    private readonly hidden: number,
    private readonly width: number,
  ) {
    this.initial = this.states(0)
    this.last = this.states(0)
  }

  /** States before step t. */
  before(t: number): readonly Memory[] {
    return t === 0 ? this.initial : this.all[t - 1].states
  }

  /** Make room for other numbers of steps and streams. What the last pass left stays as long as there are as many streams. */
  resize(count: number, batch: number): void {
    this.disposeSteps()
    this.all = Array.from({ length: count }, () => ({
      cont: new Memory(batch, this.heap),
      gates: new Memory(batch * this.width, this.heap),
      states: this.states(batch),
    }))
    for (const memory of [...this.initial, ...this.last]) memory.resize(batch * this.hidden)
    this.count = count
    this.batch = batch
  }

  dispose(): void {
    for (const memory of [...this.initial, ...this.last]) memory.dispose()
    this.disposeSteps()
  }

  private states(batch: number): Memory[] {
    return Array.from({ length: this.stateCount }, () => new Memory(batch * this.hidden, this.heap))
  }

  private disposeSteps(): void {
    for (const step of this.all) for (const memory of [step.cont, step.gates, ...step.states]) memory.dispose()
  }
}
