import type { AnyEngine, ConvolutionShape, Kernels } from '../../../engine.js'
import { Memory } from '../../../memory.js'
import { type Graph, graphsOf, inputGradientGraph, planar, WHOLE_IMAGES } from './graph.js'
import type { Runner } from './kept.js'
import type { Library } from './library.js'
import { paysAlone } from './pays.js'
import { Primitives } from './primitives.js'
import { findLayout } from './probe.js'
import { Program, RefusedLayers } from './program.js'
import { Recent } from './recent.js'

/** A program, and the memories that stand for those of a call. */
interface Stand {
  readonly program: Program
  readonly memories: readonly (Memory | null)[]
  readonly bytes: number
  dispose(): void
}

/** Bytes that programs of all shapes together may keep, for all nets. */
const ROOM = 2 ** 26

/**
 * Convolutions between plain memories by a primitive: values are moved to the library's layout and back, weights when
 * they have changed. A call is refused, with false, where the engine's own kernels are faster or the library has no fast
 * code.
 */
export function convolver(library: Library, runner: Runner, isWinograd: (s: ConvolutionShape) => boolean) {
  const primitives = new Primitives(library)

  const pays = (s: ConvolutionShape): boolean => {
    const block = findLayout(primitives)
    if (block === 0 || s.input.length > 2 || s.channels === 0 || s.batch === 0 || isWinograd(s)) return false
    return paysAlone(planar(s), s.batch, block)
  }

  /** A single image is not cut, and would be one thread's; few channels would be padded, which forward reads as they are. */
  const takesGradient = (s: ConvolutionShape): boolean =>
    (s.batch >= WHOLE_IMAGES || s.group > 1) && s.channels >= findLayout(primitives)

  const programs = new Recent<Stand>(ROOM)
  const texts = new WeakMap<ConvolutionShape, string | undefined>()

  /** Sizes as a text, or undefined where the engine's own kernels are faster: a layer holds its shape for many passes. */
  const textOf = (s: ConvolutionShape): string | undefined => {
    if (!texts.has(s)) texts.set(s, pays(s) ? JSON.stringify(Object.values(s)) : undefined)
    return texts.get(s)
  }

  const stand = (graph: Graph | undefined, memories: Stand['memories']): Stand | undefined => {
    if (!graph) return undefined
    try {
      const program = new Program(primitives, runner, graph, false)
      return { program, memories, bytes: program.bytes, dispose: () => program.dispose() }
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
      const text = textOf(s)
      if (text === undefined) return false
      const key = `${text} ${bias !== null} ${after === undefined ? '' : JSON.stringify(after)}`
      const found = programs.get(key, () => {
        const { input, weights, output } = lengthsOf(s)
        const [X, W, Y] = [new Memory(input), new Memory(weights), new Memory(output)]
        const b = bias && new Memory(s.outputs)
        const [graph] = graphsOf([[{ kernel: 'convolution', args: [s, X, W, b, Y, after] }]], new Set(), () => true)
        return stand(graph, [X, W, b, Y])
      })
      return found !== undefined && run(found, [x, w, bias, y])
    },
    inputGradient(...[s, dy, w, dx]: Parameters<Kernels['convolutionInputGradient']>): boolean {
      const text = takesGradient(s) ? textOf(s) : undefined
      if (text === undefined) return false
      const found = programs.get(`${text} input gradient`, () => {
        const { input, weights, output } = lengthsOf(s)
        const [DY, W, DX] = [new Memory(output), new Memory(weights), new Memory(input)]
        return stand(inputGradientGraph(s, DY, W, DX), [DY, W, DX])
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
