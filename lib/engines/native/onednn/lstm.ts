/** An LSTM's sequence as products by primitives, between which the module's own kernel goes from step to step. */
import type { Block, Memory } from '../../../memory.js'
import { type Cut, cutOf, rowsOf } from './cut.js'
import { fixedTable } from './fixed_table.js'
import { Kept, type Runner } from './kept.js'
import type { Handle, Library } from './library.js'
import { BIAS, type Primitive } from './maker.js'
import { areKnown } from './params.js'
import { OrderedWeights, RowMaker, type RowProduct } from './rows.js'
import type { Sequence } from './sequence.js'
import { StepTable } from './step_table.js'

const GATES = 4
const CANDIDATE = 3
/** Gates are wanted as exponents of 2, see kernels/wasm/lstm_table.ts: weights and biases are those of so many times a gate. */
const EXPONENT = -Math.LOG2E

/** Memories of the table of the inputs. */
const [X, GATES_OF_X] = [0, 1]
/** What goes into even and into odd steps. */
const PARITIES = 2

/** Weights of the units of a chunk: their rows of each gate, one gate after the other. */
interface Part {
  readonly unit: number
  readonly units: number
  readonly bias: Block
  readonly biasHandle: Handle
  readonly ofInputs: OrderedWeights
  readonly ofState: OrderedWeights
}

/** Primitives and what they need, which has to be given back. */
export class LstmProgram {
  private readonly maker: RowMaker
  private readonly kept: Kept
  private readonly cut: Cut
  /** Each once, by what it is. */
  private readonly made = new Map<string, Primitive>()
  private readonly reorders: Primitive[] = []
  private readonly parts: Part[] = []
  private readonly inputs: StepTable
  private readonly state: number
  /** cont·h of even and of odd steps, (2, batch, hidden), and for each part its products of a step, (batch, 4, units). */
  private readonly carried: number
  private readonly products: number
  /** Params as they were when they were prepared. */
  private readonly seen = new Map<Memory, number>()

