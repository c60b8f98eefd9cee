import type { Blob } from '../blob.js'
import { NetError, RistrettoError } from '../errors.js'
import { RandomStream } from '../rng.js'
import { aFlag, aFunction, checkOptions, type OptionRules } from '../system/check_options.js'
import { listNames } from '../system/names.js'
import { copyValues, countOf, isNdArray, named, type Values } from '../system/ndarrays.js'
import type { BuiltNet, NetNode } from './node.js'

/** One item of an input, or a whole batch of them; a single value, such as a label, may be a plain number. */
export type FeedValues = Values | number

/**
 * Where the batches of an input come from. One array of numbers (or ndarray) is a data set: it is cut into consecutive
 * batches and starts again at its end. An iterable or async iterable gives one batch, or one item of a batch, at a
 * time; an array of arrays, and anything else that can be iterated twice, starts again at its end, a generator ends
 * with an error.
 */
export type FeedSource = Values | Iterable<FeedValues> | AsyncIterable<FeedValues>

/**
 * What a source of several inputs gives at a time, an item or a batch of each: in the order of the inputs, or by their
 * names.
 */
export type FeedItem<Input extends string = string> = readonly FeedValues[] | Readonly<Record<Input, FeedValues>>

/**
 * Where several inputs come from together: pairs `[data, label]` or objects `{ data, label }`, from an iterable or
 * async iterable.
 */
export type JointFeedSource<Input extends string = string> = Iterable<FeedItem<Input>> | AsyncIterable<FeedItem<Input>>

/** How a source is fed. */
export interface FeedOptions {
  /**
   * Items in another order each epoch, drawn from the net's seed and the number of the epoch: for arrays of items, whose
   * place snapshots keep. Feeds of one length are shuffled alike, so they stay in step.
   */
  shuffle?: boolean
  /** The source may have another number of items than those of other inputs: what comes together is then by chance. */
  anyLength?: boolean
  /** Called when all items have been fed once more, with how often that is. */
  onEpoch?: (epoch: number) => void
}

const RULES: OptionRules<FeedOptions> = { shuffle: aFlag, anyLength: aFlag, onEpoch: aFunction }

/** Where a feed is: epochs that are over, and entries of the source that the next one has given. */
export type FeedPlace = Readonly<Record<'epoch' | 'at', number>>

/** What a feed asks its net. */
export interface FeedSurroundings {
  /** The seed of the net as it is now: a restored snapshot may have changed it. */
  readonly seed: () => number
  /** Told when a source has been through, with the number of epochs so far and the inputs that it feeds. */
  readonly onEpoch: (epoch: number, inputs: readonly string[]) => void
}

const isNumbers = (source: object) =>
  ArrayBuffer.isView(source) ||
  isNdArray(source) ||
  // among texts and nulls one number tells what was meant
  (Array.isArray(source) && (source.length === 0 || source.some(item => typeof item === 'number')))

const isIterable = (source: object) => Symbol.iterator in source || Symbol.asyncIterator in source

/** Fills one input blob, or several that come from one source, a batch per forward pass. */
export class Feed {
  private readonly numbers: Float32Array | undefined
  /** Items of an array of numbers, or entries of an array, that this epoch has given. */
  private at = 0
  private epoch = 0
  /** Entries of an array, in the order of this epoch; undefined for what can only be iterated. */
  private readonly entries: number | undefined
  private order: { readonly seed: number; readonly epoch: number; readonly of: Uint32Array } | undefined
  private iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined
  /** Items that the source has given since it was begun. */
  private produced = 0
  /** Whether it was begun at its first entry: what is left of a resumed epoch says nothing about its length. */
  private fromFirst = true
  /** Items from one beginning of the source to the next; undefined until that is known. */
  length: number | undefined

