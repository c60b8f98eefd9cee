import { Augmenter } from './augment.js'
import { openPicture } from './decode_picture.js'
import { type PixelsModule, type PlanarImage, resizeImage } from './image.js'
import type { ImageList } from './image_list.js'
import { ListOrder } from './list_order.js'
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

/**
 * Batches of image files from a list, from the start again after the end, in another order each time if asked to
 * shuffle.
 */
export class ImageSource implements BatchSource {
  readonly decodes = true
  readonly batchSize: number
  private readonly transformer: DataTransformer
  private readonly augmenter: Augmenter
  private readonly order: ListOrder

  constructor(
    private readonly description: ImagesDescription,
    private readonly pixels: () => Promise<PixelsModule>,
    private readonly readFile: (path: string) => Promise<Uint8Array>,
    start: Position,
  ) {
    this.batchSize = description.batchSize
    this.transformer = new DataTransformer(description.transform)
    this.augmenter = new Augmenter(description.transform, this.transformer.meanOf)
    this.order = new ListOrder(description, description.list.paths.length, start)
  }

  get position(): Position {
    return this.order.position
  }

  async peek(): Promise<readonly number[]> {
    const { entry, position } = this.order
    const loaded = await this.load(entry)
    return this.located(entry, () => {
      const { channels, height, width } = this.augmenter.apply(loaded, position.item)
      return this.transformer.outputShape(channels, height, width)
    })
  }

  next(place: Place): Promise<void> {
    let first: readonly number[] = []
    let data: Float32Array
    let labels: Float32Array | undefined
    const start = async () => {
      const { item, entry } = this.order.take()
      return { item, entry, image: await this.load(entry) }
    }
    return inOrder(0, this.batchSize, start, (i, { item, entry, image: loaded }) =>
      this.located(entry, () => {
        const image = this.augmenter.apply(loaded, item)
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

  skip(items: number): void {
    this.order.skip(items)
  }

  close(): void {}

  /** Entry of the list → planes, in the size and colours asked for. */
  private async load(entry: number): Promise<PlanarImage> {
    const { list, prefix, color, height, width } = this.description
    try {
      const bytes = await this.readFile(prefix + list.paths[entry]).catch(error => Promise.reject(withoutPath(error)))
      const image = (await openPicture(bytes, this.pixels)).planes(color ? 3 : 1)
      return height ? resizeImage(image, height, width) : image
    } catch (error) {
      throw this.at(entry, error)
    }
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
