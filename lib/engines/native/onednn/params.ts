/** Weights in the layout of their primitives, and biases: they follow the params of a net. */
import type { Memory } from '../../../memory.js'
import { type Kept, line } from './kept.js'
import type { Handle, Library } from './library.js'
import { DST, SRC } from './maker.js'
import { POINTS, pointStep } from './tiles.js'
import type { Weights } from './units.js'

/** Weights in the layout of their primitive, what puts them there, and of which they were made. */
interface Prepared {
  readonly address: number
  readonly plain: Handle
  readonly to: Handle
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

  private readonly copies: { readonly memory: Memory; readonly first: number; readonly to: Float32Array }[] = []

  private readonly library: Library
  private readonly base: number

  /** Takes room for the weights, and for what puts them there. */
  constructor(
    private readonly kept: Kept,
    all: readonly Weights[],
  ) {
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
        to,
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

  /** So many values of a bias, which are read where they are copied to: the byte offset of that. */
  copyBias(memory: Memory, first: number, count: number): number {
    const block = this.kept.take(4 * count)
    this.copies.push({ memory, first, to: block.array.subarray(0, count) })
    return block.pointer
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
    for (const { memory } of [...this.biases, ...this.copies]) memories.add(memory)
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

  private prepare(
    { first, reorder, bytes, points }: Weights,
    { address, plain, to, args }: Prepared,
    memory: Memory,
  ): void {
    const from = memory.readPointer + 4 * first
    if (!points) {
      this.library.setHandle(plain, this.base + from)
      this.library.execute(reorder.handle, 2, args)
      return
    }
    const { heap, tilePoints } = this.kept.runner
    const [inputs, outputs] = points
    const step = pointStep(inputs * outputs)
    const block = heap.allocate(POINTS * step)
    tilePoints(inputs, outputs, from, block.pointer)
    for (let i = 0; i < POINTS; i++) {
      this.library.setHandle(plain, this.base + block.pointer + 4 * i * step)
      this.library.setHandle(to, address + (i * bytes) / POINTS)
      this.library.execute(reorder.handle, 2, args)
    }
    heap.release(block)
  }

  private readBiases(actual: (memory: Memory) => Memory): void {
    for (const { memory, first, handle } of this.biases)
      this.library.setHandle(handle, this.base + actual(memory).readPointer + 4 * first)
    const { buffer } = this.kept.runner.heap.memory
    for (const { memory, first, to } of this.copies)
      to.set(new Float32Array(buffer, actual(memory).readPointer + 4 * first, to.length))
  }
}
