import { withChannels } from '../../data/decode_picture.js'
import { importPixels } from '../../data/image.js'
import { importDeflate } from '../../data/inflate.js'
import { isNode } from '../../system/nodejs.js'
import { fileReader } from '../../system/read_file.js'
import type { Candidate } from '../../tools/dataset/candidates.js'
import { decodeFile, inForm, type Picture, type PictureForm, type Tools } from '../../tools/dataset/decode.js'
import { findPictures } from '../../tools/dataset/sources.js'
import type { DatasetForm, DatasetSource } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import type { DatasetPreview } from '../core/looking.js'
import { labelNames, picturesOf } from './dataset_source.js'
import { planesOfRecord, pngOf } from './pictures.js'
import { openNamed } from './take_lmdb.js'

/** Pictures that are shown, of classes that are far apart. */
const EXAMPLES = 8
/** Files that are left out, as far as they are told of before anything is made. */
const TOLD = 100

/** What a source holds, and what would become of a few of its pictures. */
export async function previewDataset(context: ProjectContext, form: DatasetForm): Promise<DatasetPreview> {
  if (form.source.from === 'lmdb') return previewLmdb(form.source, context)
  const { source, classes } = await picturesOf(form.source, context)
  const found = await findPictures(source, classes ? { classes } : {})
  try {
    const { height = form.width, width = form.height, gray, resize = 'squash' } = form
    const channels = gray === undefined ? (found.channels ?? 3) : gray ? 1 : 3
    const size = height === undefined || width === undefined ? undefined : { height, width }
    const tools: Tools = { pixels: () => importPixels(), deflate: await importDeflate() }
    const read = isNode ? await fileReader() : undefined
    const examples: DatasetPreview['examples'][number][] = []
    const skipped = found.leftOut.slice(0, TOLD)
    for (const candidate of spread(found.candidates, EXAMPLES))
      try {
        const whole = await pictureOf(candidate, { channels: 3, resize }, tools, read)
        const after = await inForm(withChannels(whole.image, channels), { channels, size, resize }, tools)
        examples.push({ name: candidate.file, before: await pngOf(whole.image), after: await pngOf(after.image) })
      } catch (error) {
        skipped.push({ file: candidate.file, reason: (error as Error).message })
      }
    const broken = skipped.length - Math.min(TOLD, found.leftOut.length)
    return { pictures: found.candidates.length - broken, classes: found.classes, examples, skipped }
  } finally {
    found.close?.()
  }
}

async function pictureOf(
  { source }: Candidate,
  form: PictureForm,
  tools: Tools,
  read: Awaited<ReturnType<typeof fileReader>> | undefined,
): Promise<Picture> {
  if (source.kind === 'planes')
    return inForm(source.image, { ...form, channels: source.image.channels as 1 | 3 }, tools)
  const file = source.kind === 'path' ? { bytes: readWhole(read!, source.path) } : await source.read()
  return decodeFile(file, form, tools)
}

/** So many of a list, evenly apart. */
function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all]
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)])
}

const readWhole = (read: Awaited<ReturnType<typeof fileReader>>, path: string): Uint8Array => read(path).slice()

/** Databases that are there already stay as they are. */
async function previewLmdb(
  source: Extract<DatasetSource, { from: 'lmdb' }>,
  context: ProjectContext,
): Promise<DatasetPreview> {
  const db = await openNamed(source, source.train, context)
  try {
    const cursor = db.cursor()
    const examples: DatasetPreview['examples'][number][] = []
    const decoder = new TextDecoder()
    for (let more = cursor.first(); more && examples.length < EXAMPLES; more = cursor.next()) {
      const name = decoder.decode(cursor.key)
      const png = await pngOf((await planesOfRecord(cursor.value)).image)
      examples.push({ name, before: png, after: png })
    }
    const classes = source.labels === undefined ? [] : await labelNames(source.place, source.labels, context)
    return { pictures: db.count, classes, examples, skipped: [] }
  } finally {
    db.close()
  }
}
