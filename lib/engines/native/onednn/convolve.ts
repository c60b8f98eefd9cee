import type { AnyEngine, ConvolutionShape, Kernels } from '../../../engine.js'
import { Memory } from '../../../memory.js'
import { type Graph, graphsOf, inputGradientGraph, planar } from './graph.js'
import type { Library } from './library.js'
import { paysAlone } from './pays.js'
import { Primitives } from './primitives.js'
import { findLayout } from './probe.js'
import { Program, RefusedLayers, type Runner, WHOLE_IMAGES } from './program.js'

/** A program, and the memories that stand for those of a call. */
interface Stand {
  readonly program: Program
  readonly memories: readonly (Memory | null)[]
}

/** Programs go with the shapes that layers hold. */
const forgotten = new FinalizationRegistry<Program>(program => program.dispose())

/**
 * Convolutions between plain memories by a primitive: values are moved to the library's layout and back, weights when
 * they have changed. A call is refused, with false, where the engine's own kernels are faster or the library has no fast
 * code.
 */
export function convolver(library: Library, runner: Runner, isWinograd: (s: ConvolutionShape) => boolean) {
  const primitives = new Primitives(library)
  const known = new WeakMap<ConvolutionShape, Map<string, Stand | undefined>>()

  const pays = (s: ConvolutionShape): boolean => {
    const block = findLayout(primitives)
    if (block === 0 || s.input.length > 2 || s.channels === 0 || s.batch === 0 || isWinograd(s)) return false
    return paysAlone(planar(s), s.batch, block)
  }

  /** A single image is not cut, and would be one thread's; few channels would be padded, which forward reads as they are. */
  const takesGradient = (s: ConvolutionShape): boolean =>
    (s.batch >= WHOLE_IMAGES || s.group > 1) && s.channels >= findLayout(primitives)

  /** Made once for a shape that a layer holds, and what else tells calls apart. */
  const standFor = (s: ConvolutionShape, key: string, make: () => Stand | undefined): Stand | undefined => {
    let stands = known.get(s)
    if (!stands) {
      stands = new Map()
      known.set(s, stands)
    }
    if (!stands.has(key)) stands.set(key, pays(s) ? make() : undefined)
    return stands.get(key)
  }

  const stand = (s: ConvolutionShape, graph: Graph | undefined, memories: Stand['memories']): Stand | undefined => {
    if (!graph) return undefined
    try {
      const program = new Program(primitives, runner, graph)
      forgotten.register(s, program)
      return { program, memories }
    } catch (error) {
      if (error instanceof RefusedLayers) return undefined
      throw error
    }
  }

  const run = ({ program, memories }: Stand, actual: readonly (Memory | null)[]): true => {
    program.runOn(memory => actual[memories.indexOf(memory)]!)
    return true
  }

  return {
    /** As a dry run of the engine, which counts what programs keep. */
    counting(dryRun: NonNullable<AnyEngine['dryRun']>): NonNullable<AnyEngine['dryRun']> {
      return calls => {
        let kept = 0
        const workspace = dryRun(({ kernels, prepared }) =>
          calls({
            prepared,
            kernels: {
              ...kernels,
              convolution(s, ...rest) {
                if (pays(s)) kept += bytesFor(s, runner.threads, library.tags!.block)
                else kernels.convolution(s, ...rest)
              },
              convolutionInputGradient(s, ...rest) {
                if (takesGradient(s) && pays(s)) kept += bytesFor(s, runner.threads, library.tags!.block)
                else kernels.convolutionInputGradient(s, ...rest)
              },
            },
          }),
        )
        return { ...workspace, kept }
      }
    },
    convolution(...[s, x, w, bias, y, after]: Parameters<Kernels['convolution']>): boolean {
      const key = `${bias !== null} ${after === undefined ? '' : JSON.stringify(after)}`
      const found = standFor(s, key, () => {
        const { input, weights, output } = lengthsOf(s)
        const [X, W, Y] = [new Memory(input), new Memory(weights), new Memory(output)]
        const b = bias && new Memory(s.outputs)
        const [graph] = graphsOf([[{ kernel: 'convolution', args: [s, X, W, b, Y, after] }]], new Set(), () => true)
        return stand(s, graph, [X, W, b, Y])
      })
      return found !== undefined && run(found, [x, w, bias, y])
    },
    inputGradient(...[s, dy, w, dx]: Parameters<Kernels['convolutionInputGradient']>): boolean {
      if (!takesGradient(s)) return false
      const found = standFor(s, 'input gradient', () => {
        const { input, weights, output } = lengthsOf(s)
        const [DY, W, DX] = [new Memory(output), new Memory(weights), new Memory(input)]
        return stand(s, inputGradientGraph(s, DY, W, DX), [DY, W, DX])
      })
      return found !== undefined && run(found, [dy, w, dx])
    },
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)

/** Values of a convolution's memories. */
const lengthsOf = ({ batch, channels, outputs, group, input, output, kernel }: ConvolutionShape) => ({
  input: batch * channels * product(input),
  weights: (outputs * channels * product(kernel)) / group,
  output: batch * outputs * product(output),
})

/** Bytes of a table, about, for each that has its own. */
const TABLE = 1024

/** What a program keeps, about: weights, and of each image that is at work what goes in and comes out. */
function bytesFor(s: ConvolutionShape, threads: number, block: number): number {
  const filled = (n: number) => Math.ceil(n / block) * block
  const { channels, outputs, group, input, output, kernel } = s
  const isPlain = group === 1 && channels < block / 2
  const inputs = isPlain ? 0 : filled(channels) * product(input)
  const depth = isPlain ? channels : group > 1 ? channels / group : filled(channels)
  const values = inputs + filled(outputs) * product(output)
  const rooms = s.batch < WHOLE_IMAGES ? s.batch : threads
  return 4 * (filled(outputs) * depth * product(kernel) + rooms * values) + TABLE * (1 + rooms)
}
