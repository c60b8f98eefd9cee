import { FormatError } from '../errors.js'
import type { AnnotatedDatum, BatchSampler, EmitConstraint } from '../generated/caffe.js'
import { readMessage } from '../proto/wire.js'
import { RandomStream } from '../rng.js'
import { expandPicture, randomSize } from './augment.js'
import { checkSamplers, emitted, sampleWindows } from './batch_sampler.js'
import { type Box, inWindow, type Truth, WHOLE } from './boxes.js'
import type { DatumDescription } from './datum_source.js'
import { openPicture } from './decode_picture.js'
import { cropImage, type PixelsModule, type PlanarImage } from './image.js'
import { distortPicture, spoilPicture } from './picture_colours.js'
import { resizePicture } from './picture_resize.js'
import { type RecordCursor, skipRecords } from './records.js'
import {
  atRecord,
  type BatchSource,
  checkItemShape,
  inOrder,
  type LabelKind,
  type Place,
  type Position,
  withPrefix,
} from './source.js'
import { DataTransformer } from './transformer.js'

export interface AnnotatedDescription extends Omit<DatumDescription, 'kind'> {
  readonly kind: 'annotated'
  readonly samplers: readonly BatchSampler[]
  /** Which truths a window keeps. */
  readonly emitConstraint: EmitConstraint | undefined
  /** anno_type, where it is written; else the first record says. */
  readonly annotated: boolean | undefined
}

/** Every window that is tried looks at all of them. */
const MOST_BOXES = 2 ** 14

/** A picture and the boxes in it. */
interface Scene {
  readonly image: PlanarImage
  readonly truths: readonly Truth[]
}

/**
 * Batches of AnnotatedDatum records from a database: distort → expand → a window that a batch sampler drew → resize →
 * noise → crop → mirror → (x − mean) · scale, and the boxes moved along. What is random about an item is a function of
 * (seed, stream, its number).
 */
export class AnnotatedSource implements BatchSource {
  readonly decodes: boolean
  readonly labelKind: LabelKind
  readonly batchSize: number
  private readonly transformer: DataTransformer
  private readonly random: RandomStream
  private item: number
  private record: number
  private epoch: number

  /** @param cursor stands on the first record of the first batch */
  constructor(
    private readonly description: AnnotatedDescription,
    private readonly cursor: RecordCursor,
    private readonly pixels: () => Promise<PixelsModule>,
    start: Position,
  ) {
    const { transform, annotated, name } = description
    try {
      checkSamplers(description.samplers)
    } catch (error) {
      throw withPrefix(description.layer, error)
    }
    this.transformer = new DataTransformer(transform)
    this.random = new RandomStream(transform.seed, `boxes ${transform.stream}`)
    this.batchSize = description.batchSize
    this.item = start.item
    this.record = start.record
    this.epoch = start.epoch
    try {
      const { datum, type } = readMessage('AnnotatedDatum', cursor.value)
      this.decodes = datum?.encoded ?? false
      this.labelKind = (annotated ?? type !== undefined) ? 'boxes' : 'numbers'
    } catch (error) {
      throw withPrefix(`record ${this.record} of ${name}`, error)
    }
  }

  private get boxes(): boolean {
    return this.labelKind === 'boxes'
  }

  get position(): Position {
    return { item: this.item, record: this.record, epoch: this.epoch }
  }

  async peek(): Promise<readonly number[]> {
    try {
      const { image } = this.prepare(await this.decode(this.read()), this.item)
      return this.transformer.outputShape(image.channels, image.height, image.width)
    } catch (error) {
      throw this.located(error, this.record)
    }
  }

