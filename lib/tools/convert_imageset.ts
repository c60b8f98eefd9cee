import { encodeImage, type ImageFormat, imageFormats } from '../data/encode_image.js'
import { decodeImage, importPixels, type PixelsModule, type PlanarImage, resizeImage, toPlanes } from '../data/image.js'
import { isInt32, parseImageList } from '../data/image_list.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { inOrder, withoutPath, withPrefix } from '../data/source.js'
import { EngineError, RistrettoError } from '../errors.js'
import type { Datum } from '../generated/caffe.js'
import { drawSeed } from '../net/source.js'
import { writeDatum } from '../proto/datum.js'
import { RandomStream } from '../rng.js'
import { createFiles } from '../system/files.js'
import { oneOf } from '../system/names.js'
import { importNode } from '../system/nodejs.js'
import { readFile } from '../system/read_file.js'

/** What `convertImageset` reads and writes. */
export interface ConvertImagesetOptions {
  /** Folder in front of every path in the list; default: none. */
  root?: string
  /** A text file with a path, a space and a label in each line; or the same as an array. */
  list: string | readonly { readonly path: string; readonly label: number }[]
  /** Directory of the database that is made. */
  output: string
  /** One channel of grey instead of three of colour; encoded, coloured files are encoded anew. */
  gray?: boolean
  /** Put the images in random order. */
  shuffle?: boolean
  /** Seed of that order; default: one is drawn. */
  seed?: number
  /** Size that images are brought to: both or none. */
  resizeWidth?: number
  resizeHeight?: number
  /** Throw if the images are not all of one size. */
  checkSize?: boolean
  /** Store image files instead of pixels: as they are, if neither size nor type is to change. */
  encoded?: boolean
  /** Type of the stored files; default: that of each file. */
  encodeType?: ImageFormat | 'jpeg'
  /** Replace a database that is there already; default: an error. */
  overwrite?: boolean
  /** Called after every image. */
  onProgress?: (done: number, total: number) => void
  /**
   * Called for every file that cannot be read and is left out, as in Caffe. The error names its line in the list, not the
   * file: see SECURITY.md.
   */
  onSkip?: (file: string, error: Error) => void
  /** Receives notices. */
  log?: (line: string) => void
}

/** What `convertImageset` did. */
export interface ImagesetReport {
  readonly records: number
  /** Files that could not be read. */
  readonly skipped: string[]
  /** The first image and one of another size; a Data layer takes such images one at a time, or with crop_size. */
  readonly sizes?: readonly [first: ImageSize, other: ImageSize]
}

/** An image of the list, where it stands there, and its size as `channels×height×width`. */
export interface ImageSize {
  readonly path: string
  /** `list.txt:3`, or `image 2 of the list` of one in memory. */
  readonly place: string
  readonly size: string
}

/** One image on its way into the database. */
interface Item {
  readonly datum: Datum
  readonly size: string
}

/**
 * Image files → an LMDB that a Data layer reads, as Caffe's convert_imageset: keys '%08d_<path>', one Datum an image
 * with its label. Files that cannot be read are left out. Needs the package ndarray-pixels, and sharp where images are
 * encoded anew.
 */
