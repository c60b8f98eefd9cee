import { openPicture } from '../data/decode_picture.js'
import { encodeImage, type ImageFormat, imageFormats } from '../data/encode_image.js'
import { importPixels, type PixelsModule, type PlanarImage, resizeImage } from '../data/image.js'
import { isInt32, parseImageList, wholeNumber } from '../data/image_list.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { inOrder, withoutPath, withPrefix } from '../data/source.js'
import { EngineError, FormatError, RistrettoError } from '../errors.js'
import type { Datum } from '../generated/caffe.js'
import { drawSeed } from '../net/source.js'
import { writeDatum } from '../proto/datum.js'
import { RandomStream } from '../rng.js'
import {
  aFlag,
  aFunction,
  anything,
  aPath,
  aSeed,
  aText,
  aWhole,
  checkNeeded,
  names,
  type OptionRules,
} from '../system/check_options.js'
import { createFiles } from '../system/files.js'
import { oneOf } from '../system/names.js'
import { importNode } from '../system/nodejs.js'
import { readFile } from '../system/read_file.js'
import { writeFileSafely } from '../system/write_file.js'
import type { LeftOut } from './dataset/candidates.js'
import { labelNumbers, labelsText, type WrittenLabel } from './dataset/classes.js'
import { folderPictures } from './dataset/folder.js'
import { parseTable } from './dataset/table.js'

/** What `convertImageset` reads and writes. */
export interface ConvertImagesetOptions {
  /** Folder in front of every path in the list; default: none. */
  root?: string
  /**
   * A text file with a path, a space and a label in each line, a CSV file, or the same as an array. Labels are whole
   * numbers all, or names of classes all. Left out: `root` has a folder of pictures for each class.
   */
  list?: string | readonly { readonly path: string; readonly label: number | string }[]
  /** Names of the classes in the order of their labels; default: sorted. */
  classes?: readonly string[]
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

export const IMAGESET_RULES: OptionRules<ConvertImagesetOptions> = {
  root: aText,
  list: [v => typeof v === 'string' || Array.isArray(v), 'a file, or a list of { path, label }'],
  classes: names,
  output: aPath,
  gray: aFlag,
  shuffle: aFlag,
  seed: aSeed,
  resizeWidth: aWhole,
  resizeHeight: aWhole,
  checkSize: aFlag,
  encoded: aFlag,
  encodeType: anything,
  overwrite: aFlag,
  onProgress: aFunction,
  onSkip: aFunction,
  log: aFunction,
}

/** What `convertImageset` did. */
export interface ImagesetReport {
  readonly records: number
  /** Files that could not be read. */
  readonly skipped: string[]
  /** Names of the classes, where labels are names or folders; labels.txt beside the database's file has them, too. */
  readonly classes?: readonly string[]
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
  checkNeeded('convertImageset', options, IMAGESET_RULES, ['output'])
  const { root = '', output, shuffle, checkSize, overwrite, onProgress, onSkip, log = () => {} } = options
  if (!options.resizeWidth !== !options.resizeHeight)
    throw new RistrettoError('convertImageset: resizeWidth and resizeHeight go together: give both or none')
  if (options.encodeType !== undefined && !formatOf(options.encodeType))
    throw new RistrettoError(
      `convertImageset: encodeType cannot be '${options.encodeType}'${oneOf(options.encodeType, [...imageFormats, 'jpeg'])}`,
    )
  const { paths, labels, place, classes, leftOut = [] } = await entries(options)
  const order = Uint32Array.from(paths.keys())
  const prefix = await folderPrefix(root)
  if (shuffle) {
    const seed = options.seed ?? drawSeed()
    new RandomStream(seed, 'convert-imageset').shuffle(order)
    log(`Shuffling data (seed ${seed})`)
  }
  log(`A total of ${order.length} images.`)

  const pixels = () => importPixels()
  const writer = await LmdbWriter.create(output, { overwrite })
  const skipped = leftOut.map(({ file }) => file)
  for (const { file, reason } of leftOut) onSkip?.(prefix + file, new FormatError(`'${file}': ${reason}`))
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
    if (classes) await writeFileSafely(`${output}/labels.txt`, labelsText(classes))
  } catch (error) {
    writer.abort()
    throw error
  }
  return {
    records: writer.count,
    skipped,
    ...(classes && { classes }),
    ...(first && other && { sizes: [first, other] }),
  }
}

