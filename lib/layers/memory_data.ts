import type { Blob } from '../blob.js'
import type { DataTransformer } from '../data/transformer.js'
import { NetError, RistrettoError } from '../errors.js'
import type { Datum } from '../generated/caffe.js'
import { Layer } from '../layer.js'
import { checkMessage, withDefaults } from '../proto/message.js'
import { copyValues, countOf, named, type Values } from '../system/ndarrays.js'

/**
 * data (N, C, H, W) and label (N, 1, 1, 1) ← the next N items of what the program handed over with `reset` or
 * `addDatumVector`, from the start again after the last one; or what `net.feed` puts there, untransformed. As in Caffe
 * the label has the one axis (N) until the first forward.
 */
export class MemoryDataLayer extends Layer {
  static override readonly param = ['memory_data_param'] as const
  override readonly bottomCount = { exactly: 0 }
  override readonly topCount = { exactly: 2 }
  override readonly takesFeed = true

  private readonly options = withDefaults('MemoryDataParameter', this.param.memory_data_param)
  private transformer!: DataTransformer
  private batchSize = 0
  /** C, H, W */
  private item: [number, number, number] = [0, 0, 0]
  private data: Float32Array | undefined
  private labels = new Float32Array(0)
  /** Item that comes next. */
  private position = 0
  /** Items handed over since the beginning: what random crops and mirrors depend on. */
  private added = 0
  private unread = false

  override async setup(_bottom: Blob[], top: Blob[]): Promise<void> {
    const { batch_size = 0, channels = 0, height = 0, width = 0 } = this.options
    if (!(batch_size && channels && height && width))
      throw this.error(
        `memory_data_param needs batch_size, channels, height and width of 1 or more, not ${batch_size}, ${channels}, ${height}, ${width}`,
      )
    this.batchSize = batch_size
    this.item = [channels, height, width]
    const { phase, context } = this
    const surroundings = {
      phase,
      seed: context.seed,
      stream: `transform ${this.name}`,
      readFile: (path: string) => context.files.read(path),
    }
    const { DataTransformer, transformSpec } = await import('../data/transformer.js')
    this.transformer = new DataTransformer(await transformSpec(this.param.transform_param, surroundings))
    top[0].reshape([batch_size, ...this.item])
    top[1].reshape([batch_size])
  }

  override reshape(): void {}

  /**
   * Hand over items and labels, untransformed; the number of items must be a multiple of the batch size. The values are
   * copied.
   */
  reset(data: Values, labels: Values): void {
    const size = this.item[0] * this.item[1] * this.item[2]
    const values = this.numbersOf('data', data)
    const classes = this.numbersOf('labels', labels)
    if (values.length !== classes.length * size)
      throw this.error(
        `${values.length} values for ${classes.length} labels: every item has ${this.item.join('×')} = ${size} values`,
      )
    this.checkMultiple(classes.length)
    this.data = values
    this.labels = classes
    this.position = 0
    this.unread = false
    this.fed.clear()
  }

  /**
   * Hand over Datum messages, which `transform_param` applies to. What was handed over so must be used up before more
   * comes.
   */
  addDatumVector(datums: readonly Datum[]): void {
    if (this.unread) throw this.error('what was added before has not been used up: run more forward passes first')
    if (!Array.isArray(datums)) throw this.error('addDatumVector takes a list of Datum messages')
    this.checkMultiple(datums.length)
    const [C, H, W] = this.item
    const size = C * H * W
    const data = new Float32Array(datums.length * size)
    const labels = new Float32Array(datums.length)
    datums.forEach((given, i) => {
      const { channels = 0, height = 0, width = 0, data: bytes, float_data, encoded, label } = this.checked(given, i)
      labels[i] = label ?? 0
      const values = bytes?.length ? bytes : float_data
      if (encoded) throw this.error(`datum ${i} holds an image file: decode it first`)
      if (values?.length !== channels * height * width)
        throw this.error(`datum ${i} says ${channels}×${height}×${width} and holds ${values?.length ?? 0} values`)
      try {
        const shape = this.transformer.outputShape(channels, height, width)
        if (shape.join() !== this.item.join())
          throw this.error(
            `datum ${i} is ${shape.join('×')} after the transformation, memory_data_param says ${this.item.join('×')}`,
          )
      } catch (error) {
        throw error instanceof RistrettoError && !error.message.startsWith('layer')
          ? this.error(`datum ${i}: ${error.message}`)
          : error
      }
      this.transformer.transform(values, channels, height, width, this.added + i, data, i * size)
    })
    this.added += datums.length
    this.data = data
    this.labels = labels
    this.position = 0
    this.unread = true
    this.fed.clear()
  }

  override forward(_bottom: Blob[], top: Blob[]): void {
    if (this.fed.size) {
      top[1].reshape([top[1].size(0, 1), 1, 1, 1])
      return
    }
    if (!this.data)
      throw this.error(
        'it has no data yet: net.feed gives it some, or reset(data, labels) or addDatumVector(datums) on this layer',
      )
    const { batchSize, position } = this
    const size = this.data.length / this.labels.length
    top[0].reshape([batchSize, ...this.item])
    top[1].reshape([batchSize, 1, 1, 1])
    top[0].dataArray.set(this.data.subarray(position * size, (position + batchSize) * size))
    top[1].dataArray.set(this.labels.subarray(position, position + batchSize))
    this.position = (position + batchSize) % this.labels.length
    if (this.position === 0) this.unread = false
  }

  override backward(): void {}

  override saveState(): Record<string, number> {
    return { position: this.position, added: this.added }
  }

  /** The data is the program's to hand over again. */
  override restoreState({ position = 0, added = 0 }: Record<string, number>): void {
    this.position = this.labels.length ? position % this.labels.length : 0
    this.added = added
  }

  /** A Datum whose fields are what they must be; null is none, as JSON writes NaN. */
  private checked(given: Datum, i: number): Datum {
    const where = `layer '${this.name}' (${this.type}): datum ${i}`
    for (const field of ['label', 'channels', 'height', 'width', 'data', 'float_data'] as const)
      if ((given as Datum | null)?.[field] === null) throw new NetError(`${where}: its ${field} is null`)
    return checkMessage('Datum', given, where)
  }

  private numbersOf(what: string, given: Values): Float32Array<ArrayBuffer> {
    return named(`layer '${this.name}' (${this.type}): ${what}`, () => {
      const count = countOf(given)
      if (count < 0) throw this.error(`${what}: the nested arrays are of uneven length`)
      const values = new Float32Array(count)
      copyValues(given, values)
      return values
    })
  }

  private checkMultiple(n: number): void {
    if (n === 0 || n % this.batchSize)
      throw this.error(`${n} items: it must be a multiple of batch_size ${this.batchSize}, and not 0`)
  }
}
