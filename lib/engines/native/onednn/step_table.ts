/** Products of the steps of a sequence as one table: see STEPS in execute.ts. */
import { CALL, STEPS } from './execute.js'
import type { Kept } from './kept.js'
import type { Handle } from './library.js'
import { BIAS, DST, type Primitive, SCRATCH, SRC, WEIGHTS } from './maker.js'
import { Table } from './table.js'

/** Which of the memories, bytes from its beginning to what step 0 has of it, and from each step to the next. */
export interface Place {
  readonly memory: number
  readonly at: number
  readonly step: number
}

export interface StepProduct {
  readonly primitive: Primitive
  readonly weights: Handle
  readonly bias?: Handle
  readonly from: Place
  readonly to: Place
}

/** Words before those of the chunks, and of a product: two bindings and a call. */
const HEAD = 6
const EACH = 3 * CALL

export class StepTable {
  /** Where it is in the heap. */
  readonly pointer: number
  private readonly words: Float64Array
  /** Words that say an address, and what is there in step 0. */
  private readonly addresses: { readonly word: number; readonly place: Place }[] = []

  /** @param chunks what each chunk of a step does, in order: as many products as any other */
  constructor(
    kept: Kept,
    readonly chunks: readonly (readonly StepProduct[])[],
  ) {
    const { base, library, runner } = kept
    const bound = chunks.map(products => {
      const scratches = products.map(({ primitive }) => primitive.memories.get(SCRATCH))
      const bytes = Math.max(0, ...scratches.map(scratch => (scratch ? library.bytesOf(scratch) : 0)))
      const room = base + kept.take(bytes).pointer
      return products.map(({ primitive, weights, bias, from, to }, i) => {
        // wherever they are: addresses are told before each call
        const [x, y] = [SRC, DST].map(argument => kept.object(primitive.memories.get(argument)!, base))
        const args: [number, Handle][] = [
          [SRC, x],
          [WEIGHTS, weights],
          [DST, y],
        ]
        if (bias !== undefined) args.push([BIAS, bias])
        if (scratches[i]) args.push([SCRATCH, kept.object(scratches[i], room)])
        const places = [
          [x, from],
          [y, to],
        ] as const
        return { places, call: { primitive: primitive.handle, args } }
      })
    })
    const calls = bound.flat().map(({ call }) => call)
    const each = chunks[0].length
    const count = HEAD + EACH * calls.length
    const { pointer } = kept.take(Table.bytes(count, calls))
    const table = new Table(runner.heap.memory, base, pointer, count, calls)
    this.pointer = pointer
    this.words = table.words
    this.words.set([STEPS, table.place + HEAD, EACH * each, 2 * each, each, chunks.length])
    let word = HEAD
    for (const products of bound) {
      for (const [handle, place] of products.flatMap(({ places }) => places)) {
        this.words.set([handle, 0, place.step], word)
        this.addresses.push({ word: word + 1, place })
        word += CALL
      }
      for (const { call } of products) word = table.write(call, word)
    }
  }

  /** Addresses of the memories that products read and write. */
  point(...memories: readonly number[]): void {
    for (const { word, place } of this.addresses) this.words[word] = memories[place.memory] + place.at
  }
}