  async next(place: Place): Promise<void> {
    const scenes: (Scene & { item: number; record: number; label: number })[] = []
    let turn: Promise<unknown> = Promise.resolve()
    const start = async () => {
      const taken = turn.then(() => this.take())
      turn = taken.catch(() => {})
      const { annotated, item, record } = await taken
      try {
        const scene = this.prepare(await this.decode(annotated), item)
        return { ...scene, item, record, label: annotated.datum?.label ?? 0 }
      } catch (error) {
        throw this.located(error, record)
      }
    }
    await inOrder(0, this.batchSize, start, (_, scene) => scenes.push(scene))
    const [{ image }] = scenes
    const shape = this.transformer.outputShape(image.channels, image.height, image.width)
    const cuts = scenes.map(({ image, item }) => this.transformer.cut(image.height, image.width, item))
    const truths = scenes.map((scene, i) => this.cutTruths(scene, cuts[i], shape))
    const rows = truths.reduce((sum, list) => sum + list.length, 0)
    const { data, labels } = place(shape, this.boxes ? Math.max(1, rows) : undefined)
    const size = shape[0] * shape[1] * shape[2]
    scenes.forEach(({ image, item, record }, i) => {
      const { channels, height, width } = image
      try {
        checkItemShape(shape, this.transformer.outputShape(channels, height, width))
      } catch (error) {
        throw this.located(error, record)
      }
      this.transformer.transform(image.data, channels, height, width, item, data, i * size)
    })
    if (!labels) return
    if (!this.boxes)
      scenes.forEach(({ label }, i) => {
        labels[i] = label
      })
    else if (!rows) labels.fill(-1)
    else
      labels.set(
        truths.flatMap((list, i) =>
          list.flatMap(({ label, instance, xmin, ymin, xmax, ymax, difficult }) =>
            // rows of SSD: image, label, instance, box, difficult
            [i, label, instance, xmin, ymin, xmax, ymax, Number(difficult)],
          ),
        ),
      )
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

  /** The next record, in memory of its own. */
  private async take() {
    await this.cursor.wait?.()
    const { item, record } = this
    try {
      const annotated = this.read()
      const data = annotated.datum?.data?.slice()
      return { annotated: { ...annotated, datum: { ...annotated.datum, data } }, item, record }
    } catch (error) {
      throw this.located(error, record)
    } finally {
      this.advance()
    }
  }

  private read(): AnnotatedDatum {
    return readMessage('AnnotatedDatum', this.cursor.value)
  }

  private advance(): void {
    this.item++
    this.record++
    if (this.cursor.next()) return
    this.cursor.first()
    this.record = 0
    this.epoch++
  }

  private async decode({ datum = {}, annotation_group = [], type }: AnnotatedDatum): Promise<Scene> {
    if (this.boxes && type !== undefined && type !== 'BBOX')
      throw new FormatError(`its annotations are of type ${type}; boxes (BBOX) are read`)
    const truths = annotation_group.flatMap(({ group_label = 0, annotation = [] }) =>
      annotation.map(({ instance_id = 0, bbox = {} }) => {
        const { xmin = 0, ymin = 0, xmax = 0, ymax = 0, difficult = false } = bbox
        return { label: group_label, instance: instance_id, xmin, ymin, xmax, ymax, difficult }
      }),
    )
    if (truths.length > MOST_BOXES)
      throw new FormatError(`it has ${truths.length} boxes; at most ${MOST_BOXES} are read of one picture`)
    const { channels = 0, height = 0, width = 0, data = new Uint8Array(0), encoded } = datum
    if (encoded) {
      const { forceColor, forceGray } = this.description.transform
      const picture = await openPicture(data, this.pixels)
      return { image: picture.planes(forceColor ? 3 : forceGray ? 1 : picture.channels === 1 ? 1 : 3), truths }
    }
    if (channels < 1 || height < 1 || width < 1 || data.length !== channels * height * width)
      throw new FormatError(`the Datum says ${channels}×${height}×${width} and holds ${data.length} bytes`)
    return { image: { channels, height, width, data }, truths }
  }

  /** Everything before the crop: what the random choices of an item make of its picture. */
  private prepare(scene: Scene, item: number): Scene {
    const {
      distort_param,
      expand_param,
      noise_param,
      random_resize_param,
      resize_param = [],
    } = this.description.transform.augment ?? {}
    const { random } = this
    random.iteration = item
    if (distort_param) scene = { ...scene, image: distortPicture(scene.image, distort_param, random) }
    if (expand_param) {
      const { image, window } = expandPicture(scene.image, expand_param, this.transformer.meanOf, random)
      scene = { image, truths: window ? this.seen(scene.truths, window) : scene.truths }
    }
    const windows = sampleWindows(this.description.samplers, scene.truths, random)
    if (windows.length) scene = this.window(scene, windows[random.integer(windows.length)])
    if (random_resize_param) scene = { ...scene, image: randomSize(scene.image, random_resize_param, random) }
    if (resize_param.length) {
      const { image, place } = resizePicture(scene.image, resize_param[0], random)
      scene = { image, truths: scene.truths.map(place) }
    }
    return noise_param ? { ...scene, image: spoilPicture(scene.image, noise_param, random) } : scene
  }

  /** What a window shows. */
  private window(scene: Scene, window: Box): Scene {
    const { height, width } = scene.image
    const x = Math.min(Math.floor(window.xmin * width), width - 1)
    const y = Math.min(Math.floor(window.ymin * height), height - 1)
    const w = Math.max(1, Math.floor(window.xmax * width) - x)
    const h = Math.max(1, Math.floor(window.ymax * height) - y)
    return { image: cropImage(scene.image, x, y, w, h), truths: this.seen(scene.truths, window) }
  }

  /** The truths that a window shows, in parts of it. */
  private seen(truths: readonly Truth[], window: Box): Truth[] {
    return truths.flatMap(truth =>
      emitted(truth, window, this.description.emitConstraint) ? (inWindow(truth, window) ?? []) : [],
    )
  }

  /** The truths after the crop and the mirror. */
  private cutTruths(
    { image: { height, width }, truths }: Scene,
    { top, left, flip }: { top: number; left: number; flip: boolean },
    [, h, w]: readonly number[],
  ): Truth[] {
    const whole = h === height && w === width
    const window = whole
      ? WHOLE
      : { xmin: left / width, ymin: top / height, xmax: (left + w) / width, ymax: (top + h) / height }
    const seen = this.seen(truths, window)
    return flip ? seen.map(truth => ({ ...truth, xmin: 1 - truth.xmax, xmax: 1 - truth.xmin })) : seen
  }

  private located(error: unknown, record: number): Error {
    return atRecord({ ...this.description, kind: 'annotated' }, `record ${record}`, error)
  }
}
