import type { NdArray } from 'ndarray'
import { Blob } from '../../blob.js'
import { encodeImage, type ImageFormat } from '../../data/encode_image.js'
import { decodeImage, importPixels } from '../../data/image.js'
import { withPrefix } from '../../data/source.js'
import { RistrettoError } from '../../errors.js'
import { mustTake, whatIs } from '../../system/arguments.js'
import { type FileOptions, type FileSource, filesFor } from '../../system/files.js'
import { isNdArray, ndarrayOf } from '../../system/ndarrays.js'
import { writeFileSafely } from '../../system/write_file.js'
import { type DenseArray, dense, imageSize } from './arrays.js'

/** An image: H × W × C, channels R, G, B or one of grey. */
export type Image = NdArray<Float32Array>

/**
 * Read an image file (path, URL or bytes; PNG, JPEG, and in a browser whatever it can show) as H × W × 3 values in 0 …
 * 1, R G B.
 * @param color false: H × W × 1, from colours by 0.2125 R + 0.7154 G + 0.0721 B. Transparency is dropped.
 */
export async function loadImage(source: FileSource, color = true, options: FileOptions = {}): Promise<Image> {
  const bytes = await filesFor('loadImage', options).read(source)
  const pixels = await importPixels()
  const { width, height, rgba, channels } = await decodeImage(bytes, pixels).catch(error =>
    Promise.reject(typeof source === 'string' || source instanceof URL ? withPrefix(String(source), error) : error),
  )
  const n = width * height
  const values = new Float32Array(color ? 3 * n : n)
  if (color) for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) values[3 * i + c] = rgba[4 * i + c] / 255
  else if (channels === 1) for (let i = 0; i < n; i++) values[i] = rgba[4 * i] / 255
  else
    for (let i = 0; i < n; i++)
      values[i] = (0.2125 * rgba[4 * i] + 0.7154 * rgba[4 * i + 1] + 0.0721 * rgba[4 * i + 2]) / 255
  return ndarrayOf(values, [height, width, color ? 3 : 1])
}

/** Pixels of bytes, row by row: grey, or R G B. What `layerPicture` makes is such. */
export interface PixelPicture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly pixels: Uint8Array
}

/** Values of any kind with their shape; bytes are 0 … 255, others 0 … 1. */
export interface ShapedValues {
  readonly data: ArrayLike<number>
  readonly shape: readonly number[]
}

/** What `saveImage` writes. */
export type Drawable = NdArray | Blob | PixelPicture | ShapedValues

/**
 * Write an image to a file, `.png` or `.jpg` by its name: H × W × 1 or 3 values, R G B, in 0 … 1 (values outside are cut)
 * or bytes; pixels as `layerPicture` gives them; or a Blob, drawn as `layerPicture` draws it. PNG needs no package.
 * RistrettoError for another ending or shape.
 */
export async function saveImage(path: string, image: Drawable): Promise<void> {
  mustTake(typeof path === 'string', 'saveImage', "a path, 'cat.png', and a picture", path)
  const format = /\.png$/i.test(path) ? 'png' : /\.jpe?g$/i.test(path) ? 'jpg' : undefined
  if (!format) throw new RistrettoError(`saveImage writes .png and .jpg files, not '${path}'`)
  await writeFileSafely(path, await encodePicture(image, format))
}

/** An image file of a picture, as saveImage writes it. */
export async function encodePicture(picture: Drawable, format: ImageFormat = 'png'): Promise<Uint8Array> {
  const { data, shape } = await valuesOf(picture)
  const [height, width, channels] = imageSize(shape)
  if (channels !== 1 && channels !== 3) throw new RistrettoError(`a picture is H × W × 1 or 3, not ${shape.join('×')}`)
  const n = height * width
  const planes = new Uint8Array(n * channels)
  for (let c = 0; c < channels; c++) {
    const plane = channels === 3 ? 2 - c : c
    for (let i = 0; i < n; i++)
      planes[plane * n + i] = Math.round(Math.min(Math.max(data[i * channels + c], 0), 1) * 255)
  }
  return encodeImage({ channels, height, width, data: planes }, format)
}

