/** An LSTM's sequence as primitives, each of some streams: by the number of streams alone, never by that of threads. */
import type { Block, Memory } from '../../../memory.js'
import { CALL, PARTS } from './execute.js'
import { Kept, line, type Runner } from './kept.js'
import { ADDRESS, type Handle } from './library.js'
import { BIAS, DST, INFERENCE, Maker, type Primitive, SCRATCH, SRC, WEIGHTS, WEIGHTS_OF } from './maker.js'
import { areKnown } from './params.js'
import type { Sequence } from './sequence.js'
import { type Call, Table } from './table.js'
import { ANY, plainTag } from './tags.js'

/** What the primitive calls its memories beside those of all primitives. */
const [STATE, CELL, STATE_AFTER, CELL_AFTER, WEIGHTS_OF_STATE] = [2, 3, 18, 19, 34]
/** Streams from which a second primitive is worth its while, and more of them. */
const TWO = 8
const FOUR = 24
/** Caffe's gates are input, forget, output, candidate; the library wants the candidate before the output. */
const GATES = [0, 1, 3, 2]

type Sizes = Pick<Sequence, 'steps' | 'batch' | 'values' | 'hidden'>

class SequenceMaker extends Maker {
  /** `streams` of `s.batch`, from the first step to the last. `describe` is given descriptions that last. */
  lstm({ steps, batch, values, hidden }: Sizes, streams: number, own: (description: Handle) => Handle) {
    const { library } = this
    const { isV3 } = library
    const rows = (width: number) => own(library.describeStrided([steps, streams, width], [batch * width, width, 1]))
    const [x, y] = [rows(values), rows(hidden)]
    const state = own(library.describe([1, 1, streams, hidden], plainTag(4, isV3)))
    const bias = own(library.describe([1, 1, 4, hidden], plainTag(4, isV3)))
    const primitive = this.within(passing => {
      const [wx, wh] = [values, hidden].map(from => passing(library.describe([1, 1, from, 4, hidden], ANY)))
      // v3 has two weights more, which nobody gives
      const more = isV3 ? [0, 0] : []
      const args = [INFERENCE, isV3 ? 1 : 0, x, state, state, wx, wh, ...more, bias, y, state, state, 0]
      const types = `int, int${`, ${ADDRESS}`.repeat(args.length - 3)}, uint32_t`
      const memories = { [WEIGHTS]: WEIGHTS_OF, [WEIGHTS_OF_STATE]: [WEIGHTS_OF, 1] as const }
      // there is one code alone on most processors, which is called plain and multiplies by the fast products
      return this.make('lstm_forward', 'lstm_forward', types, args, undefined, memories, () => true)
    })
    return { primitive, x, y, state, bias }
  }
}

const partsOf = ({ batch }: Sizes): number => {
  const most = batch < TWO ? 1 : batch < FOUR ? 2 : 4
  return batch % most ? 1 : most
}

/** Where an outside memory is now, and the objects that say it. */
interface Outside {
  readonly memory: Memory
  readonly isWritten: boolean
  readonly handles: { readonly handle: Handle; readonly offset: number }[]
  address: number
}

/** Primitives and what they need, which has to be given back. */
export class LstmProgram {
  private readonly maker: SequenceMaker
  private readonly kept: Kept
  private readonly primitives: Primitive[] = []
  private readonly outsides: Outside[] = []
  private readonly parts: number
  /** What the first step goes on from, where cont says so. */
  private readonly state: Block
  private readonly cell: Block
  private readonly bias: Block
  private readonly reorders: { readonly primitive: Primitive; readonly to: Handle; readonly from: 'wx' | 'wh' }[] = []
  private readonly table: number
  /** Params as they were when they were prepared. */
  private readonly seen = new Map<Memory, number>()