  /** @param joint the source gives a part for each input, even if there is but one */
  constructor(
    readonly blobs: readonly Blob[],
    private readonly source: FeedSource | JointFeedSource,
    private readonly joint: boolean,
    /** Places of the layers whose tops the blobs are. */
    private readonly places: readonly number[],
    private readonly options: FeedOptions,
    private readonly surroundings: FeedSurroundings,
  ) {
    const kinds = joint ? 'an iterable or an async iterable' : 'an array, an iterable or an async iterable'
    if (typeof source !== 'object' || source === null) throw this.error(`the source must be ${kinds}`)
    if (joint && isNumbers(source))
      throw this.error(
        `the source must give ${this.itemText} at a time; net.feed(name, array) takes an array for one input`,
      )
    if (!joint && isNumbers(source)) {
      const numbers = this.checked(0, () => {
        const numbers = new Float32Array(countOf(source as Values))
        copyValues(source as Values, numbers)
        return numbers
      })
      this.numbers = numbers
      const item = blobs[0].size(1)
      if (this.numbers.length === 0 || this.numbers.length % item)
        throw this.error(`${this.numbers.length} values do not make whole items of ${item}`)
      this.length = this.numbers.length / item
    } else if (!isIterable(source)) throw this.error(`the source must be ${kinds}`)
    else if (!joint && Array.isArray(source)) this.length = itemsOf(source, blobs[0])
    this.entries = this.numbers ? this.length : Array.isArray(source) ? source.length : undefined
    if (joint && Array.isArray(source) && isItem(source[0], blobs)) this.length = source.length
    if (options.shuffle && this.entries === undefined)
      throw this.error('shuffle needs an array of items: what is iterated comes in its own order')
  }

  /** Whether it may have another length than other feeds. */
  get isApart(): boolean {
    return this.options.anyLength ?? false
  }

  /** What a snapshot keeps of it; undefined where its place is the program's own. */
  get place(): FeedPlace | undefined {
    return this.entries === undefined ? undefined : { epoch: this.epoch, at: this.at }
  }

  /** Go on from a place that was kept. */
  goTo({ epoch = 0, at = 0 }: FeedPlace): void {
    if (!this.entries) return
    this.epoch = epoch
    this.at = at % this.entries
    this.fromFirst = this.at === 0
    this.produced = 0
  }

  /** The entry that comes after `k` others of this epoch. */
  private entry(k: number): number {
    if (!this.options.shuffle) return k
    const seed = this.surroundings.seed()
    if (this.order?.seed !== seed || this.order.epoch !== this.epoch) {
      const random = new RandomStream(seed, 'feed')
      random.iteration = this.epoch
      const of = Uint32Array.from({ length: this.entries! }, (_, i) => i)
      for (let i = of.length - 1; i > 0; i--) {
        const j = random.integer(i + 1)
        const other = of[i]
        of[i] = of[j]
        of[j] = other
      }
      this.order = { seed, epoch: this.epoch, of }
    }
    return this.order.of[k]
  }

  /** `n` entries were given. */
  private advance(n: number): void {
    this.at += n
    if (this.at < this.entries!) return
    this.at = 0
    this.endEpoch()
  }

  private endEpoch(): void {
    this.epoch++
    this.options.onEpoch?.(this.epoch)
    this.surroundings.onEpoch(
      this.epoch,
      this.blobs.map(({ name }) => name),
    )
  }

  /** Whether `other` fills a blob of this one's. */
  replacedBy(other: Feed): boolean {
    return this.blobs.some(blob => other.blobs.includes(blob))
  }

  /** Whether a pass over layers start … end runs a layer that it fills: others take nothing from the source. */
  takesPart(start: number, end: number): boolean {
    return this.places.some(place => place >= start && place <= end)
  }

  /** Which inputs it fills, in words. */
  get names(): string {
    return this.blobs.map(blob => `'${blob.name}'`).join(', ')
  }

  /** Fill the blobs with the next batch; a promise only if the source may make it wait. */
  next(): Promise<void> | undefined {
    if (!this.numbers) return this.fromIterator()
    const into = claimed(this.blobs[0])
    const size = this.blobs[0].size(1)
    const { numbers } = this
    for (let done = 0; done < into.length; ) {
      // in their own order as many as there are at a time
      const n = this.options.shuffle ? 1 : Math.min(into.length / size - done / size, this.entries! - this.at)
      const from = this.entry(this.at) * size
      into.set(numbers.subarray(from, from + n * size), done)
      done += n * size
      this.advance(n)
    }
    return undefined
  }

