import type { AnyEngine, JoinedCalls } from '../../../engine.js'
import { graphsOf } from './graph.js'
import { type Library, Refused } from './library.js'
import { type Planar, Primitives } from './primitives.js'
import { Program, RefusedLayers, type Runner } from './program.js'

/** Programs that were forgotten without dispose give back what the garbage collector does not see. */
const forgotten = new FinalizationRegistry<Program>(program => program.dispose())

/** Rows of layers as programs of oneDNN. */
export function joiner(library: Library, runner: Runner): NonNullable<AnyEngine['join']> {
  const primitives = new Primitives(library)
  const version = library.version.slice(0, 2).join('.')
  return (calls, isRead, room) => {
    library.findTags(() => isFast(primitives))
    if (library.tags.block === 0) return []
    const excluded = new Set<number>()
    for (;;) {
      const programs: JoinedCalls[] = []
      try {
        let left = room
        for (const graph of graphsOf(calls, excluded, isRead)) {
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

/** A convolution that every processor's own code knows. */
const PROBE: Planar = {
  channels: 64,
  outputs: 64,
  group: 1,
  input: [8, 8],
  output: [8, 8],
  kernel: [3, 3],
  stride: [1, 1],
  pad: [1, 1],
  dilation: [1, 1],
}

/** Whether convolutions in the layout that the library has now are fast. */
function isFast(primitives: Primitives): boolean {
  try {
    primitives.destroy(primitives.convolution(PROBE, false, true, { sum: false, after: undefined }))
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}