  /** Throws `Refused` where the library has nothing for it, or no memory. */
  constructor(
    library: Maker['library'],
    private readonly runner: Runner,
    private readonly sequence: Sequence,
  ) {
    this.maker = new SequenceMaker(library)
    this.kept = new Kept(library, runner)
    this.parts = partsOf(sequence)
    try {
      const { batch, hidden } = sequence
      this.state = this.kept.take(4 * batch * hidden)
      this.cell = this.kept.take(4 * batch * hidden)
      this.bias = this.kept.take(4 * 4 * hidden)
      this.table = this.build()
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /**
   * Does all that the calls did; false, and nothing is done, if a param can be written at any time, or if a stream begins
   * anew in the middle.
   */
  run(): boolean {
    const { sequence, runner } = this
    const { batch, steps, hidden, cont, h, c } = sequence
    const { values } = cont
    for (let i = 0; i < steps * batch; i++) if (values[i] !== 1 && !(i < batch && values[i] === 0)) return false
    if (!this.follow()) return false
    for (const [to, { values: from }] of [
      [this.state.array, h],
      [this.cell.array, c],
    ] as const)
      for (let n = 0; n < batch; n++) {
        const [first, end] = [n * hidden, (n + 1) * hidden]
        if (values[n] === 0) to.fill(0, first, end)
        else to.set(from.subarray(first, end), first)
      }
    for (const outside of this.outsides) {
      const address = this.kept.base + (outside.isWritten ? outside.memory.pointer : outside.memory.readPointer)
      if (address === outside.address) continue
      outside.address = address
      for (const { handle, offset } of outside.handles) this.maker.library.setHandle(handle, address + offset)
    }
    runner.run(this.table, this.parts)
    return true
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.kept.bytes
  }

  dispose(): void {
    this.kept.dispose()
    for (const primitive of this.primitives) this.maker.destroy(primitive)
    this.primitives.length = 0
  }

  private build(): number {
    const { maker, sequence, parts, kept, runner } = this
    const { base } = kept
    const { batch, values, hidden } = sequence
    const streams = batch / parts
    const { primitive, x, y, state, bias } = maker.lstm(sequence, streams, description => kept.description(description))
    this.primitives.push(primitive)
    const weights = ([WEIGHTS, WEIGHTS_OF_STATE] as const).map((argument, i) => {
      const layout = primitive.memories.get(argument)!
      const at = this.kept.take(maker.library.bytesOf(layout)).pointer
      const to = kept.object(layout, base + at)
      const plain = kept.description(
        maker.library.describe([1, 1, i ? hidden : values, 4, hidden], plainTag(5, maker.library.isV3)),
      )
      const reorder = maker.reorder(plain, layout)
      this.primitives.push(reorder)
      this.reorders.push({ primitive: reorder, to, from: i ? 'wh' : 'wx' })
      return [argument, to] as const
    })
    const added = [BIAS, kept.object(bias, base + this.bias.pointer)] as const
    const scratch = primitive.memories.get(SCRATCH)
    const [room, each] = scratch ? [line(maker.library.bytesOf(scratch)), 1] : [0, 0]
    const scratches = this.kept.take(room * parts).pointer
    const outsides = [
      [SRC, sequence.x, false, x, values],
      [DST, sequence.y, true, y, hidden],
      [STATE_AFTER, sequence.h, true, state, hidden],
      [CELL_AFTER, sequence.c, true, state, hidden],
    ] as const
    for (const [, memory, isWritten] of outsides) this.outsides.push({ memory, isWritten, handles: [], address: 0 })
    const calls = Array.from({ length: parts }, (_, part): Call => {
      const first = part * streams
      const inside = (block: Block) => kept.object(state, base + block.pointer + 4 * first * hidden)
      const around = outsides.map(([argument, , , description, width], i) => {
        // wherever it is: the address is told before it runs
        const handle = kept.object(description, base + scratches)
        this.outsides[i].handles.push({ handle, offset: 4 * first * width })
        return [argument, handle] as const
      })
      const own = each ? [[SCRATCH, kept.object(scratch!, base + scratches + part * room)] as const] : []
      const states = [[STATE, inside(this.state)] as const, [CELL, inside(this.cell)] as const]
      return { primitive: primitive.handle, args: [...around, ...states, ...weights, added, ...own] }
    })
    const head = 2 + 2 * parts
    const words = head + CALL * parts
    const { memory } = runner.heap
    const table = new Table(memory, base, this.kept.take(Table.bytes(words, calls)).pointer, words, calls)
    // products run in it, from which signals are kept
    table.words.set([PARTS, 1])
    for (const [part, call] of calls.entries()) {
      table.words.set([table.place + head + CALL * part, 1], 2 + 2 * part)
      table.write(call, head + CALL * part)
    }
    return table.pointer
  }

  /** Weights and bias follow their params. False if one can be written without anybody knowing. */
  private follow(): boolean {
    const { wx, wh, bias, hidden, values } = this.sequence
    const all = [wx, wh, bias]
    if (!areKnown(all)) return false
    if (all.every(memory => this.seen.get(memory) === memory.revision)) return true
    for (const { primitive, to, from } of this.reorders)
      this.reorder(primitive, to, this.sequence[from], from === 'wx' ? values : hidden)
    for (const [to, gate] of GATES.entries())
      this.bias.array.set(bias.values.subarray(gate * hidden, (gate + 1) * hidden), to * hidden)
    for (const memory of all) this.seen.set(memory, memory.revision)
    return true
  }

  /** From (gates, outputs, inputs) to (inputs, gates, outputs), and on to the layout of the primitive. */
  private reorder(primitive: Primitive, to: Handle, { values: w }: Memory, inputs: number): void {
    const { maker, sequence, kept } = this
    const { base } = kept
    const { hidden } = sequence
    const staged = this.kept.take(4 * w.length)
    const turned = staged.array
    for (const [g, gate] of GATES.entries())
      for (let o = 0; o < hidden; o++)
        for (let k = 0; k < inputs; k++) turned[(k * 4 + g) * hidden + o] = w[(gate * hidden + o) * inputs + k]
    const from = kept.object(primitive.memories.get(SRC)!, base + staged.pointer)
    const args = this.kept.take(32)
    new BigUint64Array(this.runner.heap.memory.buffer, args.pointer, 4).set([
      BigInt(SRC),
      BigInt(from),
      BigInt(DST),
      BigInt(to),
    ])
    maker.library.execute(primitive.handle, 2, base + args.pointer)
    for (const block of [staged, args]) kept.giveBack(block)
    kept.destroy(from)
  }
}
