import { NetError, RistrettoError } from '../errors.js'
import type { Share } from '../group.js'
import type { TransformSpec } from './transformer.js'

/** Where a data layer is in its input. */
export interface Position {
  /** Items taken since the start of training; random choices depend on it. */
  readonly item: number
  /** Number of the next record in the database or list. */
  readonly record: number
  /** Times the database or list has ended. */
  readonly epoch: number
}

/** What a data layer reads, as plain data that can be sent to a worker. Kinds add what they need. */
export interface SourceDescription {
  readonly kind: string
  /** The layer, for errors: "layer 'mnist' (Data)". */
  readonly layer: string
  /** Name of the database or list, as the prototxt writes it. */
  readonly name: string
  /** Whether a worker can open it as well: it lies in the file system, at an absolute path. */
  readonly inFiles: boolean
  readonly batchSize: number
  readonly seed: number
  readonly transform: TransformSpec
  /** Which batches of every round are this worker's, where several share them. */
  readonly share?: Share
  /** Where labels are pictures: by how much their sides are shorter than those of the items; left out, 1. */
  readonly labelDivisor?: number
}

/** Arrays for one batch: items one after the other, and the labels of all. */
export interface Destination {
  readonly data: Float32Array
  readonly labels: Float32Array | undefined
  /** Where labels are pictures: height and width of each item before it was cut or padded. */
  readonly sizes?: Float32Array
}

/**
 * Called once for each batch with the shape of an item, before anything is written.
 * @param truths rows of eight numbers that the labels are, 1 × 1 × truths × 8; left out: a number an item
 */
export type Place = (itemShape: readonly number[], truths?: number) => Destination

/** What labels are: a number an item, rows of truths of changing number, or a picture an item. */
export type LabelKind = 'numbers' | 'boxes' | 'pictures'

/** What labels are, as far as the description alone says: records may have boxes. */
export const labelKindOf = ({ kind }: SourceDescription): LabelKind =>
  kind === 'segmentations' ? 'pictures' : 'numbers'

/** The shape of the labels of a batch of items (C, H, W). */
export const labelShape = (
  kind: LabelKind,
  batchSize: number,
  itemShape: readonly number[],
  truths = 1,
): readonly number[] =>
  kind === 'boxes' ? [1, 1, truths, 8] : kind === 'pictures' ? [batchSize, 1, itemShape[1], itemShape[2]] : [batchSize]

/** How many values a batch is. */
export interface BatchExtent {
  readonly data: number
  readonly labels: number
  readonly sizes: number
}

/** @param truths rows of truths, where labels are such */
export const batchExtent = (
  kind: LabelKind,
  batchSize: number,
  itemShape: readonly number[],
  truths?: number,
): BatchExtent => ({
  data: productOf([batchSize, ...itemShape]),
  labels: productOf(labelShape(truths ? 'boxes' : kind, batchSize, itemShape, truths)),
  sizes: kind === 'pictures' ? 2 * batchSize : 0,
})

/** Bytes of a batch in one buffer. */
export const batchBytes = ({ data, labels, sizes }: BatchExtent): number => 4 * (data + labels + sizes)

/** A batch in one buffer. */
export const destinationIn = (
  buffer: ArrayBufferLike,
  { data, labels, sizes }: BatchExtent,
): Required<Destination> & { readonly labels: Float32Array } => ({
  data: new Float32Array(buffer, 0, data),
  labels: new Float32Array(buffer, 4 * data, labels),
  sizes: new Float32Array(buffer, 4 * (data + labels), sizes),
})

const productOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1)

/** Makes batches in order. The same code runs on the calling thread and in the prefetch worker. */
export interface BatchSource {
  /** Whether items are image files, which take time and a promise to decode. */
  readonly decodes: boolean
  /** What labels are; left out: a number an item. */
  readonly labelKind?: LabelKind
  readonly batchSize: number
  /** Before the next batch. */
  readonly position: Position
  /** Shape of the next item. */
  peek(): readonly number[] | Promise<readonly number[]>
  /** Write the next batch to `place(shape)`. A promise only if it has to wait. */
  next(place: Place): void | Promise<void>
  /** Go over the next `items` items, as if they had been read. */
  skip(items: number): void | Promise<void>
  close(): void
}

/** The same error with the place in front: layer, record, source. */
export function atRecord(source: SourceDescription, record: string, error: unknown): Error {
  return withPrefix(`${source.layer}: ${record} of ${source.name}`, error)
}

/**
 * The same error, of the same type, with a place in front of its message. The file system's own become RistrettoErrors.
 */
export function withPrefix(place: string, error: unknown): Error {
  const { message } = error as Error
  if (error instanceof RistrettoError) {
    const Type = error.constructor as new (message: string, options?: ErrorOptions) => Error
    return new Type(`${place}: ${message}`, { cause: error })
  }
  return error instanceof Error && 'code' in error
    ? new RistrettoError(`${place}: ${message}`, { cause: error })
    : (error as Error)
}

/** An error of reading a file whose path stands in a file: it is not for everybody, so that it stays in the cause. */
export function withoutPath(error: unknown, name = 'its file'): Error {
  const { message, cause } = error as Error
  const { code } = ((error as { code?: string }).code ? error : (cause ?? {})) as { code?: unknown }
  const say = (what: string) => new RistrettoError(`${name} ${what}`, { cause: error })
  if (typeof code === 'string') return say(`cannot be read (${code})`)
  if (error instanceof RistrettoError && message.startsWith("file not found: '")) return say('is not found')
  if (error instanceof RistrettoError && message.startsWith("cannot read '"))
    return say(`cannot be read: ${message.slice(message.lastIndexOf("': ") + 3)}`)
  return error as Error
}

/** Items of one batch share one blob. */
export function checkItemShape(first: readonly number[], shape: readonly number[]): void {
  if (shape.every((size, i) => size === first[i]) && shape.length === first.length) return
  throw new NetError(
    `the item is ${shape.join('×')}, the first of its batch ${first.join('×')}: ${advice(shape, first)}`,
  )
}

/** Image files decoding at the same time: the decoder has threads of its own. */
const DECODERS = 8

/** `finish(i, value)` for i = from … to−1 in order, while the promises of the next few items are under way. */
export async function inOrder<T>(
  from: number,
  to: number,
  start: (i: number) => Promise<T>,
  finish: (i: number, value: T) => void,
): Promise<void> {
  const pending: Promise<T>[] = []
  let next = from
  for (let i = from; i < to; i++) {
    while (next < to && pending.length < DECODERS) {
      const promise = start(next++)
      // whoever fails is heard when its turn comes
      promise.catch(() => {})
      pending.push(promise)
    }
    finish(i, await pending.shift()!)
  }
}

/** Grey pictures among coloured ones are the usual case where only the channels differ. */
const advice = (a: readonly number[], b: readonly number[]): string =>
  a[0] !== b[0] && a.slice(1).join() === b.slice(1).join()
    ? 'grey pictures among coloured ones need transform_param { force_color: true }, or force_gray: true for all in grey; batch_size 1 takes them as they are'
    : 'items of different sizes need batch_size 1, or a crop_size'
