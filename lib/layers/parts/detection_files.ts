import { type FormatError, throwAll } from '../../errors.js'
import type { ResizeParameter, SaveOutputParameter } from '../../generated/caffe.js'
import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import { parseText } from '../../proto/text.js'
import { g6 } from '../../system/format.js'

/** One box in pixels of its picture. */
interface Found {
  readonly image: string
  readonly label: number
  readonly score: number
  readonly box: Box
}

type Box = readonly [xmin: number, ymin: number, xmax: number, ymax: number]

/** Name, height and width of a picture. */
interface PictureLine {
  readonly name: string
  readonly height: number
  readonly width: number
}

/**
 * SSD's save_output_param: detections of pictures whose names and sizes a list has, written to files for VOC (one a
 * class), COCO or ILSVRC (one) each time that num_test_image pictures have passed.
 */
export class DetectionFiles {
  private found: Found[] = []
  private count = 0

  private constructor(
    private readonly layer: Layer,
    private readonly param: SaveOutputParameter,
    private readonly pictures: readonly PictureLine[],
    private readonly names: ReadonlyMap<number, string>,
  ) {}

  /** Undefined where not all is given that SSD needs to save: it then saves nothing, and a line of the log says so. */
  static async open(layer: Layer, param: SaveOutputParameter, background: number): Promise<DetectionFiles | undefined> {
    const { output_directory, label_map_file, name_size_file, output_format = '' } = param
    if (!output_directory) return undefined
    const { files, log } = layer.context
    if (!label_map_file || !name_size_file) {
      log(`${layer.name}: nothing is saved: save_output_param needs label_map_file and name_size_file`)
      return undefined
    }
    if (!['VOC', 'COCO', 'ILSVRC'].includes(output_format))
      throw layer.error(`save_output_param.output_format '${output_format}' is not there: VOC, COCO or ILSVRC`)
    const errors: FormatError[] = []
    const text = await files.text(label_map_file)
    const { item = [] } = parseText('LabelMap', text, { file: label_map_file, errors })
    // whatever file is named is read: words of what is no label map stand in no error
    if (!item.some(({ name, label }) => name !== undefined && label !== undefined))
      throw layer.error(`${label_map_file} is no label map: no item with a name and a label stands in it`)
    throwAll(errors)
    const names = new Map(item.map(({ label = 0, name = '' }) => [label, name] as const))
    names.delete(background)
    const pictures = (await files.text(name_size_file)).split('\n').flatMap((line, i) => {
      const words = line.trim().split(/\s+/)
      if (words[0] === '') return []
      const [height, width] = words.slice(1).map(Number)
      if (words.length !== 3 || !(height > 0) || !(width > 0))
        throw layer.error(`${name_size_file}:${i + 1}: the line is not a name, a height and a width`)
      return [{ name: words[0], height, width }]
    })
    const wanted = param.num_test_image ?? pictures.length
    if (wanted < 1 || wanted > pictures.length)
      throw layer.error(`save_output_param.num_test_image ${wanted}: ${name_size_file} has ${pictures.length} pictures`)
    const saved = new DetectionFiles(layer, param, pictures, names)
    for (const path of saved.contents().keys())
      await files.mustBeWritable(path).catch(error => {
        throw layer.error(error.message)
      })
    return saved
  }

  /** The boxes of the next picture, 0 … 1: seven numbers a row, as DetectionOutput's top has them. */
  add(rows: Float32Array): void {
    const picture = this.pictures[this.count]
    for (let k = 0; k < rows.length; k += 7) {
      const [, label, score, ...box] = rows.subarray(k, k + 7)
      if (!this.names.has(label)) throw this.layer.error(`the label map has no name for label ${label}`)
      this.found.push({ image: picture.name, label, score, box: inPixels(box, picture, this.param.resize_param) })
    }
    this.count++
  }

  /** Whether the files are complete. */
  get isFull(): boolean {
    return this.count === (this.param.num_test_image ?? this.pictures.length)
  }

  /** Write them, and begin anew. */
  async write(): Promise<void> {
    const contents = [...this.contents()].map(([path, text]) => [path, new TextEncoder().encode(text)] as const)
    this.found = []
    this.count = 0
    await this.layer.context.files.writeAll(contents)
  }

  /** Texts by path. */
  private contents(): Map<string, string> {
    const { output_directory, output_name_prefix = '', output_format } = this.param
    const path = (name: string) => `${output_directory}/${output_name_prefix}${name}`
    if (output_format === 'COCO') return new Map([[path('.json'), `${JSON.stringify(this.found.map(this.coco))}\n`]])
    if (output_format === 'ILSVRC') return new Map([[path('.txt'), this.found.map(ilsvrc).join('')]])
    return new Map(
      [...this.names].map(([label, name]) => [
        path(`${name}.txt`),
        this.found.map(one => (one.label === label ? voc(one) : '')).join(''),
      ]),
    )
  }

  private readonly coco = ({ image, label, score, box: [xmin, ymin, xmax, ymax] }: Found) => ({
    image_id: numberIfOne(image),
    category_id: numberIfOne(this.names.get(label)!),
    bbox: [xmin, ymin, xmax - xmin, ymax - ymin].map(hundredths),
    score,
  })
}

/** Numbers of pictures and categories are names in SSD's lists. */
const numberIfOne = (name: string): string | number => (/^-?\d+(\.\d+)?$/.test(name) ? Number(name) : name)

const hundredths = (value: number): number => Math.round(value * 100) / 100

/** Corners in whole pixels, cut off, as SSD has them: from the left upper corner and the size. */
function corners([xmin, ymin, xmax, ymax]: Box): string {
  const [x, y, w, h] = [xmin, ymin, xmax - xmin, ymax - ymin].map(value => Math.trunc(hundredths(value)))
  return `${x} ${y} ${x + w} ${y + h}`
}

const voc = ({ image, score, box }: Found): string => `${image} ${g6(score)} ${corners(box)}\n`
const ilsvrc = ({ image, label, score, box }: Found): string => `${image} ${label} ${g6(score)} ${corners(box)}\n`

/** A box of the net's input in pixels of the picture that became it. */
function inPixels(box: readonly number[], { height, width }: PictureLine, resize?: ResizeParameter): Box {
  const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most)
  let [x, y, scaleX, scaleY] = [0, 0, 1, 1]
  if (resize) {
    const p = withDefaults('ResizeParameter', resize)
    if (p.resize_mode === 'FIT_LARGE_SIZE_AND_PAD') {
      const wide = width / height > p.width / p.height
      // what the picture takes of the input, in the middle
      if (wide) scaleY = (p.width * height) / width / p.height
      else scaleX = (p.height * width) / height / p.width
      ;[x, y] = [(1 - scaleX) / 2, (1 - scaleY) / 2]
    } else if (p.resize_mode === 'FIT_SMALL_SIZE' && p.height_scale && p.width_scale)
      return box.map((value, i) =>
        i % 2 ? clip(value * p.height_scale, height) : clip(value * p.width_scale, width),
      ) as unknown as Box
  }
  return box.map((value, i) =>
    i % 2 ? clip((value - y) / scaleY, 1) * height : clip((value - x) / scaleX, 1) * width,
  ) as unknown as Box
}
