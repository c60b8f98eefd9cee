/** Recurrent kernels whose products of the state are oneDNN's, where there are streams enough to be cut by. */
import type { AnyEngine, Kernels } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import type { WasmExports } from '../../wasm/exports.js'
import { streamsOf, TWO_GROUPS } from './cut.js'
import { Kept, type Runner } from './kept.js'
import { type Library, Refused } from './library.js'
import type { Primitive } from './maker.js'
import { Recent } from './recent.js'
import { OrderedWeights, RowMaker } from './rows.js'
import { StepTable } from './step_table.js'

interface Sizes {
  readonly batch: number
  readonly hidden: number
  /** Gates of a unit: an LSTM has four, an RNN one. */
  readonly gates: number
  readonly isBack: boolean
}

/** Bytes that programs of all sizes together may keep, for all nets. */
const ROOM = 2 ** 26
/** Operations of a step from which threads share it; a value of a gate costs as much as so many. */
const SHARED = 5e4
const GATE = 30

const takes = ({ batch, hidden, gates }: Omit<Sizes, 'isBack'>): boolean =>
  batch >= TWO_GROUPS && batch * hidden * gates * (2 * hidden + GATE) >= SHARED

/** Products of each step: conted·Whᵀ, which is added to the gates, or on the way back dgates·Wh. */
class Products {
  readonly table: StepTable
  readonly bytes: number
  private readonly kept: Kept
  private readonly maker: RowMaker
  private readonly made = new Map<number, Primitive>()
  private readonly weights: OrderedWeights
  /** (batch, hidden), on the way back. */
  private readonly gradients: number
  /** Whoever has forgotten a net has forgotten its params. */
  private read: { readonly memory: WeakRef<Memory>; readonly revision: number } | undefined

