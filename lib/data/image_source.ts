import { NetError } from '../errors.js'
import { RandomStream } from '../rng.js'
import { decodeImage, type PixelsModule, type PlanarImage, resizeImage, toPlanes } from './image.js'
import type { ImageList } from './image_list.js'
import {
  atRecord,
  type BatchSource,
  checkItemShape,
  inOrder,
  type Place,
  type Position,
  type SourceDescription,
  withoutPath,
} from './source.js'
import { DataTransformer } from './transformer.js'

export interface ImagesDescription extends SourceDescription {
  readonly kind: 'images'
  readonly list: ImageList
  /** In front of every path of the list; `root_folder` is part of it. */
  readonly prefix: string
  readonly shuffle: boolean
  readonly color: boolean
  /** Size that images are brought to; 0: as they are. */
  readonly height: number
  readonly width: number
}

/** The order of an epoch, entries of the list, is a function of (seed, epoch), so it can be resumed. */
export function arrangeImages(
  { seed, transform, shuffle }: ImagesDescription,
  epoch: number,
  order: Uint32Array,
): void {
  for (let i = 0; i < order.length; i++) order[i] = i
  if (!shuffle) return
  const stream = new RandomStream(seed, `shuffle ${transform.stream}`)
  stream.iteration = epoch
  stream.shuffle(order)
}

/**
 * Batches of image files from a list, from the start again after the end, in another order each time if asked to
 * shuffle.
 */
export class ImageSource implements BatchSource {
  readonly decodes = true
  readonly batchSize: number
  private readonly transformer: DataTransformer
  private readonly order: Uint32Array
  private item: number
  private record: number
  private epoch: number

  constructor(
    private readonly description: ImagesDescription,
    private readonly pixels: () => Promise<PixelsModule>,
    private readonly readFile: (path: string) => Promise<Uint8Array>,
    start: Position,
  ) {
    const count = description.list.paths.length
    if (start.record >= count)
      throw new NetError(
        `${description.layer}: rand_skip leads to image ${start.record}, the list ${description.name} has ${count}`,
      )
    this.batchSize = description.batchSize
    this.transformer = new DataTransformer(description.transform)
    this.item = start.item
    this.record = start.record
    this.epoch = start.epoch
    this.order = new Uint32Array(count)
    this.arrange()
  }

  get position(): Position {
    return { item: this.item, record: this.record, epoch: this.epoch }
  }

  async peek(): Promise<readonly number[]> {
    const entry = this.order[this.record]
    const { channels, height, width } = await this.load(entry)
    return this.located(entry, () => this.transformer.outputShape(channels, height, width))
  }

  next(place: Place): Promise<void> {
    let first: readonly number[] = []
    let data: Float32Array
    let labels: Float32Array | undefined
    const start = async () => {
      const { item } = this
      const entry = this.order[this.record]
      this.advance()
      return { item, entry, image: await this.load(entry) }
    }
    return inOrder(0, this.batchSize, start, (i, { item, entry, image }) =>
      this.located(entry, () => {
        const { channels, height, width } = image
        const shape = this.transformer.outputShape(channels, height, width)
        if (i === 0) {
          first = shape
          ;({ data, labels } = place(shape))
        } else checkItemShape(first, shape)
        this.transformer.transform(image.data, channels, height, width, item, data, i * shape[0] * shape[1] * shape[2])
        if (labels) labels[i] = this.description.list.labels[entry]
      }),
    )
  }

  close(): void {}

  /** Entry of the list → planes, in the size and colours asked for. */
  private async load(entry: number): Promise<PlanarImage> {
    const { list, prefix, color, height, width } = this.description
    try {
      const pixels = await this.pixels()
      const bytes = await this.readFile(prefix + list.paths[entry]).catch(error => Promise.reject(withoutPath(error)))
      const image = toPlanes(await decodeImage(bytes, pixels), color ? 3 : 1)
      return height ? resizeImage(image, height, width) : image
    } catch (error) {
      throw this.at(entry, error)
    }
  }

  private advance(): void {
    this.item++
    if (++this.record < this.order.length) return
    this.record = 0
    this.epoch++
    this.arrange()
  }

  private arrange(): void {
    arrangeImages(this.description, this.epoch, this.order)
  }

  private located<T>(entry: number, task: () => T): T {
    try {
      return task()
    } catch (error) {
      throw this.at(entry, error)
    }
  }

  private at(entry: number, error: unknown): Error {
    return atRecord(this.description, `image ${entry} (line ${this.description.list.lines[entry]})`, error)
  }
}