  private async fromIterator(): Promise<void> {
    const { blobs } = this
    const items = blobs.map(blob => blob.size(1))
    const batch = blobs[0].size(0, 1)
    const other = blobs.find(blob => blob.size(0, 1) !== batch)
    if (other)
      throw this.error(
        `'${blobs[0].name}' takes ${batch} items a batch, '${other.name}' ${other.size(0, 1)}: they cannot share a source`,
      )
    for (let done = 0; done < batch; ) {
      const parts = this.parts(await this.value())
      // only now: memory of a net that was disposed meanwhile is somebody else's
      const into = blobs.map(claimed)
      const counts = parts.map((part, i) => this.checked(i, () => countOf(part)))
      const isItem = counts.every((count, i) => count === items[i])
      if (!isItem && (done > 0 || counts.some((count, i) => count !== into[i].length)))
        throw this.wrongCount(counts, into, items)
      parts.forEach((values, i) => {
        this.checked(i, () => copyValues(values, into[i], done * items[i]))
      })
      done += isItem ? 1 : batch
      this.produced += isItem ? 1 : batch
    }
  }

  /** What is said about values names the input they are for, and how many items came before. */
  private checked<T>(i: number, task: () => T): T {
    const after = this.produced ? `, after ${this.produced} items` : ''
    return named(`feed of input '${this.blobs[i].name}'${after}`, task)
  }

  /** The values for each blob. */
  private parts(value: unknown): Values[] {
    if (!this.joint) return [this.values(value, 0)]
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || isNdArray(value))
      throw this.error(`the source must give ${this.itemText} at a time, not ${kindOf(value)}`)
    if (!Array.isArray(value))
      return this.blobs.map(({ name }, i) => this.values((value as Record<string, unknown>)[name], i))
    if (value.length !== this.blobs.length)
      throw this.error(`the source must give ${this.itemText} at a time, not an array of ${value.length}`)
    return value.map((part, i) => this.values(part, i))
  }

  private values(value: unknown, i: number): Values {
    if (typeof value === 'number') return [value]
    if (typeof value === 'object' && value !== null && 'length' in (isNdArray(value) ? value.shape : value))
      return value as Values
    throw this.error(
      `the source gave ${kindOf(value)}${this.joint ? ` for '${this.blobs[i].name}'` : ''} where values should be`,
    )
  }

  private async value(): Promise<unknown> {
    if (this.entries !== undefined) return this.nextEntry()
    for (;;) {
      this.iterator ??= this.start()
      const { done, value } = await this.iterator.next()
      if (!done) return value
      if (!this.produced) throw this.error('the source has ended; give one that can be iterated again, or more batches')
      this.iterator = undefined
      this.length = this.produced
      this.produced = 0
      this.endEpoch()
    }
  }

  private nextEntry(): unknown {
    if (!this.entries) throw this.error('the source is an array without items')
    if (this.at === 0 && this.produced) {
      if (this.fromFirst) this.length = this.produced
      this.fromFirst = true
      this.produced = 0
    }
    const value = (this.source as readonly unknown[])[this.entry(this.at)]
    this.advance(1)
    return value
  }

  private start(): Iterator<unknown> | AsyncIterator<unknown> {
    const source = this.source as Partial<Iterable<unknown> & AsyncIterable<unknown>>
    return source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]!()
  }

  private wrongCount(counts: number[], into: Float32Array[], items: number[]): RistrettoError {
    const name = (i: number) => (this.joint ? ` of '${this.blobs[i].name}'` : '')
    const given = counts.map(
      (count, i) => `${count < 0 ? 'nested arrays of uneven length' : `${count} values`}${name(i)}`,
    )
    const wanted = into.map(({ length }, i) => `a batch${name(i)} has ${length}, an item of it ${items[i]}`)
    return this.error(`the source gave ${given.join(' and ')}; ${wanted.join('; ')}`)
  }

  /** "[data, label] or { data, label }" */
  private get itemText(): string {
    const names = this.blobs.map(blob => blob.name).join(', ')
    return `[${names}] or { ${names} }`
  }

  private error(message: string): RistrettoError {
    return new RistrettoError(`feed of input${this.blobs.length > 1 ? 's' : ''} ${this.names}: ${message}`)
  }
}

/** Whether the first entry of a joint source is one item of each input. */
function isItem(first: unknown, blobs: readonly Blob[]): boolean {
  if (typeof first !== 'object' || first === null || ArrayBuffer.isView(first) || isNdArray(first)) return false
  const parts = Array.isArray(first) ? first : blobs.map(({ name }) => (first as Record<string, unknown>)[name])
  return (
    parts.length === blobs.length &&
    blobs.every((blob, i) => {
      const part = typeof parts[i] === 'number' ? [parts[i]] : parts[i]
      if (typeof part !== 'object' || part === null || !('length' in part || isNdArray(part))) return false
      try {
        return countOf(part as Values) === blob.size(1)
      } catch {
        return false
      }
    })
  )
}

