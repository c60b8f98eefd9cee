/** Several workers that train one net: what they ask of each other, and which batches are whose. */
import type { Memory } from './memory.js'

/** Replicas that train together. Every member makes the same calls in the same order, but for `abort`. */
export interface Communicator {
  /** 0 … size − 1. Member 0 writes files and logs. */
  readonly rank: number
  readonly size: number
  /** How they speak to each other: 'threads', 'Open MPI 4.1.4'; 'alone' for a group of one. */
  readonly name: string
  /** How many members, this one included, compute on this machine. */
  readonly local: number
  /**
   * Begin memories ← Σ over members, in place: a binary tree over ranks, so that the bits are the same on every member
   * and by every transport. What is given at once travels together. Nobody touches them until `finish`.
   */
  sum(...memories: readonly Memory[]): void
  /** Let what was begun get on, without waiting: called between layers. */
  progress?(): void
  /** Resolves when everything that was begun holds its sum. The event loop lives meanwhile. */
  finish(): Promise<void>
  /** The values of all members, in the order of ranks; as many from each. For a few: losses, outputs, flags. */
  gather(values: Float32Array): Promise<Float32Array[]>
  /** memories ← member 0's. */
  broadcast(memories: readonly Memory[]): Promise<void>
  /** End all members, for this reason. */
  abort(reason: string): never
  /** This member has nothing more to say. */
  close(): Promise<void>
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void
}

/** Which batches of every round (an iteration, a test) a member takes: of all, in order, `own` after the first `before`. */
export interface Share {
  readonly rank: number
  readonly size: number
  readonly before: number
  readonly own: number
  /** Batches of members that come later. */
  readonly after: number
}

/** What a program on its own takes: every batch. */
export const WHOLE_SHARE: Share = { rank: 0, size: 1, before: 0, own: 1, after: 0 }

/**
 * The part of member `rank` of `size` in rounds of `batches`: contiguous runs in the order of ranks. Where there are fewer
 * batches than members, some take one that is somebody else's: every member has a batch to do.
 */
export function shareOf(rank: number, size: number, batches: number): Share {
  const start = Math.floor((rank * batches) / size)
  const end = Math.floor(((rank + 1) * batches) / size)
  const before = Math.min(start, batches - 1)
  const own = Math.max(1, end - start)
  return { rank, size, before, own, after: batches - before - own }
}

/** Whether the batches of a share are nobody else's: false where there are fewer batches than members. */
export const isOwn = ({ rank, size }: Share, batches: number): boolean =>
  Math.floor(((rank + 1) * batches) / size) > Math.floor((rank * batches) / size)

/** A group of one: nothing is sent, nobody is waited for. */
export const alone: Communicator = {
  rank: 0,
  size: 1,
  name: 'alone',
  local: 1,
  sum() {},
  async finish() {},
  gather: async values => [values.slice()],
  async broadcast() {},
  abort(reason) {
    throw new Error(reason)
  },
  async close() {},
  [Symbol.dispose]() {},
}
