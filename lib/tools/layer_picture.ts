import { Blob } from '../blob.js'
import { encodeImage } from '../data/encode_image.js'
import { RistrettoError } from '../errors.js'
import { type Statistics, statisticsOf } from '../net/statistics.js'
import { mustTake } from '../system/arguments.js'
import { aFlag, aWhole, checkOptions, type OptionRules } from '../system/check_options.js'

/** What of a blob is drawn, and how. */
export interface LayerPictureOptions {
  /** Which item of the batch to draw; default 0. `weights` draws all. */
  readonly item?: number
  /** The blob holds weights: every filter is drawn, for each channel that it reads. Default false: activations. */
  readonly weights?: boolean
  /**
   * Draw three planes that belong together, B G R, as one picture in colour; default: an item, or filters, of three
   * planes.
   */
  readonly color?: boolean
  /** The value that becomes black and the one that becomes white; default: the smallest and the largest. */
  readonly range?: readonly [low: number, high: number]
  /** Scale every plane over its own values instead of all over theirs; default false. */
  readonly eachPlane?: boolean
  /** Of the values that are drawn, where they are known: they are not counted again. */
  readonly statistics?: Statistics
}

const RULES: OptionRules<LayerPictureOptions> = {
  item: aWhole,
  weights: aFlag,
  color: aFlag,
  range: [v => Array.isArray(v) && v.length === 2 && v.every(Number.isFinite), '[low, high]'],
  eachPlane: aFlag,
  statistics: [v => typeof v === 'object' && v !== null, 'what net.statistics gives'],
}

/** The values of a blob as pixels. */
export interface LayerPicture {
  readonly width: number
  readonly height: number
  /** Bytes a pixel: 1 is grey, 3 R G B. */
  readonly channels: 1 | 3
  /** Row by row, 0 is the low end of the range. */
  readonly pixels: Uint8Array
  /** How many planes stand side by side and below each other, 1 pixel apart. */
  readonly columns: number
  readonly rows: number
  readonly plane: { readonly width: number; readonly height: number; readonly count: number }
  /** Of the values that are drawn. */
  readonly statistics: Statistics
}

/** What lies between planes, and the place of a plane that is missing in the last row. */
const GAP = 1
/** Most pixels of a picture. */
const MOST = 2 ** 28

/**
 * A blob as DIGITS draws it: the planes of one item (or all filters) side by side in a near-square, one pixel apart, a
 * vector as a near-square of its values, in their own size; three planes of a picture in colour. Values that are no
 * numbers are black.
 *
 * layerPicture(net.blobs.conv1)                              // what conv1 gave for item 0
 * layerPicture(net.params.conv1[0], { weights: true })       // its filters
 *
 * @throws RistrettoError for an item that is not there, or more pixels than a picture holds
 */
