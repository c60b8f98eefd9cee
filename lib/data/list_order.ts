import { NetError } from '../errors.js'
import { RandomStream } from '../rng.js'
import type { Position, SourceDescription } from './source.js'

/** What a source of a list says of the order of its entries. */
type Ordered = SourceDescription & { readonly shuffle: boolean }

/** The order of an epoch, entries of the list, is a function of (seed, epoch), so it can be resumed. */
export function arrangeEntries({ seed, transform, shuffle }: Ordered, epoch: number, order: Uint32Array): void {
  for (let i = 0; i < order.length; i++) order[i] = i
  if (!shuffle) return
  const stream = new RandomStream(seed, `shuffle ${transform.stream}`)
  stream.iteration = epoch
  stream.shuffle(order)
}

/** Entries of a list one after the other, from the start again after the end, in another order each time if shuffled. */
export class ListOrder {
  private readonly order: Uint32Array
  private item: number
  private record: number
  private epoch: number

  /** @param count entries of the list */
  constructor(
    private readonly description: Ordered,
    count: number,
    { item, record, epoch }: Position,
  ) {
    const { layer, name } = description
    if (record >= count)
      throw new NetError(`${layer}: rand_skip leads to image ${record}, the list ${name} has ${count}`)
    this.item = item
    this.record = record
    this.epoch = epoch
    this.order = new Uint32Array(count)
    this.arrange()
  }

  /** Before the next entry. */
  get position(): Position {
    return { item: this.item, record: this.record, epoch: this.epoch }
  }

  /** The entry that is next. */
  get entry(): number {
    return this.order[this.record]
  }

  /** The next entry and its number since the start of training. */
  take(): { entry: number; item: number } {
    const taken = { entry: this.entry, item: this.item++ }
    if (++this.record === this.order.length) {
      this.record = 0
      this.epoch++
      this.arrange()
    }
    return taken
  }

  /** Over the next `items` entries. */
  skip(items: number): void {
    this.item += items
    const record = this.record + items
    const epochs = Math.floor(record / this.order.length)
    this.record = record % this.order.length
    if (epochs === 0) return
    this.epoch += epochs
    this.arrange()
  }

  private arrange(): void {
    arrangeEntries(this.description, this.epoch, this.order)
  }
}
