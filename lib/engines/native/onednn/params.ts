/** Weights in the layout of their primitives, and biases: they follow the params of a net. */
import type { Memory } from '../../../memory.js'
import { type Kept, line } from './kept.js'
import type { Handle, Library } from './library.js'
import { DST, SRC } from './maker.js'
import type { Weights } from './units.js'

/** Weights in the layout of their primitive, what puts them there, and of which they were made. */
interface Prepared {
  readonly address: number
  readonly plain: Handle
  readonly args: number
  /** Whoever has forgotten a net has forgotten its params. */
  readonly read: { memory: WeakRef<Memory> | undefined; revision: number }
}

/** Whether the values of these memories are known: one that can be written at any time has no revision. */
export function areKnown(memories: Iterable<Memory>): boolean {
  for (const memory of memories) {
    // values that are still to be drawn
    void memory.readPointer
    if (Number.isNaN(memory.revision)) return false
  }
  return true
}

export class Params {
  private readonly prepared = new Map<Weights, Prepared>()
  private readonly biases: { readonly memory: Memory; readonly first: number; readonly handle: Handle }[] = []
  /** Params as they were when they were prepared. */
  private readonly seen = new Map<Memory, number>()

  private readonly library: Library
  private readonly base: number

  /** Takes room for the weights, and for what puts them there. */
  constructor(kept: Kept, all: readonly Weights[]) {
    this.library = kept.library
    this.base = kept.base
    const total = all.reduce((sum, { bytes }) => sum + line(bytes), 0)
    let at = kept.take(total).pointer
    const argsAt = kept.take(32 * all.length).pointer
    const words = new BigUint64Array(kept.runner.heap.memory.buffer, argsAt, 4 * all.length)
    for (const [i, weights] of all.entries()) {
      const { memories } = weights.reorder
      const plain = kept.object(memories.get(SRC)!, this.base + at)
      const to = kept.object(memories.get(DST)!, this.base + at)
      words.set([BigInt(SRC), BigInt(plain), BigInt(DST), BigInt(to)], 4 * i)
      this.prepared.set(weights, {
        address: this.base + at,
        plain,
        args: this.base + argsAt + 32 * i,
        read: { memory: undefined, revision: Number.NaN },
      })
      at += line(weights.bytes)
    }
  }

  addressOf(weights: Weights): number {
    return this.prepared.get(weights)!.address
  }

  /** A bias, from value `first` on, that is read where it lies. */
  addBias(memory: Memory, first: number, handle: Handle): void {
    this.biases.push({ memory, first, handle })
  }

  /** Weights follow their params. False if one can be written without anybody knowing. */
  follow(): boolean {
    let isNew = this.seen.size === 0
    for (const [memory, revision] of this.seen) {
      if (Number.isNaN(memory.revision)) return false
      isNew ||= memory.revision !== revision
    }
    if (!isNew) return true
    const memories = new Set([...this.prepared.keys()].map(({ memory }) => memory))
    for (const { memory } of this.biases) memories.add(memory)
    if (!areKnown(memories)) return false
    for (const [weights, prepared] of this.prepared) this.prepare(weights, prepared, weights.memory)
    this.readBiases(memory => memory)
    for (const memory of memories) this.seen.set(memory, memory.revision)
    return true
  }

  /** The same of other memories than those that it was made with. Those that can be written at any time are read each time. */
  followOn(actual: (memory: Memory) => Memory): void {
    for (const [weights, prepared] of this.prepared) {
      const { read } = prepared
      const memory = actual(weights.memory)
      // the first values may have to be drawn
      void memory.readPointer
      const { revision } = memory
      if (read.memory?.deref() === memory && read.revision === revision) continue
      this.prepare(weights, prepared, memory)
      read.memory = new WeakRef(memory)
      read.revision = revision
    }
    this.readBiases(actual)
  }

  private prepare({ first, reorder }: Weights, { plain, args }: Prepared, memory: Memory): void {
    this.library.setHandle(plain, this.base + memory.readPointer + 4 * first)
    this.library.execute(reorder.handle, 2, args)
  }

  private readBiases(actual: (memory: Memory) => Memory): void {
    for (const { memory, first, handle } of this.biases)
      this.library.setHandle(handle, this.base + actual(memory).readPointer + 4 * first)
  }
}
