/** Calls of primitives as words that threads read: see execute.ts. */
import { CALL } from './execute.js'
import type { Handle } from './library.js'

export interface Call {
  readonly primitive: Handle
  readonly args: readonly (readonly [argument: number, memory: Handle])[]
}

const argumentsOf = (calls: readonly Call[]): number => calls.reduce((sum, call) => sum + call.args.length, 0)

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
    return 8 * words + 16 * argumentsOf(calls)
  }

  /** @param base address of the memory; `pointer` is where the table begins in it */
  constructor(
    memory: WebAssembly.Memory,
    base: number,
    readonly pointer: number,
    words: number,
    calls: readonly Call[],
  ) {
    this.place = pointer / 8
    this.words = new Float64Array(memory.buffer, pointer, words)
    this.args = base + pointer + 8 * words
    this.addresses = new BigUint64Array(memory.buffer, pointer + 8 * words, 2 * argumentsOf(calls))
  }

  /** Writes a call; returns the word behind it. */
  write({ primitive, args }: Call, word: number): number {
    this.words.set([primitive, args.length, this.args + 8 * this.next], word)
    for (const [argument, memory] of args) {
      this.addresses.set([BigInt(argument), BigInt(memory)], this.next)
      this.next += 2
    }
    return word + CALL
  }
}
