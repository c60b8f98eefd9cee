import type { After, ConvolutionShape, Kernels } from '../../../engine.js'
import { Memory } from '../../../memory.js'
import { graphsOf, planar } from './graph.js'
import type { Library } from './library.js'
import { paysAlone } from './pays.js'
import { Primitives } from './primitives.js'
import { findLayout } from './probe.js'
import { Program, RefusedLayers, type Runner } from './program.js'

/** Memories that stand for those of a call. */
interface Stand {
  readonly program: Program
  readonly x: Memory
  readonly w: Memory
  readonly bias: Memory | null
  readonly y: Memory
}

/** Programs go with the shapes that layers hold. */
const forgotten = new FinalizationRegistry<Program>(program => program.dispose())

/**
 * Convolutions by a primitive: values are moved to the library's layout and back, weights when they have changed. A call
 * is refused, with false, where the engine's own kernels are faster or the library has no fast code.
 */
export function convolver(library: Library, runner: Runner, isWinograd: (s: ConvolutionShape) => boolean) {
  const primitives = new Primitives(library)
  const known = new WeakMap<ConvolutionShape, Map<string, Stand | undefined>>()

  const make = (s: ConvolutionShape, hasBias: boolean, after: After | undefined): Stand | undefined => {
    const block = findLayout(primitives)
    if (block === 0 || s.input.length > 2 || s.channels === 0 || s.batch === 0) return undefined
    if (isWinograd(s) || !paysAlone(planar(s), s.batch, block)) return undefined
    const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)
    const x = new Memory(s.batch * s.channels * count(s.input))
    const w = new Memory((s.outputs * s.channels * count(s.kernel)) / s.group)
    const bias = hasBias ? new Memory(s.outputs) : null
    const y = new Memory(s.batch * s.outputs * count(s.output))
    const [graph] = graphsOf([[{ kernel: 'convolution', args: [s, x, w, bias, y, after] }]], new Set(), () => true)
    if (!graph) return undefined
    try {
      const program = new Program(primitives, runner, graph)
      forgotten.register(s, program)
      return { program, x, w, bias, y }
    } catch (error) {
      if (error instanceof RefusedLayers) return undefined
      throw error
    }
  }

  return (...[s, x, w, bias, y, after]: Parameters<Kernels['convolution']>): boolean => {
    let stands = known.get(s)
    if (!stands) {
      stands = new Map()
      known.set(s, stands)
    }
    const key = `${bias !== null} ${after === undefined ? '' : JSON.stringify(after)}`
    if (!stands.has(key)) stands.set(key, make(s, bias !== null, after))
    const stand = stands.get(key)
    if (!stand) return false
    stand.program.runOn(memory => {
      if (memory === stand.x) return x
      if (memory === stand.y) return y
      return memory === stand.w ? w : bias!
    })
    return true
  }
}
