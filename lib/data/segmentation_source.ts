import { FormatError, NetError } from '../errors.js'
import { RandomStream } from '../rng.js'
import { openPicture } from './decode_picture.js'
import { MOST_PIXELS, type PixelsModule, type PlanarImage, resizeImage } from './image.js'
import { readLabels } from './label_picture.js'
import { ListOrder } from './list_order.js'
import type { PairList } from './pair_list.js'
import { interpolate } from './picture_resize.js'
import {
  atRecord,
  type BatchSource,
  checkItemShape,
  inOrder,
  type Place,
  type Position,
  type SourceDescription,
  withoutPath,
  withPrefix,
} from './source.js'
import { DataTransformer } from './transformer.js'

export interface SegmentationsDescription extends SourceDescription {
  readonly kind: 'segmentations'
  readonly list: PairList
  /** In front of every path of the list; `root_folder` is part of it. */
  readonly prefix: string
  readonly shuffle: boolean
  readonly color: boolean
  /** Size that pictures and labels are brought to; 0: as they are. */
  readonly height: number
  readonly width: number
  /** One of them is drawn for each item; none: 1. */
  readonly scaleFactors: readonly number[]
  /** What labels are beyond a picture that is smaller than what is cut out; undefined: such pictures are refused. */
  readonly ignoreLabel: number | undefined
  /** In front of every path of labels, if another prefix than that of pictures. */
  readonly labelPrefix?: string
}

/** A picture and the label of each of its pixels. */
interface Pair {
  readonly image: PlanarImage
  readonly labels: PlanarImage
}

/**
 * Batches of pictures and pictures of labels from a list: resized (labels to the nearest) → scaled by a factor that is
 * drawn → padded below and to the right with the mean and ignore_label → cropped → mirrored → (x − mean) · scale, both
 * at the same place. What is random about an item is a function of (seed, stream, its number).
 */
export class SegmentationSource implements BatchSource {
  readonly decodes = true
  readonly labelKind = 'pictures'
  readonly batchSize: number
  private readonly transformer: DataTransformer
  private readonly order: ListOrder
  private readonly random: RandomStream

  constructor(
    private readonly description: SegmentationsDescription,
    private readonly pixels: () => Promise<PixelsModule>,
    private readonly readFile: (path: string) => Promise<Uint8Array>,
    start: Position,
  ) {
    const { batchSize, transform, list } = description
    this.batchSize = batchSize
    this.transformer = new DataTransformer(transform)
    this.order = new ListOrder(description, list.paths.length, start)
    this.random = new RandomStream(transform.seed, `scale ${transform.stream}`)
  }

  get position(): Position {
    return this.order.position
  }

  async peek(): Promise<readonly number[]> {
    const { entry } = this.order
    const pair = await this.load(entry, this.order.position.item)
    return this.located(entry, () => this.outputShape(pair))
  }

  next(place: Place): Promise<void> {
    let first: readonly number[] = []
    let into: ReturnType<Place>
    const start = async () => {
      const { item, entry } = this.order.take()
      return { item, entry, pair: await this.load(entry, item) }
    }
    return inOrder(0, this.batchSize, start, (i, { item, entry, pair }) =>
      this.located(entry, () => {
        const shape = this.outputShape(pair)
        if (i === 0) {
          first = shape
          into = place(shape)
        } else checkItemShape(first, shape)
        const [channels, h, w] = shape
        const { image, labels, size } = pair
        const x = this.padded(image)
        this.transformer.transform(x.data, channels, x.height, x.width, item, into.data, i * channels * h * w)
        const cut = this.transformer.cut(x.height, x.width, item)
        const { labelDivisor: d = 1 } = this.description
        const places = (h / d) * (w / d)
        if (into.labels) this.cutLabels(labels, cut, into.labels.subarray(i * places, (i + 1) * places), w / d, d)
        into.sizes?.set([Math.min(h, size[0]), Math.min(w, size[1])], 2 * i)
      }),
    )
  }

  skip(items: number): void {
    this.order.skip(items)
  }