/** H × W × C values, 0 … 1. */
async function valuesOf(picture: Drawable): Promise<DenseArray> {
  if (picture instanceof Blob) {
    const { layerPicture } = await import('../../tools/layer_picture.js')
    await picture.pull()
    return valuesOf(layerPicture(picture))
  }
  if (isNdArray(picture)) return dense(picture)
  const given: Partial<PixelPicture & ShapedValues> = typeof picture === 'object' && picture !== null ? picture : {}
  const { pixels, width = 0, height = 0, channels = 0 } = given
  const { data, shape } = pixels ? { data: pixels, shape: [height, width, channels] } : given
  if (!data || !Array.isArray(shape) || data.length !== shape.reduce((count: number, size: number) => count * size, 1))
    throw new RistrettoError(
      `a picture is an ndarray, a Blob, what layerPicture gives, or { data, shape } with as many values as the shape says, not ${whatIs(picture)}`,
    )
  const unit = data instanceof Uint8Array || data instanceof Uint8ClampedArray ? 1 / 255 : 1
  return { data: Float32Array.from(data, value => value * unit), shape }
}

/**
 * The image (H × W × C) in another size, bilinear, no smoothing when it shrinks.
 *
 * As pycaffe does, with 1 or 3 channels the centres of pixels meet, y(i) = x((i + ½)·old/new − ½), and outside the
 * image all is as the image's smallest value; with any other number the corners meet, y(i) = x(i·(old − 1)/(new − 1)).
 */
export function resizeImage(image: NdArray, newDims: readonly number[]): Image {
  mustBeSize('resizeImage', newDims)
  const [height, width] = newDims
  const resized = resize(dense(image), height, width)
  return ndarrayOf(resized.data === image.data ? resized.data.slice() : resized.data, resized.shape)
}

const mustBeSize = (method: string, size: readonly number[]): void =>
  mustTake(Array.isArray(size), method, 'a height and a width after the picture, [227, 227]', size)

/** The same for values in row-major order; an image of that size already is given back as it is. */
export function resize(image: DenseArray, height: number, width: number): DenseArray {
  const [oldHeight, oldWidth, channels] = imageSize(image.shape)
  if (!(Number.isInteger(height) && height > 0 && Number.isInteger(width) && width > 0))
    throw new RistrettoError(`an image cannot be resized to ${height}×${width}`)
  if (oldHeight === height && oldWidth === width) return image
  const byCentres = channels === 1 || channels === 3
  const rows = samplePoints(oldHeight, height, byCentres)
  const columns = samplePoints(oldWidth, width, byCentres)
  const { data } = image
  const outside = byCentres ? smallest(data) : 0
  const values = new Float32Array(height * width * channels)
  let to = 0
  for (let y = 0; y < height; y++) {
    const above = rows.first[y]
    const below = above + 1
    const v = rows.weight[y]
    const hasAbove = above >= 0
    const hasBelow = below < oldHeight
    for (let x = 0; x < width; x++) {
      const left = columns.first[x]
      const h = columns.weight[x]
      const hasLeft = left >= 0
      const hasRight = left + 1 < oldWidth
      const upper = (above * oldWidth + left) * channels
      const lower = (below * oldWidth + left) * channels
      for (let c = 0; c < channels; c++) {
        const a = hasAbove && hasLeft ? data[upper + c] : outside
        const b = hasAbove && hasRight ? data[upper + channels + c] : outside
        const d = hasBelow && hasLeft ? data[lower + c] : outside
        const e = hasBelow && hasRight ? data[lower + channels + c] : outside
        values[to++] = (1 - v) * ((1 - h) * a + h * b) + v * ((1 - h) * d + h * e)
      }
    }
  }
  return { data: values, shape: image.shape.length === 2 ? [height, width] : [height, width, channels] }
}

/** For each new position the old one at or before it (−1: outside), and the weight of the one after that. */
function samplePoints(from: number, to: number, byCentres: boolean) {
  const first = new Int32Array(to)
  const weight = new Float64Array(to)
  for (let i = 0; i < to; i++) {
    const at = byCentres ? (i + 0.5) * (from / to) - 0.5 : to > 1 ? (i * (from - 1)) / (to - 1) : 0
    first[i] = Math.floor(at)
    weight[i] = at - first[i]
  }
  return { first, weight }
}

