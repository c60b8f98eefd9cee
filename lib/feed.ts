import type { Blob } from './blob.js'
import { RistrettoError } from './errors.js'
import { copyValues, countOf, isNdArray, type Values } from './ndarrays.js'

/**
 * Where the batches of an input come from. One array of numbers (or ndarray) is a data set: it is cut into consecutive batches and
 * starts again at its end. An iterable or async iterable gives one batch, or one item of a batch, at a time; an array of arrays,
 * and anything else that can be iterated twice, starts again at its end, a generator ends with an error.
 */
export type FeedSource = Values | Iterable<Values> | AsyncIterable<Values>

const isNumbers = (source: object) =>
  ArrayBuffer.isView(source) || isNdArray(source) || (Array.isArray(source) && (source.length === 0 || typeof source[0] === 'number'))

/** Fills one input blob, a batch per forward pass. */
export class Feed {
  private readonly numbers: Float32Array | undefined
  private at = 0
  private iterator: Iterator<Values> | AsyncIterator<Values> | undefined
  private produced = false

  constructor(
    private readonly input: string,
    private readonly blob: Blob,
    private readonly source: FeedSource,
  ) {
    if (typeof source !== 'object' || source === null) throw this.error('the source must be an array, an iterable or an async iterable')
    if (isNumbers(source)) {
      this.numbers = new Float32Array(countOf(source as Values))
      copyValues(source as Values, this.numbers)
      const item = blob.size(1)
      if (this.numbers.length === 0 || this.numbers.length % item)
        throw this.error(`${this.numbers.length} values do not make whole items of ${item}`)
    } else if (!(Symbol.iterator in source) && !(Symbol.asyncIterator in source))
      throw this.error('the source must be an array, an iterable or an async iterable')
  }

  /** Fill the blob with the next batch; a promise only if the source makes it wait. */
  next(): Promise<void> | undefined {
    if (!this.numbers) return this.fromIterator()
    const into = this.claimed()
    for (let done = 0; done < into.length; ) {
      const n = Math.min(into.length - done, this.numbers.length - this.at)
      into.set(this.numbers.subarray(this.at, this.at + n), done)
      done += n
      this.at = (this.at + n) % this.numbers.length
    }
    return undefined
  }

  private async fromIterator(): Promise<void> {
    const into = this.claimed()
    const item = this.blob.size(1)
    for (let done = 0; done < into.length; ) {
      const values = await this.value()
      const count = countOf(values)
      if (count !== item && (count !== into.length || done > 0))
        throw this.error(`the source gave ${count} values; a batch has ${into.length}, an item of it ${item}`)
      copyValues(values, into, done)
      done += count
    }
  }

  private async value(): Promise<Values> {
    for (;;) {
      this.iterator ??= this.start()
      const { done, value } = await this.iterator.next()
      if (!done) {
        this.produced = true
        return value
      }
      if (!this.produced) throw this.error('the source has ended; give one that can be iterated again, or more batches')
      this.iterator = undefined
      this.produced = false
    }
  }

  private start(): Iterator<Values> | AsyncIterator<Values> {
    const source = this.source as Partial<Iterable<Values> & AsyncIterable<Values>>
    return source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]!()
  }

  private claimed(): Float32Array {
    this.blob.memory.data.claim()
    return this.blob.dataArray
  }

  private error(message: string): RistrettoError {
    return new RistrettoError(`feed of input '${this.input}': ${message}`)
  }
}
