import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { fileSource } from '../data/byte_source.js'
import { imageFormats } from '../data/encode_image.js'
import { resizeModes } from '../data/picture_fit.js'
import { zipEntries } from '../data/zip.js'
import { RistrettoError } from '../errors.js'
import { parseLabels } from '../tools/dataset/classes.js'
import type { MakeDatasetOptions } from '../tools/dataset/options.js'
import { sourceAt } from '../tools/dataset/source_at.js'
import type { DatasetSource } from '../tools/dataset/sources.js'
import type { DatasetReport } from '../tools/dataset/summary.js'
import { datasetNames } from '../tools/dataset/target.js'
import { makeDataset } from '../tools/make_dataset.js'
import { mustExist, readText } from './input_file.js'
import { number, whole } from './options.js'
import { filesLeftOut, type Output, print, printJson, resultFile, warn } from './output.js'
import { ProgressBar } from './progress.js'

type Shared = 'size' | 'resize' | 'gray' | 'val' | 'test' | 'seed' | 'encode' | 'overwrite' | 'threads'

interface CommandOptions extends Pick<MakeDatasetOptions, Shared> {
  output: string
  labels?: string
  root?: string
  valList?: string
  testList?: string
  followLinks?: boolean
  json?: boolean
}

export function addMakeDataset(program: Command, output: Output): void {
  program
    .command('make-dataset')
    .description('Make databases to train and test on of a folder of pictures for each class.')
    .argument(
      '<source>',
      "folder of class folders, zip of such, list of pictures (.txt, .csv), folder of MNIST's files, or idx file of images",
    )
    .argument('[labels]', 'idx file of the labels, where the source is one of images')
    .requiredOption(
      '--output <folder>',
      'folder that gets train_db, val_db, test_db, labels.txt, mean.binaryproto, summary.json',
    )
    .option('--size <WxH>', 'width and height that pictures are brought to, or one number for both', sizeOf)
    .addOption(
      new Option('--resize <mode>', 'how: stretched, covering, fitting with black around, or half of each')
        .choices(resizeModes)
        .default('squash'),
    )
    .option('--gray', 'one channel of grey instead of three of colour')
    .option('--val <part>', 'part of each class that goes to val_db', number, 0.25)
    .option('--test <part>', 'part of each class that goes to test_db', number, 0)
    .option('--seed <n>', 'seed of the split and the order', whole(0), 1)
    .addOption(
      new Option('--encode <type>', 'store picture files instead of pixels').choices([...imageFormats, 'jpeg']),
    )
    .option('--labels <file>', 'class names in the order of their labels, one in each line')
    .option('--root <folder>', "folder that a list's paths are relative to (default: that of the list)")
    .option('--val-list <file>', 'list of the pictures for val_db')
    .option('--test-list <file>', 'list of the pictures for test_db')
    .option('--follow-links', 'read what symbolic links lead to')
    .option('--threads <n>', 'threads that decode pictures (default: the cores this process may use)', whole(1))
    .option('--overwrite', 'replace a dataset that is there already')
    .option('--json', 'print the summary as one JSON object')
    .action((source, labels, options: CommandOptions) => make(source, labels, options, output))
    .addHelpText(
      'after',
      `
Plain PNG files need nothing else; others are read by two packages: npm install ndarray-pixels sharp.
What is no picture or cannot be read is left out, with a notice, and listed in summary.json.

Examples:
  ristretto make-dataset photos/ --output data --size 64x64
  ristretto make-dataset photos.zip --output data --size 28 --gray --test 0.1
  ristretto make-dataset train.csv --root images/ --output data --size 256x256 --resize crop --encode jpg`,
    )
}

/** Notices about files that are left out; summary.json has all of them. */
const NOTICES = 10