  /** Throws `Refused` where the library has nothing for it, or no memory. */
  constructor(
    library: Library,
    private readonly runner: Runner,
    private readonly sequence: Sequence,
  ) {
    this.maker = new RowMaker(library)
    this.kept = new Kept(library, runner)
    const { batch, hidden } = sequence
    this.cut = cutOf(batch, hidden)
    try {
      this.carried = this.kept.take(4 * PARITIES * batch * hidden).pointer
      this.products = this.kept.take(4 * GATES * batch * hidden).pointer
      this.makeParts()
      this.inputs = this.inputTable()
      this.state = this.stateTable()
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Does all that the calls did; false, and nothing is done, if a param can be written at any time. */
  run(): boolean {
    if (!this.follow()) return false
    const { runner, sequence, cut, kept, inputs } = this
    const { steps, batch, hidden, x, cont, gates, h, c, y } = sequence
    const [from, into] = [x.readPointer, gates.pointer]
    inputs.point(kept.base + from, kept.base + into)
    runner.run(inputs.pointer, inputs.chunks.length)
    runner.lstm(
      steps,
      batch,
      hidden,
      cut.units,
      cut.streams,
      this.state,
      cont.readPointer,
      into,
      this.carried,
      this.products,
      h.pointer,
      c.pointer,
      y.pointer,
    )
    return true
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.kept.bytes
  }

  dispose(): void {
    this.kept.dispose()
    for (const primitive of [...this.made.values(), ...this.reorders]) this.maker.destroy(primitive)
    this.made.clear()
    this.reorders.length = 0
  }

  private product(product: RowProduct, hasBias: boolean): Primitive {
    const key = JSON.stringify([product, hasBias])
    let made = this.made.get(key)
    if (!made) {
      made = this.maker.product(product, { sum: false, after: undefined }, hasBias)
      this.made.set(key, made)
    }
    return made
  }

  /** Of a part's inputs, for so many rows of x. */
  private ofInputs(units: number, rows: number): Primitive {
    const product = { rows, inputs: this.sequence.values, outputs: GATES * units }
    return this.product(product, true)
  }

  /** Of its state, for so many streams. */
  private ofState(units: number, rows: number): Primitive {
    const product = { rows, inputs: this.sequence.hidden, outputs: GATES * units }
    return this.product(product, false)
  }

  /** Rows of x that are multiplied at a time. */
  private get rows(): number {
    const { steps, batch, hidden, values } = this.sequence
    return rowsOf(steps * batch, GATES * Math.min(hidden, this.cut.units) * values)
  }

  private makeParts(): void {
    const { kept, sequence, cut, maker } = this
    const { hidden, values } = sequence
    for (let unit = 0; unit < hidden; unit += cut.units) {
      const units = Math.min(cut.units, hidden - unit)
      const outputs = GATES * units
      const [byInputs, byState] = [this.ofInputs(units, this.rows), this.ofState(units, cut.streams)]
      const ofInputs = new OrderedWeights(maker, kept, byInputs, { inputs: values, outputs }, [values, 1])
      this.reorders.push(ofInputs.reorder)
      const ofState = new OrderedWeights(maker, kept, byState, { inputs: hidden, outputs }, [hidden, 1])
      this.reorders.push(ofState.reorder)
      const bias = kept.take(4 * outputs)
      const biasHandle = kept.object(byInputs.memories.get(BIAS)!, kept.base + bias.pointer)
      this.parts.push({ unit, units, bias, biasHandle, ofInputs, ofState })
    }
  }

  /** gates ← Wx·x + b: for each part (steps, batch, 4, units). */
  private inputTable(): StepTable {
    const { steps, batch, values } = this.sequence
    const all = steps * batch
    const first = Array.from({ length: Math.ceil(all / this.rows) }, (_, i) => i * this.rows)
    return new StepTable(
      this.kept,
      this.parts.flatMap(({ unit, units, biasHandle: bias, ofInputs }) =>
        first.map(row => {
          const primitive = this.ofInputs(units, Math.min(this.rows, all - row))
          const from = { memory: X, at: 4 * row * values, step: 0 }
          const to = { memory: GATES_OF_X, at: 4 * GATES * (unit * all + row * units), step: 0 }
          return [{ primitive, weights: ofInputs.handle, bias, from, to }]
        }),
      ),
    )
  }

  /** products ← Wh·carried: a chunk of a step each, first those of even steps. */
  private stateTable(): number {
    const { batch, hidden } = this.sequence
    const { streams } = this.cut
    const groups = Array.from({ length: Math.ceil(batch / streams) }, (_, i) => i * streams)
    return fixedTable(
      this.kept,
      Array.from({ length: PARITIES }, (_, parity) => this.carried + 4 * parity * batch * hidden).flatMap(carried =>
        this.parts.flatMap(({ unit, units, ofState }) =>
          groups.map(first => ({
            primitive: this.ofState(units, Math.min(streams, batch - first)),
            weights: ofState.handle,
            from: carried + 4 * first * hidden,
            to: this.products + 4 * GATES * (unit * batch + first * units),
          })),
        ),
      ),
    )
  }

  /** Weights and bias follow their params. False if one can be written without anybody knowing. */
  private follow(): boolean {
    const { wx, wh, bias } = this.sequence
    const all = [wx, wh, bias]
    if (!areKnown(all)) return false
    if (all.every(memory => this.seen.get(memory) === memory.revision)) return true
    const { values, hidden } = this.sequence
    const staged = this.kept.take(4 * GATES * this.cut.units * Math.max(values, hidden))
    for (const part of this.parts) {
      this.stage(part, bias, 1, part.bias.array)
      this.stage(part, wx, values, staged.array)
      part.ofInputs.follow(staged.pointer)
      this.stage(part, wh, hidden, staged.array)
      part.ofState.follow(staged.pointer)
    }
    this.kept.giveBack(staged)
    for (const memory of all) this.seen.set(memory, memory.revision)
    return true
  }

  /** A part's rows of each gate, of so many values, as those of exponents. */
  private stage({ unit, units }: Part, { values: from }: Memory, width: number, to: Float32Array): void {
    const { hidden } = this.sequence
    for (let gate = 0; gate < GATES; gate++) {
      const first = (gate * hidden + unit) * width
      const [at, factor] = [gate * units * width, gate === CANDIDATE ? 2 * EXPONENT : EXPONENT]
      for (let i = 0; i < units * width; i++) to[at + i] = factor * from[first + i]
    }
  }
}
