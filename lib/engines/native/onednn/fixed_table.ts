/** Products whose rows always lie in the same place, each a chunk: a table of PARTS, see execute.ts. */
import { CALL, PARTS } from './execute.js'
import type { Kept } from './kept.js'
import type { Handle } from './library.js'
import { DST, type Primitive, SCRATCH, SRC, WEIGHTS } from './maker.js'
import { Table } from './table.js'

export interface FixedProduct {
  readonly primitive: Primitive
  readonly weights: Handle
  /** Where its rows begin in the heap, and those of its result. */
  readonly from: number
  readonly to: number
}

/** Where the table is in the heap. */
export function fixedTable(kept: Kept, products: readonly FixedProduct[]): number {
  const { base, library, runner } = kept
  const calls = products.map(({ primitive, weights, from, to }) => {
    const args: [number, Handle][] = [
      [SRC, kept.object(primitive.memories.get(SRC)!, base + from)],
      [WEIGHTS, weights],
      [DST, kept.object(primitive.memories.get(DST)!, base + to)],
    ]
    const scratch = primitive.memories.get(SCRATCH)
    if (scratch) args.push([SCRATCH, kept.object(scratch, base + kept.take(library.bytesOf(scratch)).pointer)])
    return { primitive: primitive.handle, args }
  })
  const head = 2 + 2 * calls.length
  const count = head + CALL * calls.length
  const { pointer } = kept.take(Table.bytes(count, calls))
  const table = new Table(runner.heap.memory, base, pointer, count, calls)
  table.words[0] = PARTS
  let word = head
  for (const [i, call] of calls.entries()) {
    table.words.set([table.place + word, 1], 2 + 2 * i)
    word = table.write(call, word)
  }
  return pointer
}
