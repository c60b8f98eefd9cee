import { instantiate, noLibrary } from '../engines/wasm/exports.js'
import { wasmRuntime } from '../engines/wasm/runtime.js'
import { EngineError, RistrettoError } from '../errors.js'
import type { Communicator } from '../group.js'
import type { Memory } from '../memory.js'
import { type Exchange, slotsAt, WORD, wordsOf } from './exchange.js'
import type { Note } from './notes.js'
import { type GroupOptions, Patience } from './patience.js'

/** Looks at the word before a thread sleeps: some 20 µs. */
const SPINS = 2000
/** Longest that a sleep keeps the event loop from its turn, in ms. */
const SLEEP = 5
/** How often a member that waits looks who has failed, in ms. */
const LOOK = 1000

/** Atomics.waitAsync, which came after the library version that this compiles against. */
const waitAsync = (
  Atomics as {
    waitAsync?: (array: Int32Array, index: number, value: number, ms: number) => { value: Promise<string> | string }
  }
).waitAsync

/** Adds up slots of the exchange: the module's treeSum. */
type TreeSum = (base: number, stride: number, n: number, from: number, to: number) => void

/** The kernel, on the exchange: an instance that runs no others, and keeps its notes in the first page. */
export async function exchangeSum({ memory }: Exchange): Promise<TreeSum> {
  const { module } = await wasmRuntime()
  const refuse = (): never => {
    throw new EngineError('the exchange of a group has no workspace')
  }
  return instantiate(module, memory, { reserve: refuse, workerDied: refuse, wake() {}, ...noLibrary }).treeSum
}

/**
 * A member among worker threads. Values meet in one exchange memory: each member copies its own in, adds up its part of
 * all slots, and copies the sums out, with a meeting between.
 */
export class ThreadGroup implements Communicator {
  readonly name = 'threads'
  readonly size: number
  readonly local: number
  private readonly words: Int32Array
  private readonly patience: Patience
  private begun: Memory[] = []
  /** The set of slots of the last operation. */
  private set = 0
  private closed = false

  /** @param say tells the supervisor */
  constructor(
    private readonly exchange: Exchange,
    readonly rank: number,
    private readonly treeSum: TreeSum,
    options: GroupOptions = {},
    private readonly say: (note: Note) => void = () => {},
  ) {
    this.size = exchange.size
    this.local = exchange.size
    this.words = wordsOf(exchange)
    this.patience = new Patience(options)
  }

  sum(...memories: readonly Memory[]): void {
    this.begun.push(...memories)
  }

  async finish(): Promise<void> {
    const { rank, size } = this
    const memories = this.begun
    this.begun = []
    const { slot } = this.exchange
    const total = memories.reduce((sum, memory) => sum + memory.length, 0)
    for (let from = 0; from < total; from += slot) {
      const n = Math.min(slot, total - from)
      const base = this.nextSlots()
      const own = this.slot(base, rank, n)
      overlaps(memories, from, n, (memory, at, k, length) => own.set(memory.values.subarray(at, at + length), k))
      let wait = this.meet()
      if (wait) await wait
      // whole cache lines each
      const lines = Math.ceil(n / 16)
      const line = (r: number) => Math.floor((lines * r) / size) * 64
      this.treeSum(base, slot * 4, size, line(rank), line(rank + 1))
      wait = this.meet()
      if (wait) await wait
      const sums = this.slot(base, 0, n)
      overlaps(memories, from, n, (memory, at, k, length) => put(memory, at, sums.subarray(k, k + length)))
    }
  }

  async gather(values: Float32Array): Promise<Float32Array[]> {
    const { size } = this
    const rows = Array.from({ length: size }, () => new Float32Array(values.length))
    for (let from = 0; from < Math.max(1, values.length); from += this.exchange.slot) {
      const n = Math.min(this.exchange.slot, values.length - from)
      const base = this.nextSlots()
      this.slot(base, this.rank, n).set(values.subarray(from, from + n))
      const wait = this.meet()
      if (wait) await wait
      for (let r = 0; r < size; r++) rows[r].set(this.slot(base, r, n), from)
    }
    return rows
  }