  constructor(
    library: Library,
    runner: Runner,
    private readonly sizes: Sizes,
  ) {
    this.maker = new RowMaker(library)
    this.kept = new Kept(library, runner)
    const { batch, hidden, gates, isBack } = sizes
    const width = gates * hidden
    const [inputs, outputs] = isBack ? [width, hidden] : [hidden, width]
    const streams = streamsOf(batch)
    const posts = { sum: !isBack, after: undefined }
    try {
      for (const rows of new Set([streams, batch % streams || streams]))
        this.made.set(rows, this.maker.product({ rows, inputs, outputs }, posts, false))
      const strides = isBack ? ([1, hidden] as const) : ([hidden, 1] as const)
      this.weights = new OrderedWeights(this.maker, this.kept, this.made.get(streams)!, { inputs, outputs }, strides)
      this.gradients = isBack ? this.kept.take(4 * batch * hidden).pointer : 0
      this.table = new StepTable(
        this.kept,
        Array.from({ length: Math.ceil(batch / streams) }, (_, group) => {
          const first = group * streams
          const place = (memory: number, of: number, step: number) => ({ memory, at: 4 * first * of, step })
          const from = place(0, inputs, 4 * batch * inputs)
          const to = place(1, outputs, isBack ? 0 : 4 * batch * outputs)
          const primitive = this.made.get(Math.min(streams, batch - first))!
          return [{ primitive, weights: this.weights.handle, from, to }]
        }),
      )
      this.bytes = this.kept.bytes
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Runs a kernel with these products, from memory `from` to `to`, or on the way back to room of their own. */
  run(exports: WasmExports, wh: Memory, from: number, to: number, kernel: () => void): void {
    const pointer = wh.readPointer
    const { revision } = wh
    if (this.read?.memory.deref() !== wh || this.read.revision !== revision) {
      this.weights.follow(pointer)
      this.read = { memory: new WeakRef(wh), revision }
    }
    const { base } = this.kept
    this.table.point(base + from, base + (this.sizes.isBack ? this.gradients : to))
    exports.useTable(this.table.pointer, streamsOf(this.sizes.batch), this.gradients)
    try {
      kernel()
    } finally {
      exports.useTable(0, 0, 0)
    }
  }

  dispose(): void {
    this.kept.dispose()
    for (const primitive of this.made.values()) this.maker.destroy(primitive)
    if (this.weights) this.maker.destroy(this.weights.reorder)
  }
}

type Recurrent = Pick<Kernels, 'lstm' | 'lstmGradient' | 'rnn' | 'rnnGradient'>

/** These kernels as functions that say false, and do nothing, where the engine's own are to run. */
export function recurrences(library: Library, runner: Runner, exports: WasmExports) {
  const programs = new Recent<Products>(ROOM)

  const productsOf = (sizes: Sizes): Products | undefined =>
    takes(sizes)
      ? programs.get(JSON.stringify(sizes), () => {
          try {
            return new Products(library, runner, sizes)
          } catch (error) {
            if (error instanceof Refused) return undefined
            throw error
          }
        })
      : undefined

  return {
    lstm(...[steps, batch, hidden, cont, wh, h0, gates, conted, c, h]: Parameters<Kernels['lstm']>): boolean {
      const products = productsOf({ batch, hidden, gates: 4, isBack: false })
      if (!products) return false
      const reads = [cont, wh, h0].map(memory => memory.readPointer) as [number, number, number]
      const writes = [gates, conted, c, h].map(memory => memory.pointer) as [number, number, number, number]
      products.run(exports, wh, writes[1], writes[0], () => exports.lstm(steps, batch, hidden, ...reads, ...writes))
      return true
    },
    lstmGradient(...[steps, batch, hidden, cont, wh, gates, c, dh, dc, dgates]: Parameters<Kernels['lstmGradient']>) {
      const products = productsOf({ batch, hidden, gates: 4, isBack: true })
      if (!products) return false
      const reads = [cont, wh, gates, c, dh].map(memory => memory.readPointer) as [
        number,
        number,
        number,
        number,
        number,
      ]
      const writes = [dc, dgates].map(memory => memory.pointer) as [number, number]
      products.run(exports, wh, writes[1], 0, () => exports.lstmGradient(steps, batch, hidden, ...reads, ...writes))
      return true
    },
    rnn(...[steps, batch, hidden, cont, wh, h0, gates, conted, h]: Parameters<Kernels['rnn']>): boolean {
      const products = productsOf({ batch, hidden, gates: 1, isBack: false })
      if (!products) return false
      const reads = [cont, wh, h0].map(memory => memory.readPointer) as [number, number, number]
      const writes = [gates, conted, h].map(memory => memory.pointer) as [number, number, number]
      products.run(exports, wh, writes[1], writes[0], () => exports.rnn(steps, batch, hidden, ...reads, ...writes))
      return true
    },
    rnnGradient(...[steps, batch, hidden, cont, wh, h, dh, dgates]: Parameters<Kernels['rnnGradient']>): boolean {
      const products = productsOf({ batch, hidden, gates: 1, isBack: true })
      if (!products) return false
      const reads = [cont, wh, h, dh].map(memory => memory.readPointer) as [number, number, number, number]
      const write = dgates.pointer
      products.run(exports, wh, write, 0, () => exports.rnnGradient(steps, batch, hidden, ...reads, write))
      return true
    },
    /** As a dry run of the engine, which counts what programs keep. */
    counting(dryRun: NonNullable<AnyEngine['dryRun']>): NonNullable<AnyEngine['dryRun']> {
      return calls => {
        let kept = 0
        const count = (sizes: Sizes): boolean => {
          if (takes(sizes)) kept += bytesFor(sizes)
          return takes(sizes)
        }
        const workspace = dryRun(({ kernels, prepared }) => {
          const counted: Recurrent = {
            lstm(...call) {
              if (!count({ batch: call[1], hidden: call[2], gates: 4, isBack: false })) kernels.lstm(...call)
            },
            lstmGradient(...call) {
              if (!count({ batch: call[1], hidden: call[2], gates: 4, isBack: true })) kernels.lstmGradient(...call)
            },
            rnn(...call) {
              if (!count({ batch: call[1], hidden: call[2], gates: 1, isBack: false })) kernels.rnn(...call)
            },
            rnnGradient(...call) {
              if (!count({ batch: call[1], hidden: call[2], gates: 1, isBack: true })) kernels.rnnGradient(...call)
            },
          }
          calls({ prepared, kernels: { ...kernels, ...counted } })
        })
        return { ...workspace, kept: (workspace.kept ?? 0) + kept }
      }
    },
  }
}

/** Bytes of a table. */
const TABLE = 1024

const bytesFor = ({ batch, hidden, gates, isBack }: Sizes): number =>
  4 * gates * hidden * hidden + (isBack ? 4 * batch * hidden : 0) + TABLE
