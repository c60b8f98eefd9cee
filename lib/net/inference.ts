/**
 * `optimize: 'inference'`: activations whose lifetimes do not overlap share memory, layers that only scale and shift
 * channels are folded into the weights before them, convolutions keep their weights in the form that their kernel
 * wants, and rows of layers that the engine can join run as one. Opt-in, since it takes away that every blob can be read after a pass. Params may change at any time as in any
 * net: what is kept of them follows.
 */

import type { Blob } from '../blob.js'
import { NetError } from '../errors.js'
import { Memory } from '../memory.js'
import { didYouMean, listNames } from '../system/names.js'
import { isHostLayer } from './host_layer.js'
import { type Joined, joinLayers } from './joined.js'
import type { BuiltNet, NetNode } from './node.js'

interface Span {
  readonly memory: Memory
  /** First layer that writes it and last layer that touches it. */
  from: number
  to: number
}

/** A param that was folded, as it was then. */
interface Folded {
  readonly blob: Blob
  readonly memory: Memory
  readonly revision: number
}

/** What an optimized net changes about its passes. */
export class InferencePlan {
  /** Layers that run: the others are folded into an earlier one. */
  readonly skipped = new Set<NetNode>()
  private slots: Memory[] = []
  private borrowed: Memory[] = []
  private folded: Folded[] = []
  private readonly kept: Set<string>
  /** Rows that the engine joins, by their first layer; made for the shapes of a pass when it begins. */
  private rows: Map<NetNode, Joined> | undefined

  /** @param keep blobs that must stay readable, beside inputs and outputs */
  constructor(
    private readonly parts: BuiltNet,
    keep: readonly string[],
  ) {
    const known = new Set(parts.blobs.map(blob => blob.name))
    for (const name of keep)
      if (!known.has(name))
        throw new NetError(
          `keep: the net has no blob '${name}'${didYouMean(name, [...known])}; its blobs are ${listNames([...known])}`,
        )
    this.kept = new Set([...parts.inputs, ...parts.outputs, ...keep])
    this.fold()
  }

  /** Whether params that were folded may have changed since. */
  get isStale(): boolean {
    for (const { blob, memory, revision } of this.folded)
      if (blob.memory.data !== memory || memory.revision !== revision) return true
    return false
  }

  /** Fold again, after the params have changed. Layers whose params can be written at any time run by themselves. */
  fold(): void {
    const { nodes } = this.parts
    this.skipped.clear()
    this.folded = []
    for (const { layer } of nodes) layer.dropAbsorbed()
    for (const [i, node] of nodes.entries()) {
      const source = this.foldTarget(i)
      if (!source || [...source.layer.blobs, ...node.layer.blobs].some(isHandedOut)) continue
      const affine = node.layer.channelAffine()
      if (!affine || !source.layer.absorbAffine(affine, source.bottom)) continue
      this.skipped.add(node)
      for (const blob of [...source.layer.blobs, ...node.layer.blobs])
        this.folded.push({ blob, memory: blob.memory.data, revision: blob.memory.data.revision })
    }
  }

  /**
   * Let folded layers pass their bottom on. Layers must be reshaped afterwards, since they may hold on to the memory of
   * their bottoms.
   */
  link(): void {
    for (const node of this.skipped) if (node.top[0] !== node.bottom[0]) node.top[0].shareData(node.bottom[0])
  }

  /** Lay shared memory out for the shapes as they are. */
  share(): void {
    this.dropRows()
    this.layOut()
    this.prepare()
  }

  /** The row that begins with this layer. */
  joinedAt(node: NetNode): Joined | undefined {
    this.rows ??= this.join()
    return this.rows.get(node)
  }

  /** All of them. */
  joined(): Joined[] {
    this.rows ??= this.join()
    return [...this.rows.values()]
  }

  private join(): Map<NetNode, Joined> {
    const { nodes } = this.parts
    const hidden = new Set(this.borrowed)
    for (const blob of this.parts.blobs) if (blob.hidden) hidden.add(blob.memory.data)
    const rows = new Map(
      joinLayers(nodes, this.skipped, hidden, this.prepare()).map(joined => [joined.first, joined] as const),
    )
    this.rows = rows
    // what a row reads and writes is there from its first layer to its last
    if (rows.size) this.layOut()
    return rows
  }

  private dropRows(): void {
    for (const { calls } of this.rows?.values() ?? []) calls.dispose()
    this.rows = undefined
  }

