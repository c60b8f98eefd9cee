import type { ConvolutionShape, DryRun, Kernels, PoolingShape } from '../engine.js'
import { Memory } from '../memory.js'
import { workspaceOfNode } from './memory_plan.js'
import type { BuiltNet, NetNode } from './node.js'

/** What a net of unknown origin may ask for. */
export interface Limits {
  /** Bytes: values of the net, and what kernels work with. */
  readonly memory: number | undefined
  /** Multiply-adds of a pass. */
  readonly work: number | undefined
}

/**
 * Holds a net against its limits, at first and whenever a layer has been reshaped. Both are counted from shapes, before
 * anything is taken or computed.
 */
export function createWatch(net: BuiltNet, limits: Limits): (node: NetNode) => void {
  const { memory, work } = limits
  const { heap } = net.context.engine
  const works = new Map<NetNode, number>()
  let total = 0
  const watch = (node: NetNode): void => {
    if (work !== undefined) {
      const own = workOf(node)
      total += own - (works.get(node) ?? 0)
      works.set(node, own)
      if (total > work)
        throw node.layer.error(
          `with ${own} multiply-adds of its own, a pass takes ${total} up to here, maxWork allows ${work}`,
        )
    }
    if (memory !== undefined) {
      const workspace = workspaceOfNode(node)
      const left = heap.available ?? memory
      if (workspace > left)
        throw node.layer.error(
          `its kernels work with ${workspace} bytes, of the ${memory} bytes that maxMemory allows ${left} are left`,
        )
    }
  }
  for (const node of net.nodes) watch(node)
  return watch
}

/** Multiply-adds of a layer's forward pass, and of its backward pass where it has one; a value that is moved counts as one. */
export function workOf({ layer, bottom, top, needsBackward, bottomNeedsBackward }: NetNode): number {
  let sum = 0
  const { engine } = layer
  const names = Object.keys((engine.isHost ? engine : engine.host).kernels)
  const dry = counting(names, work => {
    sum += work
  })
  layer.dryRun(dry, bottom, top, needsBackward ? bottomNeedsBackward : undefined)
  return Math.max(sum, (needsBackward ? 2 : 1) * layer.work(bottom, top))
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** What calls of kernels cost that is not the length of their longest memory. */
type Costs = { [K in keyof Kernels]?: (...args: Parameters<Kernels[K]>) => number }

const convolved = (s: ConvolutionShape): number =>
  s.batch * s.outputs * (s.channels / s.group) * product(s.kernel) * product(s.output)
const pooled = (s: PoolingShape): number =>
  s.planes * product(s.output) * product(s.kernel.map((size, i) => Math.min(size, s.input[i] + 2 * s.pad[i])))
const recurred = (gates: number) => (steps: number, batch: number, hidden: number) =>
  steps * batch * gates * hidden * hidden

const costs: Costs = {
  gemm: (_a, _b, M, N, K) => M * N * K,
  convolution: convolved,
  convolutionInputGradient: convolved,
  convolutionWeightGradient: convolved,
  maxPool: pooled,
  averagePool: pooled,
  averagePoolGradient: pooled,
  stochasticPool: pooled,
  stochasticMean: pooled,
  stochasticMeanGradient: pooled,
  lstm: recurred(4),
  lstmGradient: recurred(4),
  rnn: recurred(1),
  rnnGradient: recurred(1),
}

/** Kernels that compute nothing and tell what they would cost. */
function counting(names: readonly string[], add: (work: number) => void): DryRun {
  const kernels = Object.fromEntries(
    names.map(name => {
      const cost = costs[name as keyof Kernels] as ((...args: unknown[]) => number) | undefined
      return [name, (...args: unknown[]) => add(cost ? cost(...args) : longest(args))]
    }),
  ) as unknown as Kernels
  return {
    kernels,
    prepared: {
      length: () => 0,
      prepare() {},
      convolution: (s, x, w, bias, y) => kernels.convolution(s, x, w, bias, y),
    },
  }
}

const longest = (args: readonly unknown[]): number =>
  args.reduce<number>((most, arg) => (arg instanceof Memory ? Math.max(most, arg.length) : most), 0)