async function make(path: string, labels: string | undefined, options: CommandOptions, output: Output): Promise<void> {
  const { labels: classFile, root, valList, testList, followLinks, json, ...rest } = options
  await mustExist(path, 'file or folder')
  const classes = classFile === undefined ? undefined : parseLabels(await readText(classFile), classFile)
  await mustBeFree(rest.output, rest.overwrite)
  const source = await sourceOf(path, labels, { root, valList, testList, followLinks })
  await mustBeNoModel(source)
  await resultFile(output, join(rest.output, 'summary.json'))
  let bar: ProgressBar | undefined
  let skipped = 0
  let stored = 0
  const onProgress = (done: number, total: number) => {
    stored = done
    if (!output.out.isTTY || json) return
    bar ??= new ProgressBar(output, 'Pictures', total, [])
    bar.update(done)
  }
  const onSkip = (file: string, reason: string) => {
    if (++skipped <= NOTICES) warn(output, `left out ${file}: ${reason}`)
  }
  const onResume = (pictures: number) =>
    warn(output, `note: ${pictures} pictures are there already, of a run that was ended`)
  const stop = () => {
    bar?.stop()
    const again = stored && !rest.encode ? '; the same command goes on from there' : ''
    warn(output, `stopped after ${stored} pictures, no dataset was written${again}`)
    process.exit(130)
  }
  process.once('SIGINT', stop)
  const report = await makeDataset(source, { ...rest, classes, onProgress, onResume, onSkip }).finally(() => {
    process.off('SIGINT', stop)
    bar?.stop()
  })
  if (skipped > NOTICES)
    warn(output, `… and ${skipped - NOTICES} more files: ${join(rest.output, 'summary.json')} lists them`)
  for (const note of report.notes) warn(output, `note: ${note}`)
  if (json) printJson(output, report)
  else tell(report, rest.output, output)
}

/** What is refused in words of the library where somebody else came first. */
async function mustBeFree(folder: string, overwrite: boolean | undefined): Promise<void> {
  const names = overwrite || folder === '' ? [] : await readdir(folder).catch(() => [])
  const there = datasetNames.filter(name => names.includes(name)).map(name => `'${name}'`)
  if (there.length)
    throw new RistrettoError(
      `'${folder}' holds ${there.join(', ')} already: --overwrite replaces them, or --output names another folder`,
    )
}

/** A zip with weights and no picture is of a model. */
async function mustBeNoModel(source: DatasetSource): Promise<void> {
  if (typeof source !== 'object' || !('zip' in source) || typeof source.zip !== 'string') return
  const zip = await fileSource(source.zip)
  try {
    const names = Array.from(zipEntries(zip), ({ name }) => name)
    if (names.some(name => name.endsWith('.caffemodel')) && !names.some(name => /\.(png|jpe?g)$/i.test(name)))
      throw new RistrettoError(
        `${source.zip}: this is an archive of a model, not a zip of pictures; ristretto classify runs it`,
      )
  } finally {
    zip.close()
  }
}

function tell(report: DatasetReport, folder: string, output: Output): void {
  const { classes, channels, width, height, resize, encode, sets, mean, leftOut } = report
  const colour = channels === 1 ? 'grey (1 channel)' : 'colour (3 channels, B G R; --gray makes one)'
  print(
    output,
    `${width}×${height} pixels${resize ? ` (${resize})` : ''}, ${colour}${encode ? `, as ${encode} files` : ''}`,
  )
  for (const [name, { records, histogram }] of Object.entries(sets)) {
    const [least, most] = [Math.min(...histogram), Math.max(...histogram)]
    const each = least === most ? `${least}` : `${least} … ${most}`
    const pictures = records === 1 ? '1 picture' : `${records} pictures`
    print(output, `${join(folder, `${name}_db`)}: ${pictures}, ${each} of each class`)
  }
  const shown = classes.slice(0, 10).map((name, i) => `${i} ${name}`)
  print(
    output,
    `${join(folder, 'labels.txt')}: ${shown.join(', ')}${classes.length > 10 ? `, … (${classes.length})` : ''}`,
  )
  print(output, `${join(folder, 'mean.binaryproto')}: mean ${mean.map(value => value.toFixed(2)).join(', ')}`)
  print(output, `${join(folder, 'summary.json')}${leftOut.length ? `: ${filesLeftOut(leftOut.length)}` : ''}`)
}

interface SourceOptions {
  root?: string
  valList?: string
  testList?: string
  followLinks?: boolean
}

async function sourceOf(path: string, labels: string | undefined, options: SourceOptions): Promise<DatasetSource> {
  if (labels !== undefined) return { images: path, labels }
  const source = await sourceAt(path)
  const { followLinks, ...list } = options
  const [used] = Object.entries(list).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if ('list' in source) return { ...source, ...list }
  if (used !== undefined)
    throw new RistrettoError(
      `--${used.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)} goes with a list; '${path}' is none (.txt, .csv)`,
    )
  return 'folder' in source ? { ...source, followLinks } : source
}

/** 64x48 or 64. */
function sizeOf(text: string): { width: number; height: number } {
  const [, width, height = width] = /^([1-9]\d{0,5})(?:[x×]([1-9]\d{0,5}))?$/i.exec(text.trim()) ?? []
  if (width === undefined) throw new InvalidArgumentError('It must be width x height, as in 64x48, or one number.')
  return { width: Number(width), height: Number(height) }
}
