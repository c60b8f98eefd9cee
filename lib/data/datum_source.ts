import { FormatError } from '../errors.js'
import { type ReadDatum, readDatum } from '../proto/datum.js'
import { Augmenter } from './augment.js'
import { openPicture } from './decode_picture.js'
import type { PixelsModule } from './image.js'
import { type RecordCursor, skipRecords } from './records.js'
import {
  atRecord,
  type BatchSource,
  checkItemShape,
  inOrder,
  type Place,
  type Position,
  type SourceDescription,
  withPrefix,
} from './source.js'
import { DataTransformer } from './transformer.js'

export interface DatumDescription extends SourceDescription {
  readonly kind: 'datum'
  /** Directory or file of the database, where it is in the file system. */
  readonly path: string | undefined
  readonly backend: 'LMDB' | 'LEVELDB'
}

/** Batches of Datum records from a database, in key order, from the start again after the end. */
export class DatumSource implements BatchSource {
  decodes = false
  readonly batchSize: number
  private readonly transformer: DataTransformer
  private readonly augmenter: Augmenter
  private item: number
  private record: number
  private epoch: number
  /** (C, H, W) of the items of this batch after the transformation. */
  private shape: readonly number[] = []
  private data: Float32Array = new Float32Array(0)
  private labels: Float32Array | undefined

  /** @param cursor stands on the first record of the first batch */
  constructor(
    private readonly description: DatumDescription,
    private readonly cursor: RecordCursor,
    private readonly pixels: () => Promise<PixelsModule>,
    start: Position,
  ) {
    this.transformer = new DataTransformer(description.transform)
    this.augmenter = new Augmenter(description.transform, this.transformer.meanOf)
    this.batchSize = description.batchSize
    this.item = start.item
    this.record = start.record
    this.epoch = start.epoch
    try {
      this.decodes = readDatum(cursor.value).encoded
    } catch (error) {
      throw withPrefix(`record ${this.record} of ${description.name}`, error)
    }
  }

  get position(): Position {
    return { item: this.item, record: this.record, epoch: this.epoch }
  }

  peek(): readonly number[] | Promise<readonly number[]> {
    try {
      const datum = this.read()
      if (!datum.encoded) return this.outputShape(this.augmented(datum, this.item))
      return this.decode(datum).then(
        decoded => this.outputShape(this.augmented(decoded, this.item)),
        error => Promise.reject(this.located(error)),
      )
    } catch (error) {
      throw this.located(error)
    }
  }

  next(place: Place): void | Promise<void> {
    return this.fill(place, 0)
  }

  async skip(items: number): Promise<void> {
    const { item, record, epoch } = this
    const { to, epochs } = await skipRecords(this.cursor, record, items)
    this.item = item + items
    this.record = to
    this.epoch = epoch + epochs
  }

  close(): void {
    this.cursor.close()
  }

  /** Items i … of a batch. */
  private fill(place: Place, i: number): void | Promise<void> {
    for (; i < this.batchSize; i++) {
      const wait = this.cursor.wait?.()
      if (wait) return wait.then(() => this.fill(place, i))
      try {
        const datum = this.read()
        if (datum.encoded) return this.decodeRest(place, i)
        this.put(datum, i, place)
      } catch (error) {
        throw this.located(error)
      }
      this.advance()
    }
  }

  /** Items i … of a batch that holds image files: they are read in turn, and several decode at once. */
  private decodeRest(place: Place, i: number): Promise<void> {
    let turn: Promise<unknown> = Promise.resolve()
    const start = async () => {
      const taken = turn.then(() => this.takeCopy())
      turn = taken.catch(() => {})
      const { at, datum } = await taken
      try {
        return { at, datum: datum.encoded ? await this.decode(datum) : datum }
      } catch (error) {
        throw this.located(error, at.record)
      }
    }
    return inOrder(i, this.batchSize, start, (k, { at, datum }) => {
      try {
        this.put(datum, k, place, at.item)
      } catch (error) {
        throw this.located(error, at.record)
      }
    })
  }

  /** The next record, in memory of its own: the bytes of the cursor are only lent, and the decoder takes its time. */
  private async takeCopy(): Promise<{ at: Position; datum: ReadDatum }> {
    await this.cursor.wait?.()
    const at = this.position
    try {
      const lent = this.read()
      const datum = { ...lent, data: lent.data.slice(), float_data: lent.float_data?.slice() }
      this.advance()
      return { at, datum }
    } catch (error) {
      throw this.located(error)
    }
  }

  private async decode(datum: ReadDatum): Promise<ReadDatum> {
    const { forceColor, forceGray } = this.description.transform
    const planes = (await openPicture(datum.data, this.pixels)).planes(forceColor ? 3 : forceGray ? 1 : undefined)
    return { ...planes, label: datum.label, float_data: undefined, encoded: false }
  }

  private outputShape(datum: ReadDatum): readonly number[] {
    const { channels, height, width, data, float_data } = datum
    const values = data.length || (float_data?.length ?? 0)
    if (channels < 1 || height < 1 || width < 1 || values !== channels * height * width)
      throw new FormatError(`the Datum says ${channels}×${height}×${width} and holds ${values} values`)
    return this.transformer.outputShape(channels, height, width)
  }

  private augmented(datum: ReadDatum, item: number): ReadDatum {
    if (!this.description.transform.augment) return datum
    const { channels, height, width, data, label } = datum
    if (!data.length && datum.float_data)
      throw new FormatError('it holds float_data: what transform_param asks for is done to pictures of bytes alone')
    // a damaged record is told of where its shape is looked at
    if (data.length !== channels * height * width) return datum
    const image = this.augmenter.apply({ channels, height, width, data }, item)
    return { ...image, label, float_data: undefined, encoded: false }
  }

  private put(record: ReadDatum, i: number, place: Place, item = this.item): void {
    const datum = this.augmented(record, item)
    const shape = this.outputShape(datum)
    if (i === 0) {
      this.shape = shape
      const { data, labels } = place(shape)
      this.data = data
      this.labels = labels
    } else checkItemShape(this.shape, shape)
    const { channels, height, width } = datum
    const values = datum.data.length ? datum.data : datum.float_data!
    const size = this.shape[0] * this.shape[1] * this.shape[2]
    this.transformer.transform(values, channels, height, width, item, this.data, i * size)
    if (this.labels) this.labels[i] = datum.label
  }

  private read(): ReadDatum {
    return readDatum(this.cursor.value)
  }

  private advance(): void {
    this.item++
    this.record++
    if (this.cursor.next()) return
    this.cursor.first()
    this.record = 0
    this.epoch++
  }

  private located(error: unknown, record = this.record): Error {
    return atRecord(this.description, `record ${record}`, error)
  }
}
