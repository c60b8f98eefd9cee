import type { AnyEngine, ConvolutionShape, JoinedCalls } from '../../../engine.js'
import { graphsOf } from './graph.js'
import type { Library } from './library.js'
import { pays } from './pays.js'
import { Primitives } from './primitives.js'
import { findLayout } from './probe.js'
import { Program, RefusedLayers, type Runner } from './program.js'

/** Programs that were forgotten without dispose give back what the garbage collector does not see. */
const forgotten = new FinalizationRegistry<Program>(program => program.dispose())

/** Rows of layers as programs of oneDNN. */
export function joiner(
  library: Library,
  runner: Runner,
  isWinograd: (s: ConvolutionShape) => boolean,
): NonNullable<AnyEngine['join']> {
  const primitives = new Primitives(library)
  const version = library.version.slice(0, 2).join('.')
  return (calls, isRead, room) => {
    const block = findLayout(primitives)
    if (block === 0) return []
    const excluded = new Set<number>()
    for (;;) {
      const programs: JoinedCalls[] = []
      try {
        let left = room
        for (const graph of graphsOf(calls, excluded, isRead)) {
          if (!pays(graph, block, isWinograd)) continue
          const program = new Program(primitives, runner, graph)
          left -= program.bytes
          const joined: JoinedCalls = {
            first: graph.first,
            last: graph.last,
            what: `oneDNN ${version}`,
            bytes: program.bytes,
            run: () => program.run(),
            dispose() {
              forgotten.unregister(joined)
              program.dispose()
            },
          }
          forgotten.register(joined, program, joined)
          programs.push(joined)
        }
        if (left >= 0) return programs
        for (const program of programs) program.dispose()
        return []
      } catch (error) {
        for (const program of programs) program.dispose()
        if (!(error instanceof RefusedLayers)) throw error
        // around these, then
        for (const layer of error.layers) excluded.add(layer)
      }
    }
  }
}
