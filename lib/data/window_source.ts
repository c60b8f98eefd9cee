import { NetError } from '../errors.js'
import { RandomStream } from '../rng.js'
import { openPicture } from './decode_picture.js'
import { cropImage, type PixelsModule, type PlanarImage, resizeImage } from './image.js'
import {
  atRecord,
  type BatchSource,
  inOrder,
  type Place,
  type Position,
  type SourceDescription,
  withoutPath,
} from './source.js'
import { placeWindow, WINDOW_FIELDS, type WindowList } from './window_list.js'

export interface WindowsDescription extends SourceDescription {
  readonly kind: 'windows'
  readonly list: WindowList
  /** In front of every path of the list; `root_folder` is part of it. */
  readonly prefix: string
  /** Foreground windows in a batch; they come after the background ones. */
  readonly foreground: number
  readonly contextPad: number
  readonly square: boolean
  /** Keep the bytes of image files in memory once read. */
  readonly cache: boolean
}

/** Batches of windows drawn at random from the images of a window file, warped to crop_size × crop_size. */
export class WindowSource implements BatchSource {
  readonly decodes = true
  readonly batchSize: number
  private readonly random: RandomStream
  private readonly files = new Map<string, Promise<Uint8Array>>()
  private item: number

  constructor(
    private readonly description: WindowsDescription,
    private readonly pixels: () => Promise<PixelsModule>,
    private readonly readFile: (path: string) => Promise<Uint8Array>,
    start: Position,
  ) {
    const { list, batchSize, foreground, layer, name, seed, transform } = description
    this.batchSize = batchSize
    this.item = start.item
    this.random = new RandomStream(seed, transform.stream)
    if (foreground > 0 && list.foreground.length === 0)
      throw new NetError(`${layer}: ${name} has no foreground windows: lower fg_threshold`)
    if (foreground < batchSize && list.background.length === 0)
      throw new NetError(`${layer}: ${name} has no background windows: raise bg_threshold`)
  }

  /** Windows are drawn from all records, so there is no record to speak of. */
  get position(): Position {
    return { item: this.item, record: 0, epoch: 0 }
  }

  peek(): readonly number[] {
    const { cropHeight: cropSize } = this.description.transform
    return [this.description.list.images[0].shape[0], cropSize, cropSize]
  }

  next(place: Place): Promise<void> {
    const shape = this.peek()
    const size = shape[0] * shape[1] * shape[2]
    const { data, labels } = place(shape)
    data.fill(0)
    const start = async (i: number) => {
      const { list, transform, batchSize, foreground } = this.description
      this.random.iteration = this.item++
      const windows = i < batchSize - foreground ? list.background : list.foreground
      const at = this.random.integer(windows.length / WINDOW_FIELDS) * WINDOW_FIELDS
      const flip = transform.mirror && (this.random.uint32() & 1) === 1
      const [entry, label, ...box] = windows.subarray(at, at + WINDOW_FIELDS)
      return { entry, label, flip, box: box as [number, number, number, number], image: await this.load(entry) }
    }
    return inOrder(0, this.batchSize, start, (i, { entry, label, flip, box, image }) => {
      try {
        this.warp(image, box, flip, data, i * size)
      } catch (error) {
        throw this.at(entry, error)
      }
      if (labels) labels[i] = label
    })
  }

  skip(items: number): void {
    this.item += items
  }

  close(): void {
    this.files.clear()
  }

  /** into[at …] ← (window − mean) · scale, with zeros where it reaches over the edge of the image. */
  private warp(
    image: PlanarImage,
    box: [number, number, number, number],
    flip: boolean,
    into: Float32Array,
    at: number,
  ): void {
    const { transform, contextPad, square } = this.description
    const { cropHeight: crop, mean, meanValues, scale } = transform
    const p = placeWindow(box, image, { crop, pad: contextPad, square, flip })
    const warped = resizeImage(cropImage(image, p.x, p.y, p.width, p.height), p.toHeight, p.toWidth)
    const meanTop = mean ? ((mean.shape[1] - crop) >> 1) + p.top : 0
    const meanLeft = mean ? ((mean.shape[2] - crop) >> 1) + p.left : 0
    for (let c = 0, from = 0; c < image.channels; c++) {
      const m = meanValues.length ? meanValues[meanValues.length > 1 ? c : 0] : 0
      for (let y = 0; y < p.toHeight; y++) {
        const row = at + (c * crop + p.top + y) * crop + p.left
        const meanRow = mean ? (c * mean.shape[1] + meanTop + y) * mean.shape[2] + meanLeft : 0
        for (let x = 0; x < p.toWidth; x++, from++) {
          const to = flip ? p.toWidth - 1 - x : x
          into[row + to] = Math.fround(warped.data[from] - (mean ? mean.data[meanRow + to] : m)) * scale
        }
      }
    }
  }

  private async load(entry: number): Promise<PlanarImage> {
    const { list, prefix, cache } = this.description
    const path = prefix + list.images[entry].path
    try {
      let bytes = this.files.get(path)
      if (!bytes) {
        bytes = this.readFile(path).catch(error => Promise.reject(withoutPath(error)))
        if (cache) this.files.set(path, bytes)
      }
      return (await openPicture(await bytes, this.pixels)).planes(3)
    } catch (error) {
      throw this.at(entry, error)
    }
  }

  private at(entry: number, error: unknown): Error {
    return atRecord(this.description, `image ${entry} (line ${this.description.list.images[entry].line})`, error)
  }
}