export async function convertImageset(options: ConvertImagesetOptions): Promise<ImagesetReport> {
  const { root = '', output, shuffle, checkSize, overwrite, onProgress, onSkip, log = () => {} } = options
  if (!options.resizeWidth !== !options.resizeHeight)
    throw new RistrettoError('convertImageset: resizeWidth and resizeHeight go together: give both or none')
  if (options.encodeType !== undefined && !formatOf(options.encodeType))
    throw new RistrettoError(
      `convertImageset: encodeType cannot be '${options.encodeType}'${oneOf(options.encodeType, [...imageFormats, 'jpeg'])}`,
    )
  const { paths, labels, place } = await entries(options.list)
  const order = Uint32Array.from(paths.keys())
  const prefix = await folderPrefix(root)
  if (shuffle) {
    const seed = options.seed ?? drawSeed()
    new RandomStream(seed, 'convert-imageset').shuffle(order)
    log(`Shuffling data (seed ${seed})`)
  }
  log(`A total of ${order.length} images.`)

  const pixels = await importPixels()
  const writer = await LmdbWriter.create(output, { overwrite })
  const skipped: string[] = []
  let first: ImageSize | undefined
  let other: ImageSize | undefined
  try {
    const read = async (entry: number) => {
      const bytes = await readFile(prefix + paths[entry]).catch(error => Promise.reject(withoutPath(error)))
      return toItem(bytes, paths[entry], labels[entry], pixels, options)
    }
    await inOrder(
      0,
      order.length,
      i => read(order[i]).catch((error: Error) => error),
      (i, item) => {
        const path = paths[order[i]]
        // a package that is not installed is no fault of the file, and would be missing for all of them
        if (item instanceof EngineError) throw item
        if (item instanceof Error) {
          skipped.push(path)
          onSkip?.(prefix + path, withPrefix(place(order[i]), item))
        } else {
          const { size, datum } = item
          first ??= { path, size, place: place(order[i]) }
          if (size !== first.size) other ??= { path, size, place: place(order[i]) }
          if (other && checkSize)
            throw new RistrettoError(
              `${other.place} is ${size}, ${first.place} is ${first.size}: images of one size were asked for`,
            )
          writer.put(`${String(i).padStart(8, '0')}_${path}`, writeDatum(datum))
        }
        onProgress?.(i + 1, order.length)
      },
    )
    if (!writer.count) throw new RistrettoError(`none of the ${order.length} images can be read`)
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
  return { records: writer.count, skipped, ...(first && other && { sizes: [first, other] }) }
}

async function entries(
  list: ConvertImagesetOptions['list'],
): Promise<{ paths: readonly string[]; labels: readonly number[]; place: (entry: number) => string }> {
  if (typeof list === 'string') {
    const { paths, labels, lines } = parseImageList(await createFiles().text(list), list)
    return { paths, labels, place: entry => `${list}:${lines[entry]}` }
  }
  if (!list.length) throw new RistrettoError('convertImageset: the list names no images')
  list.forEach(({ label }, i) => {
    if (!isInt32(label))
      throw new RistrettoError(
        `convertImageset: the label of image ${i} is ${label}; a Datum holds whole numbers of 32 bits: HDF5Data takes labels that are any numbers`,
      )
  })
  return {
    paths: list.map(entry => entry.path),
    labels: list.map(entry => entry.label),
    place: entry => `image ${entry} of the list`,
  }
}

/** A picture file as a Datum, stored as the options have it. */
export async function toItem(
  bytes: Uint8Array,
  path: string,
  label: number,
  pixels: PixelsModule,
  {
    gray,
    encoded,
    encodeType,
    resizeWidth = 0,
    resizeHeight = 0,
    sizeOf = () => [resizeHeight, resizeWidth],
  }: Pick<ConvertImagesetOptions, 'gray' | 'encoded' | 'encodeType' | 'resizeWidth' | 'resizeHeight'> & {
    /** Size that a picture of height × width is brought to; 0: as it is. */
    sizeOf?: (height: number, width: number) => readonly [height: number, width: number]
  },
): Promise<Item> {
  const decoded = await decodeImage(bytes, pixels)
  const [toHeight, toWidth] = sizeOf(decoded.height, decoded.width)
  if (encoded) {
    const type = formatOf(path.slice(path.lastIndexOf('.') + 1))
    const wanted = formatOf(encodeType) ?? type
    // a file that has the channels asked for is stored as it is; Caffe stores colours even where grey is asked for
    const fits = !gray || decoded.channels === 1
    if (fits && !toWidth && wanted !== undefined && wanted === type)
      return { datum: { data: bytes, label, encoded: true }, size: sizeText({ ...decoded, channels: gray ? 1 : 3 }) }
    if (wanted === undefined)
      throw new RistrettoError(
        `its name does not say whether it is ${imageFormats.join(' or ')}: say which type to encode`,
      )
    const image = fitted(toPlanes(decoded, gray ? 1 : 3), toHeight, toWidth)
    return { datum: { data: await encodeImage(image, wanted), label, encoded: true }, size: sizeText(image) }
  }
  const image = fitted(toPlanes(decoded, gray ? 1 : 3), toHeight, toWidth)
  const { channels, height, width, data } = image
  return { datum: { channels, height, width, data, label, encoded: false }, size: sizeText(image) }
}

const fitted = (image: PlanarImage, height: number, width: number): PlanarImage =>
  height ? resizeImage(image, height, width) : image

const formatOf = (name = ''): ImageFormat | undefined => {
  const lower = name.toLowerCase()
  return lower === 'jpeg' ? 'jpg' : imageFormats.find(format => format === lower)
}

const sizeText = ({ channels, height, width }: { channels: number; height: number; width: number }): string =>
  `${channels}×${height}×${width}`

/**
 * Caffe writes root and path one after the other, so that 'images' without its slash finds nothing: a folder gets one.
 */
export async function folderPrefix(root: string): Promise<string> {
  const { stat } = await importNode('node:fs/promises')
  const isFolder = root !== '' && !root.endsWith('/') && (await stat(root).catch(() => undefined))?.isDirectory()
  return isFolder ? `${root}/` : root
}
