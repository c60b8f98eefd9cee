import type { Workspace } from '../engine.js'
import { RistrettoError } from '../errors.js'
import type { Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { batchAdvice } from './batch_advice.js'
import type { BuiltNet, NetNode } from './node.js'

/** What a net needs, in bytes. Blobs that share memory count once. */
export interface MemoryPlan {
  readonly params: number
  /** Data of all blobs. */
  readonly activations: number
  /** Gradients of blobs and params that a backward pass writes; nothing of it is taken before the first one. */
  readonly diffs: number
  /**
   * What layers keep for themselves (masks, saved inputs), and what the engine's kernels work with (padded images,
   * Winograd tiles, written-out patches), which all nets on the engine share.
   */
  readonly scratch: number
  readonly total: number
}

const BYTES = 4

const bytesOf = (memories: Iterable<Memory>): number => {
  let sum = 0
  for (const memory of new Set(memories)) sum += memory.length * BYTES
  return sum
}

/** Bytes of blobs, and of the gradients that a backward pass writes. */
function blobsOf(net: BuiltNet): Pick<MemoryPlan, 'activations' | 'diffs'> {
  const diffs = new Set<Memory>()
  for (const node of net.nodes) {
    if (!node.needsBackward) continue
    for (const top of node.top) diffs.add(top.memory.diff)
    node.bottom.forEach((blob, i) => {
      if (node.bottomNeedsBackward[i]) diffs.add(blob.memory.diff)
    })
    node.layer.blobs.forEach((blob, i) => {
      if (node.layer.paramPropagateDown[i]) diffs.add(blob.memory.diff)
    })
  }
  return { activations: bytesOf(net.blobs.map(blob => blob.memory.data)), diffs: bytesOf(diffs) }
}

/** Count the memory of a net from its shapes, whether it has been taken yet or not. */
export function memoryPlan(net: BuiltNet): MemoryPlan {
  const params = bytesOf(net.params.map(param => param.blob.memory.data))
  const { activations, diffs } = blobsOf(net)
  const scratch = ownScratch(net) + workspaceOf(net)
  return { params, activations, diffs, scratch, total: params + activations + diffs + scratch }
}

/** A part of a layer that keeps values of its own. */
interface Keeper {
  memories(): Memory[]
}
const isKeeper = (value: object): value is Keeper => 'memories' in value && typeof value.memories === 'function'

const memoriesOf = (layer: Layer): Memory[] =>
  Object.values(layer).flatMap(value =>
    value instanceof Memory ? value : typeof value === 'object' && value && isKeeper(value) ? value.memories() : [],
  )

/** What layers keep for themselves. */
const ownScratch = (net: BuiltNet): number => bytesOf(net.nodes.flatMap(node => memoriesOf(node.layer)))

/** Bytes of sums and tables that reductions share. */
const SUMS = 16384

/** What kernels work with: the most that any layer asks of it, for every thread and for all of them. */
function workspaceOf({ nodes }: BuiltNet): number {
  let own = 0
  let shared = 0
  let threads = 0
  let kept = 0
  const scratch: number[] = []
  for (const node of nodes) {
    const workspace = dryRunOf(node)
    if (!workspace) continue
    threads = node.layer.engine.threads
    own = Math.max(own, workspace.own)
    shared = Math.max(shared, workspace.shared, SUMS)
    kept += workspace.kept ?? 0
    workspace.scratch?.forEach((bytes, slot) => {
      scratch[slot] = Math.max(scratch[slot] ?? 0, bytes)
    })
  }
  return threads === 0 ? 0 : shared + threads * own + kept + sum(scratch) + LINES * (threads + 1)
}

/** What kernels work with in the passes of one layer: for each thread, and for all of them. */
function dryRunOf({ layer, top, bottom, needsBackward, bottomNeedsBackward }: NetNode): Workspace | undefined {
  const propagateDown = needsBackward ? bottomNeedsBackward : undefined
  return layer.engine.dryRun?.(dry => layer.dryRun(dry, bottom, top, propagateDown))
}

/** The same, all together. */
export function workspaceOfNode(node: NetNode): number {
  const workspace = dryRunOf(node)
  if (!workspace) return 0
  const { own, shared, kept = 0, scratch = [] } = workspace
  return shared + node.layer.engine.threads * own + kept + sum(scratch)
}

/** The sum of those that are there. */
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Blocks fill whole cache lines. */
const LINES = 128

/** Refuse a net that cannot fit, before its activations are taken, with a batch size that would. */
export function checkFits(net: BuiltNet, isLimited = false): void {
  const { engine } = net.context
  let available = engine.heap.available
  if (available === undefined) return
  const plan = blobsOf(net)
  // params are taken already, and so is the kernels' workspace by other nets perhaps, which counts where there is a
  // limit; a TEST net usually never runs backward
  const scratch = ownScratch(net) + (isLimited ? workspaceOf(net) : 0)
  const needed = plan.activations + scratch + (net.phase === 'TRAIN' ? plan.diffs : 0)
  if (needed <= available) return
  engine.heap.reclaim?.()
  available = engine.heap.available ?? needed
  if (needed <= available) return
  throw new RistrettoError(
    `the net needs ${megabytes(needed)} beside its params (${megabytes(plan.activations)} activations, ${megabytes(plan.diffs)} gradients, ${megabytes(scratch)} scratch), the ${engine.name} engine has ${megabytes(available)} left; ${batchAdvice(net.nodes, available / needed)}`,
  )
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`