function smallest(data: Float32Array): number {
  let least = Number.POSITIVE_INFINITY
  for (const value of data) if (value < least) least = value
  return least
}

/** A rectangle of an image: rows top … top + height − 1, columns likewise. */
export function cropImage(image: DenseArray, top: number, left: number, height: number, width: number): DenseArray {
  const [oldHeight, oldWidth, channels] = imageSize(image.shape)
  if (top < 0 || left < 0 || height < 1 || width < 1 || top + height > oldHeight || left + width > oldWidth)
    throw new RistrettoError(
      `a crop of ${height}×${width} at (${top}, ${left}) does not lie inside the image of ${oldHeight}×${oldWidth}`,
    )
  const row = width * channels
  const values = new Float32Array(height * row)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * oldWidth + left) * channels
    values.set(image.data.subarray(from, from + row), y * row)
  }
  return { data: values, shape: [height, width, channels] }
}

/** The corner of a crop in the middle: the half of an odd margin is rounded down. */
export function centredCrop(image: DenseArray, height: number, width: number): DenseArray {
  const [oldHeight, oldWidth] = imageSize(image.shape)
  return cropImage(image, Math.floor((oldHeight - height) / 2), Math.floor((oldWidth - width) / 2), height, width)
}

/**
 * Ten crops of an image: top left, top right, bottom left, bottom right, middle, and the same five mirrored left to
 * right.
 */
export function tenCrops(image: DenseArray, height: number, width: number): DenseArray[] {
  const [oldHeight, oldWidth] = imageSize(image.shape)
  const bottom = oldHeight - height
  const right = oldWidth - width
  const crops = [
    cropImage(image, 0, 0, height, width),
    cropImage(image, 0, right, height, width),
    cropImage(image, bottom, 0, height, width),
    cropImage(image, bottom, right, height, width),
    centredCrop(image, height, width),
  ]
  return [...crops, ...crops.map(mirrored)]
}

function mirrored({ data, shape }: DenseArray): DenseArray {
  const [height, width, channels] = shape
  const values = new Float32Array(data.length)
  let to = 0
  for (let y = 0; y < height; y++)
    for (let x = width - 1; x >= 0; x--)
      for (let c = 0; c < channels; c++) values[to++] = data[(y * width + x) * channels + c]
  return { data: values, shape }
}

/**
 * Corners, middle and their mirror images of every image: (10·N) × h × w × C, ten for each image in turn
 * (top left, top right, bottom left, bottom right, middle, then the same five mirrored).
 * @param images H × W × C each, of one size, or one ndarray N × H × W × C
 */
export function oversample(images: readonly NdArray[] | NdArray, cropDims: readonly number[]): NdArray<Float32Array> {
  mustBeSize('oversample', cropDims)
  const [height, width] = cropDims
  const list = eachImage(images)
  const crops = list.flatMap(image => tenCrops(image, height, width))
  const channels = imageSize(list[0]?.shape ?? [])[2]
  const size = height * width * channels
  const values = new Float32Array(crops.length * size)
  crops.forEach((crop, i) => {
    if (crop.data.length !== size)
      throw new RistrettoError(`image ${Math.floor(i / 10)} has another number of channels than the first`)
    values.set(crop.data, i * size)
  })
  return ndarrayOf(values, [crops.length, height, width, channels])
}

/** A list of images, or one array N × H × W × C, as images in row-major order. */
export function eachImage(images: Iterable<NdArray> | NdArray): DenseArray[] {
  // one file's name is iterable, too: by its letters
  if (typeof images === 'object' && images !== null && Symbol.iterator in images) return [...images].map(dense)
  const { data, shape } = dense(images)
  if (shape.length !== 4)
    throw new RistrettoError(`a list of images, or N × H × W × C values, is expected, not [${shape.join(', ')}]`)
  const size = shape[1] * shape[2] * shape[3]
  return Array.from({ length: shape[0] }, (_, i) => ({
    data: data.subarray(i * size, (i + 1) * size),
    shape: shape.slice(1),
  }))
}