  close(): void {}

  private outputShape({ image }: Pair): readonly number[] {
    const [height, width] = this.paddedSize(image)
    return this.transformer.outputShape(image.channels, height, width)
  }

  /** The size of a picture with what is put below it and to its right. */
  private paddedSize({ height, width }: PlanarImage): readonly [height: number, width: number] {
    const { ignoreLabel, transform } = this.description
    if (ignoreLabel === undefined) return [height, width]
    return [Math.max(height, transform.cropHeight), Math.max(width, transform.cropWidth)]
  }

  /** The mean need not be a byte: what is padded has float32 values. */
  private padded(image: PlanarImage): { height: number; width: number; data: Uint8Array | Float32Array } {
    const [height, width] = this.paddedSize(image)
    if (height === image.height && width === image.width) return image
    const { meanValues } = this.description.transform
    const data = new Float32Array(image.channels * height * width)
    for (let c = 0; c < image.channels; c++) {
      data.fill(meanValues[meanValues.length > 1 ? c : 0] ?? 0, c * height * width, (c + 1) * height * width)
      for (let y = 0; y < image.height; y++) {
        const from = (c * image.height + y) * image.width
        data.set(image.data.subarray(from, from + image.width), (c * height + y) * width)
      }
    }
    return { height, width, data }
  }

  private cutLabels(
    labels: PlanarImage,
    { top, left, flip }: ReturnType<DataTransformer['cut']>,
    into: Float32Array,
    w: number,
    divisor: number,
  ): void {
    for (let y = 0, to = 0; to < into.length; y++)
      for (let x = 0; x < w; x++, to++) {
        const row = top + divisor * y
        const column = left + divisor * (flip ? w - 1 - x : x)
        const inside = row < labels.height && column < labels.width
        into[to] = inside ? labels.data[row * labels.width + column] : this.description.ignoreLabel!
      }
  }

  /** Entry of the list → picture and labels, in the size and colours asked for, and that size. */
  private async load(entry: number, item: number): Promise<Pair & { size: readonly [number, number] }> {
    const { list, prefix, labelPrefix = prefix, color, height, width } = this.description
    try {
      const read = async (path: string) => this.readFile(path).catch(error => Promise.reject(withoutPath(error)))
      const image = (await openPicture(await read(prefix + list.paths[entry]), this.pixels)).planes(color ? 3 : 1)
      const label = list.labels[entry]
      const labels =
        typeof label === 'number'
          ? { ...image, channels: 1, data: new Uint8Array(image.height * image.width).fill(label) }
          : await read(labelPrefix + label)
              .then(bytes => readLabels(bytes, this.pixels))
              .catch(error => Promise.reject(withPrefix('its labels', error)))
      const sized = height
        ? { image: resizeImage(image, height, width), labels: interpolate(labels, height, width, 'NEAREST') }
        : { image, labels }
      if (sized.labels.height !== sized.image.height || sized.labels.width !== sized.image.width)
        throw new FormatError(
          `the labels are ${labels.height}×${labels.width} pixels, the picture is ${image.height}×${image.width}`,
        )
      return { ...this.scaled(sized, item), size: [sized.image.height, sized.image.width] }
    } catch (error) {
      throw this.at(entry, error)
    }
  }

  private scaled(pair: Pair, item: number): Pair {
    const { scaleFactors } = this.description
    if (!scaleFactors.length) return pair
    this.random.iteration = item
    const factor = scaleFactors[this.random.integer(scaleFactors.length)]
    const h = Math.floor(Math.fround(pair.image.height * factor))
    const w = Math.floor(Math.fround(pair.image.width * factor))
    if (h < 1 || w < 1 || h * w > MOST_PIXELS)
      throw new NetError(
        `scale_factors: ${factor} makes ${h}×${w} of ${pair.image.height}×${pair.image.width}: 1 to ${MOST_PIXELS} pixels are made`,
      )
    return { image: resizeImage(pair.image, h, w), labels: interpolate(pair.labels, h, w, 'NEAREST') }
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
