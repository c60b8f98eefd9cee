import { EngineError } from '../../errors.js'
import type { Block, Heap } from '../../memory.js'

const PAGE = 65536
/** Blocks start on a cache line and fill whole ones. */
const ALIGN = 64
/** The first page holds what the WebAssembly module keeps in memory. */
const BASE = PAGE
/** The last bytes stay free, so that a kernel may load a whole vector that begins before an end. */
const GUARD = 64
/** Bytes that are given out before the heap asks for a collection, at least; later as much again as was in use. */
const WORTH_A_LOOK = 2 ** 26

/** A range that was given out, and the array that stands for it. */
interface Loan {
  readonly start: number
  readonly size: number
  readonly array: WeakRef<Float32Array>
}

/**
 * Gives out one WebAssembly.Memory: the smallest free range of the fitting size class that is large enough, neighbours
 * merged at once. Views of a shared memory stay valid when it grows. A block whose array was garbage collected comes
 * back by itself; V8 does not know how large these arrays are, so before the memory grows by much, or is refused, the
 * heap asks it to collect.
 */
export class WasmHeap implements Heap {
  /** Free ranges, by where they start and by where they end; and their starts by size class, ⌊log₂ size⌋. */
  private readonly sizes = new Map<number, number>()
  private readonly starts = new Map<number, number>()
  private readonly classes: Set<number>[] = Array.from({ length: 33 }, () => new Set())
  private readonly forgotten = new FinalizationRegistry<Loan>(loan => this.settle(loan))
  /** What is given out, by where it starts. */
  private readonly loans = new Map<number, Loan>()
  /** What each block is, so that a block is not given back twice. */
  private readonly owned = new WeakMap<Block, Loan>()
  /** Bytes that are given out now, were after the last collection, and have been since. */
  private used = 0
  private usedThen = 0
  private usedSince = 0
  /** End of what has ever been given out: zero beyond. */
  private touched = BASE
  /** End of what this heap hands out. */
  private end: number

  constructor(
    readonly memory: WebAssembly.Memory,
    /** Most bytes the memory may have. */
    readonly limit: number,
    /** Collects garbage at once, where the platform lets it be asked for. */
    private readonly collect?: () => void,
  ) {
    this.end = memory.buffer.byteLength - GUARD
    if (this.end > BASE) this.give(BASE, this.end - BASE)
  }

  /** Bytes that are free within the memory as it is now. */
  get free(): number {
    let sum = 0
    for (const size of this.sizes.values()) sum += size
    return sum
  }

  /** Bytes that are still to be had, with all growth that is allowed. */
  get available(): number {
    return this.limit - this.memory.buffer.byteLength + this.free
  }

  allocate(length: number): Block {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new EngineError(`${length} is not a number of values that memory can be made for`)
    const size = Math.max(ALIGN, Math.ceil((length * 4) / ALIGN) * ALIGN)
    const start = this.take(size) ?? this.takeForgotten(size) ?? this.grow(size, length)
    const array = new Float32Array(this.memory.buffer, start, length)
    if (start < this.touched) array.fill(0)
    this.touched = Math.max(this.touched, start + size)
    const block = { array, pointer: start }
    const loan = { start, size, array: new WeakRef(array) }
    this.owned.set(block, loan)
    this.loans.set(start, loan)
    this.forgotten.register(array, loan, loan)
    this.used += size
    this.usedSince += size
    return block
  }

  release(block: Block): void {
    const loan = this.owned.get(block)
    if (loan) this.settle(loan)
  }

  reclaim(): void {
    if (!this.collect || this.usedSince === 0) return
    this.collect()
    for (const loan of this.loans.values()) if (loan.array.deref() === undefined) this.settle(loan)
    this.usedThen = this.used
    this.usedSince = 0
  }

  /** A range of blocks that were forgotten, if enough was given out since the last look to make one worth its time. */
  private takeForgotten(size: number): number | undefined {
    if (this.usedSince < Math.max(WORTH_A_LOOK, this.usedThen)) return undefined
    this.reclaim()
    return this.take(size)
  }

  /** What was lent is free again; done once for each loan. */
  private settle(loan: Loan): void {
    if (this.loans.get(loan.start) !== loan) return
    this.loans.delete(loan.start)
    this.forgotten.unregister(loan)
    this.used -= loan.size
    this.give(loan.start, loan.size)
  }

  /** Start of a range of `size` bytes, or undefined if none is free. */
  private take(size: number): number | undefined {
    for (let c = classOf(size); c < this.classes.length; c++) {
      let best = -1
      let bestSize = Infinity
      for (const start of this.classes[c]) {
        const found = this.sizes.get(start)!
        if (found >= size && (found < bestSize || (found === bestSize && start < best))) {
          best = start
          bestSize = found
        }
      }
      if (best < 0) continue
      this.remove(best, bestSize)
      if (bestSize > size) this.insert(best + size, bestSize - size)
      return best
    }
    return undefined
  }

  /** Takes `size` bytes from memory that it adds, and from what was forgotten where no more is to be had. */
  private grow(size: number, length: number): number {
    const found = this.growFor(size)
    if (found !== undefined) return found
    this.reclaim()
    const start = this.take(size) ?? this.growFor(size)
    if (start !== undefined) return start
    const mib = (n: number) => `${(n / 2 ** 20).toFixed(1)} MiB`
    throw new EngineError(
      `no memory for ${length} values (${mib(size)}): ${mib(this.memory.buffer.byteLength - this.free)} of at most ${mib(this.limit)} are in use; ` +
        'call dispose() on nets that are no longer needed, use a smaller batch, or the js engine',
    )
  }

  private growFor(size: number): number | undefined {
    const last = this.starts.get(this.end)
    const missing = size - (last === undefined ? 0 : this.end - last)
    const bytes = this.memory.buffer.byteLength
    const least = Math.ceil(missing / PAGE)
    const room = Math.floor((this.limit - bytes) / PAGE)
    // growing by an eighth keeps the number of growths small
    const wish = Math.min(room, Math.max(least, Math.ceil(bytes / 8 / PAGE)))
    if (least > room || !(this.tryGrow(wish) || this.tryGrow(least))) return undefined
    const end = this.memory.buffer.byteLength - GUARD
    this.give(this.end, end - this.end)
    this.end = end
    return this.take(size)!
  }

  private tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages)
      return true
    } catch {
      return false
    }
  }

  /** Makes a range free and merges it with its free neighbours. */
  private give(start: number, size: number): void {
    const before = this.starts.get(start)
    if (before !== undefined) {
      const more = this.sizes.get(before)!
      this.remove(before, more)
      start = before
      size += more
    }
    const after = this.sizes.get(start + size)
    if (after !== undefined) {
      this.remove(start + size, after)
      size += after
    }
    this.insert(start, size)
  }

  private insert(start: number, size: number): void {
    this.sizes.set(start, size)
    this.starts.set(start + size, start)
    this.classes[classOf(size)].add(start)
  }

  private remove(start: number, size: number): void {
    this.sizes.delete(start)
    this.starts.delete(start + size)
    this.classes[classOf(size)].delete(start)
  }
}

function classOf(size: number): number {
  return Math.floor(Math.log2(size))
}
