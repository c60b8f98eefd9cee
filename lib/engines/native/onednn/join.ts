import type { AnyEngine, ConvolutionShape, JoinedCalls } from '../../../engine.js'
import { graphsOf } from './graph.js'
import { InnerProductProgram, innerProductAt } from './inner_product.js'
import type { Runner } from './kept.js'
import { type Library, Refused } from './library.js'
import { LstmProgram } from './lstm.js'
import { pays } from './pays.js'
import { Primitives } from './primitives.js'
import { findLayout } from './probe.js'
import { Program, RefusedLayers } from './program.js'
import { sequenceOf } from './sequence.js'

interface Runnable {
  readonly bytes: number
  run(): boolean
  dispose(): void
}

/** Programs that were forgotten without dispose give back what the garbage collector does not see. */
const forgotten = new FinalizationRegistry<Runnable>(program => program.dispose())

/** Rows of layers as programs of oneDNN, LSTM layers and inner products of many rows each as one. */
export function joiner(
  library: Library,
  runner: Runner,
  isWinograd: (s: ConvolutionShape) => boolean,
): NonNullable<AnyEngine['join']> {
  const primitives = new Primitives(library)
  const what = `oneDNN ${library.version.slice(0, 2).join('.')}`

  const joinedBy = (first: number, last: number, program: Runnable): JoinedCalls => {
    const joined: JoinedCalls = {
      first,
      last,
      what,
      bytes: program.bytes,
      run: () => program.run(),
      dispose() {
        forgotten.unregister(joined)
        program.dispose()
      },
    }
    forgotten.register(joined, program, joined)
    return joined
  }

  /** Layers that the library has no fast code for are left out, and what is around them joined. */
  const rowsOf = (...[calls, isRead]: Parameters<NonNullable<AnyEngine['join']>>): JoinedCalls[] => {
    const excluded = new Set<number>()
    for (;;) {
      const rows: JoinedCalls[] = []
      try {
        for (const graph of graphsOf(calls, excluded, isRead))
          if (pays(graph, library.tags!.block, isWinograd))
            rows.push(joinedBy(graph.first, graph.last, new Program(primitives, runner, graph, true)))
        return rows
      } catch (error) {
        for (const row of rows) row.dispose()
        if (!(error instanceof RefusedLayers)) throw error
        for (const layer of error.layers) excluded.add(layer)
      }
    }
  }

  /** Layers that are programs by themselves. */
  const othersOf = (calls: Parameters<NonNullable<AnyEngine['join']>>[0], rows: readonly JoinedCalls[]) =>
    calls.flatMap((list, i) => {
      const sequence = sequenceOf(list)
      const product = rows.some(({ first, last }) => first <= i && i <= last) ? undefined : innerProductAt(calls, i)
      try {
        if (sequence) return [joinedBy(i, i, new LstmProgram(library, runner, sequence))]
        if (product) return [joinedBy(i, i + product.layers - 1, new InnerProductProgram(library, runner, product))]
      } catch (error) {
        if (!(error instanceof Refused)) throw error
      }
      return []
    })

  return (calls, isRead, room) => {
    if (findLayout(primitives) === 0) return []
    const rows = rowsOf(calls, isRead, room)
    const all = [...rows, ...othersOf(calls, rows)]
    if (all.reduce((sum, { bytes }) => sum + bytes, 0) <= room) return all
    for (const joined of all) joined.dispose()
    return []
  }
}