  async broadcast(memories: readonly Memory[]): Promise<void> {
    const total = memories.reduce((sum, memory) => sum + memory.length, 0)
    for (let from = 0; from < total; from += this.exchange.slot) {
      const n = Math.min(this.exchange.slot, total - from)
      const first = this.slot(this.nextSlots(), 0, n)
      if (this.rank === 0)
        overlaps(memories, from, n, (memory, at, k, length) => first.set(memory.values.subarray(at, at + length), k))
      const wait = this.meet()
      if (wait) await wait
      if (this.rank > 0)
        overlaps(memories, from, n, (memory, at, k, length) => put(memory, at, first.subarray(k, k + length)))
    }
  }

  abort(reason: string): never {
    this.say({ ristrettoNote: 'abort', reason })
    throw new RistrettoError(reason)
  }

  async close(): Promise<void> {
    this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    if (this.closed) return
    this.closed = true
    Atomics.store(this.words, WORD.members + this.rank, -1)
    Atomics.notify(this.words, WORD.meetings)
    this.say({ ristrettoNote: 'closed' })
  }

  private nextSlots(): number {
    this.set = 1 - this.set
    return slotsAt(this.exchange, this.set)
  }

  private slot(base: number, rank: number, length: number): Float32Array {
    return new Float32Array(this.exchange.memory.buffer, base + rank * this.exchange.slot * 4, length)
  }

  /** Everybody comes before anybody goes on. A promise only if it has to wait for long. */
  private meet(): Promise<void> | undefined {
    const { words } = this
    if (this.closed) throw new RistrettoError('this member of the group was closed')
    const lost = this.lost()
    if (lost !== undefined) throw new RistrettoError(lost)
    const meeting = Atomics.load(words, WORD.meetings)
    Atomics.add(words, WORD.members + this.rank, 1)
    if (Atomics.add(words, WORD.arrivals, 1) === this.size - 1) {
      Atomics.store(words, WORD.arrivals, 0)
      Atomics.add(words, WORD.meetings, 1)
      Atomics.notify(words, WORD.meetings)
      return undefined
    }
    for (let i = 0; i < SPINS; i++) if (Atomics.load(words, WORD.meetings) !== meeting) return undefined
    Atomics.wait(words, WORD.meetings, meeting, SLEEP)
    return Atomics.load(words, WORD.meetings) === meeting ? this.sleep(meeting) : undefined
  }

  private async sleep(meeting: number): Promise<void> {
    const { words, patience } = this
    patience.begin()
    // waiting alone keeps no thread alive
    const alive = setInterval(() => {}, LOOK)
    try {
      for (;;) {
        const lost = this.lost()
        // whoever has been at the meeting may leave
        if (Atomics.load(words, WORD.meetings) !== meeting) return
        if (lost !== undefined) throw new RistrettoError(lost)
        const why = patience.look(() => this.missing())
        if (why !== undefined) this.abort(why)
        if (waitAsync) await waitAsync(words, WORD.meetings, meeting, LOOK).value
        else {
          Atomics.wait(words, WORD.meetings, meeting, 10 * SLEEP)
          await new Promise(resolve => setTimeout(resolve))
        }
      }
    } finally {
      clearInterval(alive)
    }
  }

  /** Who will not come any more, in words. */
  private lost(): string | undefined {
    const failed = Atomics.load(this.words, WORD.failed)
    if (failed) return `worker ${failed - 1} of ${this.size} has failed, so all end`
    for (let r = 0; r < this.size; r++)
      if (Atomics.load(this.words, WORD.members + r) < 0)
        return `worker ${r} of ${this.size} has closed its group, worker ${this.rank} goes on: every member must make the same calls`
    return undefined
  }

  private missing(): string {
    const come = (r: number) => Atomics.load(this.words, WORD.members + r)
    const ranks = Array.from({ length: this.size }, (_, r) => r).filter(r => come(r) < come(this.rank))
    return `worker${ranks.length === 1 ? '' : 's'} ${ranks.join(', ')} of ${this.size} ${ranks.length === 1 ? 'has' : 'have'}`
  }
}

/** memory[at …] ← values. */
function put(memory: Memory, at: number, values: Float32Array): void {
  memory.claim()
  memory.write(all => all.set(values, at))
}

/** The parts of memories, laid one after the other, that lie within from … from + n: where in the memory, where after `from`. */
export function overlaps(
  memories: readonly Memory[],
  from: number,
  n: number,
  use: (memory: Memory, at: number, offset: number, length: number) => void,
): void {
  let start = 0
  for (const memory of memories) {
    const low = Math.max(start, from)
    const high = Math.min(start + memory.length, from + n)
    if (low < high) use(memory, low - start, low - from, high - low)
    start += memory.length
  }
}
