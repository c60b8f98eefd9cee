/** Calls of primitives, and of the engine's own code between them, as words that threads read: see execute.ts. */
import { CALL, OWN } from './execute.js'
import type { Handle } from './library.js'

export interface PrimitiveCall {
  readonly primitive: Handle
  readonly args: readonly (readonly [argument: number, memory: Handle])[]
}
/** Integers as kernels/wasm/between_primitives.ts reads them. */
export interface OwnCall {
  readonly own: number
  readonly integers: readonly number[]
  /** Is told at which byte offset the integers were written. */
  readonly written?: (at: number) => void
}
export type Call = PrimitiveCall | OwnCall

/** 64-bit words of a call's arguments. */
const wordsOf = (call: Call): number => ('own' in call ? Math.ceil(call.integers.length / 2) : 2 * call.args.length)
const argumentWords = (calls: readonly Call[]): number => calls.reduce((sum, call) => sum + wordsOf(call), 0)

/** So many words, and behind them the arguments of calls. */
export class Table {
  /** Place of the first word, in words of the memory. */
  readonly place: number
  readonly words: Float64Array
  private readonly args: number
  private readonly addresses: BigUint64Array
  private next = 0

  /** Bytes that it needs. */
  static bytes(words: number, calls: readonly Call[]): number {
    return 8 * (words + argumentWords(calls))
  }

  /** @param base address of the memory; `pointer` is where the table begins in it */
  constructor(
    private readonly memory: WebAssembly.Memory,
    base: number,
    readonly pointer: number,
    words: number,
    calls: readonly Call[],
  ) {
    this.place = pointer / 8
    this.words = new Float64Array(memory.buffer, pointer, words)
    this.args = base + pointer + 8 * words
    this.addresses = new BigUint64Array(memory.buffer, pointer + 8 * words, argumentWords(calls))
  }

  /** Writes a call; returns the word behind it. */
  write(call: Call, word: number): number {
    if ('own' in call) {
      const at = this.addresses.byteOffset + 8 * this.next
      this.words.set([OWN, call.own, at], word)
      new Int32Array(this.memory.buffer, at, call.integers.length).set(call.integers)
      call.written?.(at)
    } else {
      this.words.set([call.primitive, call.args.length, this.args + 8 * this.next], word)
      for (const [i, [argument, memory]] of call.args.entries())
        this.addresses.set([BigInt(argument), BigInt(memory)], this.next + 2 * i)
    }
    this.next += wordsOf(call)
    return word + CALL
  }
}
