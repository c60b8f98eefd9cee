import type { DryRun, JoinedCalls, KernelCall, Kernels } from '../engine.js'
import { classOf } from '../layer.js'
import type { Memory } from '../memory.js'
import type { NetNode } from './node.js'

/** Layers in a row that the engine computes together. */
export interface Joined {
  readonly calls: JoinedCalls
  /** The first layer of the row that runs, and the place of the last one in the net. */
  readonly first: NetNode
  readonly last: number
}

/** The first and the last place where a memory is touched. */
export interface Touched {
  readonly from: number
  readonly to: number
}

/**
 * Rows of layers that the engine of an optimized net can join. Calls are written down as in a dry run: nothing is
 * computed. `hidden` memories hold nothing that anybody may read but the layers that touch them.
 */
export function joinLayers(
  nodes: readonly NetNode[],
  skipped: ReadonlySet<NetNode>,
  hidden: ReadonlySet<Memory>,
  room: number,
): Joined[] {
  const join = nodes[0]?.layer.engine.join
  if (!join) return []
  const running = nodes.flatMap((node, place) => (skipped.has(node) ? [] : [{ node, place }]))
  const lastRead = new Map<Memory, number>()
  for (const [i, { node }] of running.entries()) for (const blob of node.bottom) lastRead.set(blob.memory.data, i)
  const calls = running.map(({ node }) => callsOf(node))
  const isRead = (memory: Memory, last: number) => !hidden.has(memory) || (lastRead.get(memory) ?? -1) > last
  return join(calls, isRead, room).map(joined => ({
    calls: joined,
    first: running[joined.first].node,
    last: running[joined.last].place,
  }))
}

/** What forward calls, if that is all it does. */
function callsOf({ layer, bottom, top }: NetNode): KernelCall[] | undefined {
  if (!classOf(layer).onlyKernels || bottom.length === 0) return undefined
  const calls: KernelCall[] = []
  const write =
    (kernel: string) =>
    (...args: unknown[]) => {
      calls.push({ kernel, args } as unknown as KernelCall)
    }
  const kernels = new Proxy({}, { get: (_, kernel) => write(String(kernel)) }) as Kernels
  const prepared: DryRun['prepared'] = { length: () => 0, prepare() {}, convolution: write('convolution') }
  layer.dryRun({ kernels, prepared }, bottom, top)
  return calls
}