export function layerPicture(
  blob: Blob | { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
  options: LayerPictureOptions = {},
): LayerPicture {
  mustTake(Array.isArray(blob?.shape), 'layerPicture', 'a blob, or { data, shape }', blob)
  checkOptions('layerPicture', options, RULES)
  const { shape, data } = blob instanceof Blob ? { shape: blob.shape, data: blob.dataArray } : blob
  const { own, values = own, groups, planes, height, width } = planesOf(shape, data, options)
  const color = options.color ?? planes === 3
  if (color && planes !== 3)
    throw new RistrettoError(`a picture in colour is made of 3 planes, here are ${planes} (shape ${shape.join('×')})`)
  const tiles = color ? groups : groups * planes
  const columns = Math.ceil(Math.sqrt(tiles))
  const rows = Math.ceil(tiles / columns)
  const size = { width: columns * (width + GAP) - GAP, height: rows * (height + GAP) - GAP }
  const channels = color ? 3 : 1
  if (size.width * size.height * channels > MOST)
    throw new RistrettoError(`a picture of ${size.width}×${size.height} pixels is too large (shape ${shape.join('×')})`)
  const statistics = options.statistics ?? statisticsOf(own)
  const pixels = new Uint8Array(size.width * size.height * channels)
  const n = height * width
  const whole = scaleOf(options.range ?? [statistics.min, statistics.max])
  for (let tile = 0; tile < tiles; tile++) {
    const from = tile * n * channels
    const left = (tile % columns) * (width + GAP)
    const top = Math.floor(tile / columns) * (height + GAP)
    const { low, factor } = options.eachPlane ? ownScale(values, from, n * channels) : whole
    for (let c = 0; c < channels; c++) {
      // planes are B, G, R
      const plane = from + (color ? 2 - c : 0) * n
      for (let y = 0; y < height; y++) {
        let to = ((top + y) * size.width + left) * channels + c
        for (let i = plane + y * width, end = i + width; i < end; i++, to += channels) {
          const level = (values[i] - low) * factor
          pixels[to] = level > 0 ? (level < 255 ? level + 0.5 : 255) : 0
        }
      }
    }
  }
  return { ...size, channels, pixels, columns, rows, plane: { width, height, count: tiles }, statistics }
}

/** The values as groups of planes that belong together: an item's, or each filter's. */
interface Planes {
  readonly own: ArrayLike<number>
  /** The same, with something in the places that are left over. */
  readonly values?: ArrayLike<number>
  readonly groups: number
  readonly planes: number
  readonly height: number
  readonly width: number
}

function planesOf(shape: readonly number[], data: ArrayLike<number>, options: LayerPictureOptions): Planes {
  const { item = 0, weights = false } = options
  const count = shape.reduce((product, size) => product * size, 1)
  if (data.length !== count || !count)
    throw new RistrettoError(`the shape ${shape.join('×')} has ${count} values, there are ${data.length} to draw`)
  if (weights) {
    if (shape.length < 3) return asSquare(data, shape.length === 2 ? shape : [1, count])
    const [groups, planes] = shape.length > 3 ? shape : [1, shape[0]]
    const width = shape[shape.length - 1]
    return { own: data, groups, planes, height: count / (groups * planes * width), width }
  }
  const items = shape.length > 1 ? shape[0] : 1
  if (!(Number.isInteger(item) && item >= 0 && item < items))
    throw new RistrettoError(`there is no item ${item}: the shape ${shape.join('×')} has ${items}`)
  const size = count / items
  const values = slice(data, item * size, size)
  if (shape.length < 3) return vector(values)
  const planes = shape.length === 3 ? 1 : shape[1]
  const width = shape[shape.length - 1]
  // 1 × 1 planes are a vector
  if (size === planes) return vector(values)
  return { own: values, groups: 1, planes, height: size / (planes * width), width }
}

/** A matrix as one plane: its rows are rows. */
const asSquare = (values: ArrayLike<number>, [height, width]: readonly number[]): Planes =>
  height === 1 ? vector(values) : { own: values, groups: 1, planes: 1, height, width }

/** A near-square of single values; those that fill its last row are no numbers, and so black. */
function vector(values: ArrayLike<number>): Planes {
  const width = Math.ceil(Math.sqrt(values.length))
  const height = Math.ceil(values.length / width)
  const filled = new Float32Array(height * width).fill(Number.NaN)
  filled.set(values)
  return { own: values, values: filled, groups: 1, planes: 1, height, width }
}

const slice = (data: ArrayLike<number>, from: number, size: number): ArrayLike<number> =>
  data instanceof Float32Array ? data.subarray(from, from + size) : Array.prototype.slice.call(data, from, from + size)

/** Level = (value − low) · factor, 0 … 255. A range without width is grey in the middle. */
function scaleOf([low, high]: readonly [number, number]): { low: number; factor: number } {
  return high > low ? { low, factor: 255 / (high - low) } : { low: low - 1, factor: 127.5 }
}

function ownScale(values: ArrayLike<number>, from: number, size: number): { low: number; factor: number } {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = from; i < from + size; i++) {
    if (values[i] < low && values[i] > Number.NEGATIVE_INFINITY) low = values[i]
    if (values[i] > high && values[i] < Number.POSITIVE_INFINITY) high = values[i]
  }
  return scaleOf([low, high])
}

/** The picture as a PNG file. */
export async function encodeLayerPicture(picture: LayerPicture): Promise<Uint8Array> {
  mustTake(typeof picture?.pixels === 'object', 'encodeLayerPicture', 'a picture, as layerPicture gives it', picture)
  const { width, height, channels, pixels } = picture
  const n = width * height
  const data = new Uint8Array(n * channels)
  for (let i = 0; i < n; i++)
    for (let c = 0; c < channels; c++) data[(channels - 1 - c) * n + i] = pixels[i * channels + c]
  return encodeImage({ channels, height, width, data }, 'png')
}
