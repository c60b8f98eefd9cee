import { RistrettoError } from './errors.js'
import type { LayerContext } from './layer.js'
import { Memory } from './memory.js'
import type { NetParts } from './net_builder.js'

/** What a net needs, in bytes. Blobs that share memory count once. */
export interface MemoryPlan {
  readonly params: number
  /** Data of all blobs. */
  readonly activations: number
  /** Gradients of blobs and params that a backward pass writes; nothing of it is taken before the first one. */
  readonly diffs: number
  /** What layers keep for themselves: masks, saved inputs. The engine's own workspace (padded images, Winograd tiles) is not in it. */
  readonly scratch: number
  readonly total: number
}

const BYTES = 4

const bytesOf = (memories: Iterable<Memory>): number => {
  let sum = 0
  for (const memory of new Set(memories)) sum += memory.length * BYTES
  return sum
}

/** Count the memory of a net from its shapes, whether it has been taken yet or not. */
export function memoryPlan(parts: NetParts): MemoryPlan {
  const diffs = new Set<Memory>()
  for (const node of parts.nodes) {
    if (!node.needsBackward) continue
    for (const top of node.top) diffs.add(top.memory.diff)
    node.bottom.forEach((blob, i) => {
      if (node.bottomNeedsBackward[i]) diffs.add(blob.memory.diff)
    })
    node.layer.blobs.forEach((blob, i) => {
      if (node.layer.paramPropagateDown[i]) diffs.add(blob.memory.diff)
    })
  }
  const params = bytesOf(parts.params.map(param => param.blob.memory.data))
  const activations = bytesOf(parts.blobs.map(blob => blob.memory.data))
  const scratch = bytesOf(parts.nodes.flatMap(node => Object.values(node.layer).filter(value => value instanceof Memory)))
  const gradients = bytesOf(diffs)
  return { params, activations, diffs: gradients, scratch, total: params + activations + gradients + scratch }
}

/** Refuse a net that cannot fit, before its activations are taken, with a batch size that would. */
export function checkFits(parts: NetParts, { engine, phase }: LayerContext): void {
  const available = engine.heap.available
  if (available === undefined) return
  const plan = memoryPlan(parts)
  // params are taken already; a TEST net usually never runs backward
  const needed = plan.activations + plan.scratch + (phase === 'TRAIN' ? plan.diffs : 0)
  if (needed <= available) return
  const batch = Math.max(1, ...parts.blobs.filter(blob => parts.inputs.includes(blob.name)).map(blob => (blob.numAxes ? blob.dim(0) : 1)))
  const fitting = Math.floor((batch * available) / needed)
  const advice =
    fitting >= 1 && batch > 1 ? `a batch of ${fitting} instead of ${batch} would fit` : 'even one item does not fit: make the input smaller'
  throw new RistrettoError(
    `the net needs ${megabytes(needed)} beside its params (${megabytes(plan.activations)} activations, ${megabytes(plan.diffs)} gradients, ${megabytes(plan.scratch)} scratch), the ${engine.name} engine has ${megabytes(available)} left; ${advice}`,
  )
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`
