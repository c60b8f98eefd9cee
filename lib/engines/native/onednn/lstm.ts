/** An LSTM's sequence as products by primitives, between which the module's own kernel goes from step to step. */
import type { Block, Memory } from '../../../memory.js'
import { type Cut, cutOf, rowsOf } from './cut.js'
import { Kept, type Runner } from './kept.js'
import type { Handle, Library } from './library.js'
import { BIAS, type Posts, type Primitive } from './maker.js'
import { areKnown } from './params.js'
import { OrderedWeights, RowMaker, type RowProduct } from './rows.js'
import type { Sequence } from './sequence.js'
import { type Place, type StepProduct, StepTable } from './step_table.js'

/**
 * Gates go through σ as the products are stored; the candidate's is σ(2g), of which tanh g is 2σ(2g) − 1, as in Caffe.
 * Doubling changes no bit of a product's but its size.
 */
const GATES = 4
const CANDIDATE = 3

/** Memories of tables. */
const [X, CARRIED, INTO] = [0, 1, 2]

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
  /** All products of inputs before the first step; undefined where each step does its own. */
  private readonly inputs: StepTable | undefined
  private readonly state: StepTable
  /** Gates of a step, where no more than those are needed. */
  private readonly step: Block | undefined
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
      const isStepwise = this.cut.streams < batch
      if (isStepwise) this.step = this.kept.take(4 * GATES * batch * hidden)
      this.makeParts()
      this.inputs = isStepwise ? undefined : this.inputTable()
      this.state = this.stateTable()
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Does all that the calls did; false, and nothing is done, if a param can be written at any time. */
  run(): boolean {
    if (!this.follow()) return false
    const { runner, sequence, cut, kept } = this
    const { steps, batch, hidden, x, cont, gates, conted, h, c, y } = sequence
    const [from, carried, into] = [x.readPointer, conted.pointer, this.step?.pointer ?? gates.pointer]
    const addresses = [from, carried, into].map(pointer => kept.base + pointer)
    this.inputs?.point(...addresses)
    this.state.point(...addresses)
    if (this.inputs) runner.run(this.inputs.pointer, this.inputs.chunks.length)
    runner.lstm(
      steps,
      batch,
      hidden,
      cut.units,
      cut.streams,
      this.state.pointer,
      cont.readPointer,
      into,
      this.inputs ? GATES * batch : 0,
      carried,
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

  private product(product: RowProduct, posts: Posts, hasBias: boolean): Primitive {
    const key = JSON.stringify([product, posts, hasBias])
    let made = this.made.get(key)
    if (!made) {
      made = this.maker.product(product, posts, hasBias)
      this.made.set(key, made)
    }
    return made
  }

  /** Of a part's inputs, for so many rows of x. */
  private ofInputs(units: number, rows: number): Primitive {
    const product = { rows, inputs: this.sequence.values, outputs: GATES * units }
    return this.product(product, { sum: false, after: undefined }, true)
  }

  /** Of its state, for so many streams. */
  private ofState(units: number, rows: number): Primitive {
    const product = { rows, inputs: this.sequence.hidden, outputs: GATES * units }
    return this.product(product, { sum: true, after: 'sigmoid' }, false)
  }

  /** Rows of x that are multiplied at a time. */
  private get rows(): number {
    const { steps, batch, hidden, values } = this.sequence
    if (this.step) return this.cut.streams
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
    const rows = Array.from({ length: Math.ceil(all / this.rows) }, (_, i) => i * this.rows)
    return new StepTable(
      this.kept,
      this.parts.flatMap(part =>
        rows.map(row => [
          this.inputProduct(
            part,
            Math.min(this.rows, all - row),
            { memory: X, at: 4 * row * values, step: 0 },
            { memory: INTO, at: 4 * GATES * (part.unit * all + row * part.units), step: 0 },
          ),
        ]),
      ),
    )
  }

  private inputProduct(part: Part, rows: number, from: Place, to: Place): StepProduct {
    const [weights, bias] = [part.ofInputs.handle, part.biasHandle]
    return { primitive: this.ofInputs(part.units, rows), weights, bias, from, to }
  }

  /** gates ← σ(gates + Wh·h), step by step; before it the inputs’ products where they were not done at once. */
  private stateTable(): StepTable {
    const { steps, batch, hidden, values } = this.sequence
    const { streams } = this.cut
    const groups = Array.from({ length: Math.ceil(batch / streams) }, (_, i) => i * streams)
    return new StepTable(
      this.kept,
      this.parts.flatMap(part =>
        groups.map(first => {
          const { unit, units, ofState } = part
          const rows = Math.min(streams, batch - first)
          const step = this.step ? 0 : 4 * GATES * batch * units
          const to = { memory: INTO, at: 4 * GATES * (unit * steps * batch + first * units), step }
          const from = { memory: CARRIED, at: 4 * first * hidden, step: 4 * batch * hidden }
          const product = { primitive: this.ofState(units, rows), weights: ofState.handle, from, to }
          if (!this.step) return [product]
          const x = { memory: X, at: 4 * first * values, step: 4 * batch * values }
          return [this.inputProduct(part, rows, x, to), product]
        }),
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

  /** A part's rows of each gate, of so many values. */
  private stage({ unit, units }: Part, { values: from }: Memory, width: number, to: Float32Array): void {
    const { hidden } = this.sequence
    for (let gate = 0; gate < GATES; gate++) {
      const first = (gate * hidden + unit) * width
      to.set(from.subarray(first, first + units * width), gate * units * width)
    }
    const doubled = CANDIDATE * units * width
    for (let i = doubled; i < doubled + units * width; i++) to[i] *= 2
  }
}