  private layOut(): void {
    for (const memory of this.borrowed) memory.borrow(undefined)
    for (const slot of this.slots) slot.dispose()
    this.slots = []
    const free: { slot: Memory; until: number }[] = []
    const borrowers: [Memory, Memory][] = []
    for (const span of this.spans()) {
      // the smallest idle slot that is large enough, else the largest idle one, which grows
      const idle = free.filter(entry => entry.until < span.from).sort((a, b) => a.slot.length - b.slot.length)
      const found = idle.find(entry => entry.slot.length >= span.memory.length) ?? idle[idle.length - 1]
      const entry = found ?? { slot: new Memory(0, span.memory.home), until: 0 }
      if (!found) free.push(entry)
      entry.until = span.to
      if (entry.slot.length < span.memory.length) entry.slot.resize(span.memory.length)
      borrowers.push([span.memory, entry.slot])
    }
    this.slots = free.map(entry => entry.slot)
    // only now have the slots their final sizes
    for (const [memory, slot] of borrowers) memory.borrow(slot)
    this.borrowed = borrowers.map(([memory]) => memory)
    this.hide()
  }

  /** Give the shared memory back. */
  dispose(): void {
    this.dropRows()
    for (const slot of this.slots) slot.dispose()
  }

  /**
   * The layer that node i may be folded into: the last one that writes its bottom, looking through folded ones. Splits
   * make sure that nobody else reads that bottom.
   */
  private foldTarget(i: number): NetNode | undefined {
    const { nodes } = this.parts
    let at = i
    for (;;) {
      const { bottom, bottoms, top, tops } = nodes[at]
      if (bottoms.length !== 1 || tops.length !== 1) return undefined
      if (bottom[0] !== top[0] && this.kept.has(bottom[0].name)) return undefined
      do at--
      while (at >= 0 && !nodes[at].tops.includes(bottoms[0]))
      if (at < 0 || !this.skipped.has(nodes[at])) return nodes[at]
    }
  }

  /** Memories that may be shared, with their lifetimes, in order of birth. */
  private spans(): Span[] {
    const spans = new Map<Memory, Span>()
    // what custom code, sources, params and losses hold stays where it is
    const fixed = new Set<Memory>(this.parts.params.map(param => param.blob.memory.data))
    this.parts.nodes.forEach((node, i) => {
      const stays = node.bottom.length === 0 || isHostLayer(node.layer)
      for (const [k, blob] of [...node.bottom, ...node.top].entries()) {
        const memory = blob.memory.data
        const weighs = k >= node.bottom.length && node.lossWeights[k - node.bottom.length] !== 0
        if (stays || weighs || this.kept.has(blob.name)) fixed.add(memory)
        const span = spans.get(memory)
        if (span) span.to = i
        else spans.set(memory, { memory, from: i, to: i })
      }
    })
    const shared = [...spans.values()].filter(span => !fixed.has(span.memory))
    for (const { first, last } of this.rows?.values() ?? []) {
      const begin = this.parts.nodes.indexOf(first)
      for (const span of shared)
        if (span.from <= last && span.to >= begin && (span.from < begin || span.to > last)) {
          span.from = Math.min(span.from, begin)
          span.to = Math.max(span.to, last)
        }
    }
    // in order of birth
    return shared.sort((a, b) => a.from - b.from)
  }

  /** Let layers keep what they can of their weights in the room that all blobs leave; returns what is left of it. */
  private prepare(): number {
    const { nodes, blobs } = this.parts
    let room = nodes[0]?.layer.engine.heap.available ?? Number.POSITIVE_INFINITY
    const memories = new Set([...this.slots, ...blobs.map(blob => blob.memory.data)])
    for (const memory of this.borrowed) memories.delete(memory)
    for (const memory of memories) if (!memory.isAllocated) room -= 4 * memory.length
    for (const { layer } of nodes) room -= layer.keepPrepared(room)
    return room
  }

  /** Reading a blob whose memory is shared, or whose values are those of a folded layer already, throws from now on. */
  private hide(): void {
    const shared = new Set(this.borrowed)
    const passed = new Set(
      [...this.skipped].filter(({ bottom, top }) => bottom[0] !== top[0]).map(({ bottom }) => bottom[0]),
    )
    for (const blob of this.parts.blobs)
      blob.hidden = shared.has(blob.memory.data) || passed.has(blob) ? hiddenText(blob) : ''
  }
}

const isHandedOut = (blob: Blob): boolean => Number.isNaN(blob.memory.data.revision)

const hiddenText = (blob: Blob): string =>
  `blob '${blob.name}' shares its memory with others, since the net was made with optimize: 'inference'; name it in keep: ['${blob.name}'] to read it`
