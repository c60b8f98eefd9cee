import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { type Command, Option } from 'commander'
import { decodeImage, importPixels, type PlanarImage, resizeImage, toPlanes } from '../data/image.js'
import { type ImageList, parseImageList } from '../data/image_list.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { inOrder } from '../data/source.js'
import { RistrettoError } from '../errors.js'
import type { Datum } from '../generated/caffe.js'
import { drawSeed } from '../net_source.js'
import { writeDatum } from '../proto/datum.js'
import { RandomStream } from '../rng.js'
import { encodeImage, type ImageFormat, imageFormats } from './encode_image.js'
import { isFolder, readText } from './input_file.js'
import { whole } from './options.js'
import { type Output, print } from './output.js'
import { ProgressBar } from './progress.js'

interface ConvertImagesetOptions {
  gray?: boolean
  shuffle?: boolean
  seed?: number
  resizeWidth?: number
  resizeHeight?: number
  checkSize?: boolean
  encoded?: boolean
  encodeType?: ImageFormat
  overwrite?: boolean
  json?: boolean
}

export function addConvertImageset(program: Command, output: Output): void {
  program
    .command('convert-imageset')
    .description('Convert image files to an LMDB that a Data layer reads.')
    .argument('<root>', 'folder in front of every path in the list')
    .argument('<list>', 'text file with a path, a space and a label in each line')
    .argument('<db>', 'folder of the LMDB')
    .option('--gray', 'one channel of grey instead of three of colour')
    .option('--shuffle', 'put the images in random order')
    .option('--seed <n>', 'seed of that order (default: drawn)', whole(0))
    .option('--resize-width <n>', 'width that images are brought to', whole(0))
    .option('--resize-height <n>', 'height that images are brought to', whole(0))
    .option('--check-size', 'fail if the images are not all of one size')
    .option('--encoded', 'store image files instead of pixels: as they are, if neither size nor type is to change')
    .addOption(
      new Option('--encode-type <type>', 'type of the stored files (default: that of each file)').choices([...imageFormats, 'jpeg']),
    )
    .addOption(new Option('--backend <name>', 'kind of database').choices(['lmdb']).default('lmdb'))
    .option('--overwrite', 'replace an LMDB that is there already')
    .option('--json', 'print the result as one JSON object')
    .action((root, list, db, options: ConvertImagesetOptions, command: Command) => {
      if (!options.resizeWidth !== !options.resizeHeight)
        command.error('error: --resize-width and --resize-height go together: give both or none')
      return convert(root, list, db, options, output)
    })
    .addHelpText(
      'after',
      `
Keys are '%08d_<path>'. Files that cannot be read are left out, each with a notice, as in Caffe.

Examples:
  ristretto convert-imageset images/ images/train.txt train_lmdb --resize-height 256 --resize-width 256 --shuffle
  ristretto convert-imageset images/ images/train.txt train_lmdb --encoded`,
    )
}

/** One image on its way into the database. */
interface Item {
  readonly datum: Datum
  /** What --check-size looks at. */
  readonly size: string
}

async function convert(root: string, listFile: string, db: string, options: ConvertImagesetOptions, output: Output): Promise<void> {
  const list = parseImageList(await readText(listFile), listFile)
  const order = Uint32Array.from(list.paths.keys())
  const prefix = await folderPrefix(root)
  const say = options.json ? () => {} : (line: string) => print(output, line)
  if (options.shuffle) {
    const seed = options.seed ?? drawSeed()
    new RandomStream(seed, 'convert-imageset').shuffle(order)
    say(`Shuffling data (seed ${seed})`)
  }
  say(`A total of ${order.length} images.`)

  const writer = await LmdbWriter.create(db, { overwrite: options.overwrite })
  const bar = output.out.isTTY && !options.json ? new ProgressBar(output, 'Converting', order.length, []) : undefined
  const skipped: string[] = []
  let first: { path: string; size: string } | undefined
  let other: { path: string; size: string } | undefined
  try {
    const start = (i: number) => readItem(prefix, list, order[i], options).catch((error: Error) => error)
    await inOrder(0, order.length, start, (i, item) => {
      const path = list.paths[order[i]]
      bar?.update(i + 1)
      if (item instanceof Error) {
        skipped.push(path)
        output.err.write(`left out ${prefix}${path}: ${item.message}\n`)
        return
      }
      const { size, datum } = item
      first ??= { path, size }
      if (size !== first.size) other ??= { path, size }
      if (other && options.checkSize)
        throw new RistrettoError(`'${path}' is ${size}, '${first.path}' is ${first.size}: --check-size asks for one size`)
      writer.put(`${String(i).padStart(8, '0')}_${path}`, writeDatum(datum))
      if (!bar && (i + 1) % 1000 === 0) say(`Processed ${i + 1} files.`)
    })
    if (!writer.count) throw new RistrettoError(`none of the ${order.length} images in ${listFile} can be read`)
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  } finally {
    bar?.stop()
  }
  if (other)
    output.err.write(
      `images differ in size ('${first!.path}': ${first!.size}, '${other.path}': ${other.size}): a Data layer takes them one at a time, ` +
        'or with crop_size; --resize-width and --resize-height bring them to one size\n',
    )
  if (options.json) print(output, JSON.stringify({ db, records: writer.count, skipped }))
  else print(output, `${db}: ${writer.count} records${skipped.length ? `, ${skipped.length} files left out` : ''}`)
}

async function readItem(prefix: string, list: ImageList, entry: number, options: ConvertImagesetOptions): Promise<Item> {
  const { gray, encoded, encodeType, resizeWidth = 0, resizeHeight = 0 } = options
  const path = list.paths[entry]
  const label = list.labels[entry]
  const bytes = new Uint8Array(await readFile(prefix + path))
  const pixels = await importPixels(() => import('ndarray-pixels'))
  const decoded = await decodeImage(bytes, pixels)
  const resized = resizeWidth > 0
  if (encoded) {
    const type = formatOf(extname(path).slice(1))
    const wanted = formatOf(encodeType) ?? type
    // as Caffe does: the channels of a file that is stored as it is are left to the data layer (force_gray)
    if (!resized && wanted !== undefined && wanted === type)
      return { datum: { data: bytes, label, encoded: true }, size: sizeText({ ...decoded, channels: gray ? 1 : 3 }) }
    if (wanted === undefined)
      throw new RistrettoError(`its name does not say whether it is ${imageFormats.join(' or ')}: choose with --encode-type`)
    const image = fitted(toPlanes(decoded, gray ? 1 : 3), resizeHeight, resizeWidth)
    return { datum: { data: await encodeImage(image, wanted), label, encoded: true }, size: sizeText(image) }
  }
  const image = fitted(toPlanes(decoded, gray ? 1 : 3), resizeHeight, resizeWidth)
  const { channels, height, width, data } = image
  return { datum: { channels, height, width, data, label, encoded: false }, size: sizeText(image) }
}

const fitted = (image: PlanarImage, height: number, width: number): PlanarImage => (height ? resizeImage(image, height, width) : image)

const formatOf = (name = ''): ImageFormat | undefined => {
  const lower = name.toLowerCase()
  return lower === 'jpeg' ? 'jpg' : imageFormats.find(format => format === lower)
}

const sizeText = ({ channels, height, width }: { channels: number; height: number; width: number }): string =>
  `${channels}×${height}×${width}`

/** Caffe writes root and path one after the other, so that 'images' without its slash finds nothing: a folder gets one. */
async function folderPrefix(root: string): Promise<string> {
  return !root.endsWith('/') && (await isFolder(root)) ? `${root}/` : root
}