/** Items in an array of items or of batches; undefined where its first part is neither. */
function itemsOf(source: readonly unknown[], blob: Blob): number | undefined {
  const first = source[0]
  if (typeof first !== 'object' || first === null || !('length' in first || isNdArray(first))) return undefined
  const count = countOf(first as Values)
  if (count === blob.size(1)) return source.length
  return count === blob.count ? source.length * blob.size(0, 1) : undefined
}

function claimed(blob: Blob): Float32Array {
  blob.memory.data.claim()
  return blob.dataArray
}

const kindOf = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'an array'
      : `a ${value.constructor?.name ?? 'object'}`
    : String(value)

/**
 * A feed of one or, if it is joint, several blobs of a net. Throws a RistrettoError for a blob that no layer takes a
 * feed for.
 */
export function createFeed(
  net: BuiltNet,
  blobs: readonly Blob[],
  source: FeedSource | JointFeedSource,
  joint: boolean,
  options: FeedOptions,
  surroundings: FeedSurroundings,
): Feed {
  checkOptions('feed', options, RULES)
  const places = blobs.map(blob => net.nodes.findIndex(({ top, layer }) => layer.takesFeed && top.includes(blob)))
  const unknown = blobs.find((_, i) => places[i] < 0)
  if (unknown || !blobs.length) {
    const known = net.nodes.flatMap(({ top, layer }) => (layer.takesFeed ? top.map(blob => blob.name) : []))
    throw new RistrettoError(
      `${unknown ? `'${unknown.name}'` : 'an empty list'} is no input of net '${net.name}' that can be fed: its inputs are ${listNames(known)}`,
    )
  }
  return new Feed(blobs, source, joint, places, options, surroundings)
}

/** Feeds that start again at different places give items that do not belong together: refused as soon as it is known. */
export function checkInStep(feeds: readonly Feed[]): void {
  const known = feeds.filter(feed => feed.length !== undefined && !feed.isApart)
  const other = known.find(feed => feed.length !== known[0].length)
  if (other)
    throw new RistrettoError(
      `the feed of ${known[0].names} has ${known[0].length} items, that of ${other.names} ${other.length}: they would run out of step; give both the same number, or feed them together from one source, net.feed([…], pairs), or say anyLength: true`,
    )
}

/** The layers that read tops which a feed may fill, with those tops. */
export function inputReaders({ nodes }: BuiltNet): Map<NetNode, readonly Blob[]> {
  const inputs = new Set(nodes.flatMap(({ top, layer }) => (layer.takesFeed ? top : [])))
  const readers = nodes.map((node): [NetNode, Blob[]] => [node, node.bottom.filter(blob => inputs.has(blob))])
  return new Map(readers.filter(([, read]) => read.length))
}

/** Whether nobody has ever given this blob values: it has no storage yet. */
export const isEmpty = (blob: Blob): boolean => blob.count > 0 && !blob.memory.data.isAllocated

/** Refuse a pass over zeros that nobody meant, with every such input that layers start … end read. */
export function refuseEmpty(net: BuiltNet, start: number, end: number): never {
  const empty = [...inputReaders(net)].flatMap(([node, read]) => {
    const place = net.nodes.indexOf(node)
    return place >= start && place <= end ? read.filter(isEmpty) : []
  })
  const names = net.blobs.filter(blob => empty.includes(blob)).map(blob => blob.name)
  const are = names.length > 1 ? 'have' : 'has'
  throw new NetError(
    `input${names.length > 1 ? 's' : ''} ${names.map(name => `'${name}'`).join(', ')} of net '${net.name}' (${net.phase}) ${are} no values: forward({ ${names[0]}: … }) gives them, net.feed('${names[0]}', …) a batch a pass, a data layer in its place reads files`,
  )
}

/** Refuse a pass on what a joint feed left behind when a feed of its own took one of its inputs. */
export function refuseOrphan({ name }: Blob): never {
  throw new RistrettoError(
    `input '${name}' was fed together with one whose feed has changed, so nothing gives it batches any more: net.feed('${name}', …), or net.feed('${name}', null) where it keeps its values`,
  )
}