interface Entries {
  readonly paths: readonly string[]
  readonly labels: readonly number[]
  /** Where an entry stands, for errors. */
  readonly place: (entry: number) => string
  readonly classes?: readonly string[]
  /** What lies among the pictures of a folder and is none. */
  readonly leftOut?: readonly LeftOut[]
}

async function entries({ list, root = '', classes: known }: ConvertImagesetOptions): Promise<Entries> {
  if (list === undefined) {
    if (!root)
      throw new RistrettoError('convertImageset: give a list, or as root a folder with a folder for each class')
    const { candidates, classes, leftOut } = await folderPictures({ folder: root }, { classes: known })
    return {
      paths: candidates.map(({ file }) => file),
      labels: candidates.map(({ label }) => label),
      place: entry => `'${candidates[entry].file}'`,
      classes,
      leftOut,
    }
  }
  if (typeof list === 'string') {
    const text = await createFiles().text(list)
    if (!known && !/\.csv$/i.test(list) && isNumbered(text)) {
      const { paths, labels, lines } = parseImageList(text, list)
      return { paths, labels, place: entry => `${list}:${lines[entry]}` }
    }
    const rows = parseTable(text, list)
    if (!rows.length) throw new FormatError(`${list}: it names no images`)
    return named(
      rows,
      rows.map(({ label, place }) => ({ text: label, place })),
      list,
      known,
    )
  }
  if (!list.length) throw new RistrettoError('convertImageset: the list names no images')
  const places = list.map((_, i) => `image ${i} of the list`)
  if (known || list.some(({ label }) => typeof label === 'string'))
    return named(
      list,
      list.map(({ label }, i) => ({ text: label, place: places[i] })),
      'the list',
      known,
    )
  const labels = list.map(({ label }) => Number(label))
  labels.forEach((label, i) => {
    if (!isInt32(label))
      throw new RistrettoError(
        `convertImageset: the label of image ${i} is ${label}; a Datum holds whole numbers of 32 bits: HDF5Data takes labels that are any numbers`,
      )
  })
  return { paths: list.map(entry => entry.path), labels, place: entry => places[entry] }
}

/** Whether a list is Caffe's, by its first line: a path, a space and a number; or nothing that a class has as its name. */
function isNumbered(text: string): boolean {
  const line =
    text
      .split('\n', 1000)
      .find(line => line.trim() !== '')
      ?.trimEnd() ?? ''
  return !/\s/.test(line.trim()) || /\s[+-]?[\d.]+$/.test(line)
}

function named(
  rows: readonly { readonly path: string }[],
  written: readonly WrittenLabel[],
  source: string,
  known?: readonly string[],
): Entries {
  const { classes, numbers } = labelNumbers(written, source, known)
  const areNumbers = !known && wholeNumber(String(written[0].text)) !== undefined
  return {
    paths: rows.map(({ path }) => path),
    labels: numbers,
    place: entry => written[entry].place,
    ...(!areNumbers && { classes }),
  }
}

/** A picture file as a Datum, stored as the options have it. */
export async function toItem(
  bytes: Uint8Array,
  path: string,
  label: number,
  pixels: () => Promise<PixelsModule>,
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
  const picture = await openPicture(bytes, pixels)
  const [toHeight, toWidth] = sizeOf(picture.height, picture.width)
  if (encoded) {
    const type = formatOf(path.slice(path.lastIndexOf('.') + 1))
    const wanted = formatOf(encodeType) ?? type
    // a file that has the channels asked for is stored as it is; Caffe stores colours even where grey is asked for
    const fits = !gray || picture.channels === 1
    if (fits && !toWidth && wanted !== undefined && wanted === type)
      return { datum: { data: bytes, label, encoded: true }, size: sizeText({ ...picture, channels: gray ? 1 : 3 }) }
    if (wanted === undefined)
      throw new RistrettoError(
        `its name does not say whether it is ${imageFormats.join(' or ')}: say which type to encode`,
      )
    const image = fitted(picture.planes(gray ? 1 : 3), toHeight, toWidth)
    return { datum: { data: await encodeImage(image, wanted), label, encoded: true }, size: sizeText(image) }
  }
  const image = fitted(picture.planes(gray ? 1 : 3), toHeight, toWidth)
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
