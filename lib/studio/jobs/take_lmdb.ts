import { decodeImage, importPixels, toPlanes } from '../../data/image.js'
import { LmdbReader } from '../../data/lmdb.js'
import { FormatError } from '../../errors.js'
import { type ReadDatum, readDatum } from '../../proto/datum.js'
import { writeMessage } from '../../proto/wire.js'
import { macrotask, mustYield } from '../../system/macrotask.js'
import { labelsText } from '../../tools/dataset/classes.js'
import type { DatasetSetSummary, DatasetSummary } from '../../tools/dataset/summary.js'
import type { DatasetTarget } from '../../tools/dataset/target.js'
import type { DatasetSource, SetName } from '../api/index.js'
import type { JobContext, ProjectContext } from '../core/job_context.js'
import { labelNames, whereOf } from './dataset_source.js'

type Lmdb = Extract<DatasetSource, { from: 'lmdb' }>

/** Bytes that are copied at once. */
const PIECE = 2 ** 22

/** Ready-made databases as a dataset: they are copied as they are, and counted. */
export async function takeLmdb(source: Lmdb, target: DatasetTarget, context: JobContext): Promise<void> {
  const { train, val, test, labels } = source
  const named: [SetName, string | undefined][] = [
    ['train', train],
    ['val', val],
    ['test', test],
  ]
  const sets: Partial<Record<SetName, DatasetSetSummary>> = {}
  let first: Counted | undefined
  let encoded = false
  for (const [set, name] of named) {
    if (name === undefined) continue
    const counted = await take(set, name, source, target, context)
    first ??= counted
    encoded ||= counted.encoded
    if (counted.shape.join() !== first.shape.join())
      throw new FormatError(
        `${name} holds pictures of ${counted.shape.join('×')}, ${train} of ${first.shape.join('×')}`,
      )
    sets[set] = { records: counted.records, histogram: counted.histogram }
  }
  const { shape, sum, records } = first!
  const [channels, height, width] = shape
  if (channels !== 1 && channels !== 3)
    throw new FormatError(`${train} holds pictures of ${channels} channels: 1 (grey) or 3 (colour) can be shown`)
  const classes = await classesOf(source, labels, sets, context)
  const longest = (histogram: readonly number[]) =>
    [...histogram, ...new Array(classes.length).fill(0)].slice(0, classes.length)
  const mean = Float32Array.from(sum, total => total / records)
  const plane = height * width
  const summary: DatasetSummary = {
    version: 1,
    classes,
    channels,
    height,
    width,
    resize: null,
    encode: encoded ? 'png' : null,
    seed: 0,
    sets: Object.fromEntries(
      Object.entries(sets).map(([set, { records, histogram }]) => [set, { records, histogram: longest(histogram) }]),
    ),
    mean: Array.from(
      { length: channels },
      (_, c) => mean.subarray(c * plane, (c + 1) * plane).reduce((a, x) => a + x, 0) / plane,
    ),
    leftOut: [],
    notes: ['the databases were there already: they were copied as they are'],
  }
  const text = new TextEncoder()
  await write(target, 'labels.txt', labelsText(classes))
  await write(target, 'mean.binaryproto', writeMessage('BlobProto', { num: 1, channels, height, width, data: mean }))
  await write(target, 'summary.json', text.encode(`${JSON.stringify(summary, undefined, 2)}\n`))
}

interface Counted {
  readonly records: number
  readonly shape: readonly [channels: number, height: number, width: number]
  readonly histogram: number[]
  readonly sum: Float64Array
  readonly encoded: boolean
}

async function take(
  set: SetName,
  name: string,
  source: Lmdb,
  target: DatasetTarget,
  context: JobContext,
): Promise<Counted> {
  const reader = await openNamed(source, name, context)
  try {
    const counted = await count(set, reader, name, context)
    const sink = await target.sink(`${set}_db/data.mdb`)
    const { source: file } = reader
    try {
      for (let at = 0; at < file.size; at += PIECE) sink.write(at, file.read(at, Math.min(PIECE, file.size - at)))
      await sink.finish()
    } catch (error) {
      sink.abort()
      throw error
    }
    return counted
  } finally {
    reader.close()
  }
}

/** A database of a source, by the name that the form gives it. */
export async function openNamed(
  source: Lmdb,
  name: string,
  { store }: Pick<ProjectContext, 'store'>,
): Promise<LmdbReader> {
  const where = whereOf(source.place)
  if ('path' in where) return LmdbReader.open(`${where.path}/${name}`)
  const folder = `${where.folder}/${name}`
  const location = store.location(folder)
  if (location !== undefined) return LmdbReader.open(location)
  const bytes = (await store.read(`${folder}/data.mdb`)) ?? (await store.read(folder))
  if (!bytes) throw new FormatError(`the upload has no database '${name}'`)
  return LmdbReader.open(bytes, name)
}

async function count(set: SetName, reader: LmdbReader, name: string, context: JobContext): Promise<Counted> {
  const { signal } = context
  const cursor = reader.cursor()
  const histogram: number[] = []
  let shape: Counted['shape'] | undefined
  let sum = new Float64Array(0)
  let encoded = false
  let records = 0
  for (let more = cursor.first(); more; more = cursor.next()) {
    const datum = readDatum(cursor.value)
    encoded ||= datum.encoded
    const { channels, height, width, label, data, float_data } = datum.encoded ? await decoded(datum) : datum
    const values = data.length ? data : (float_data ?? data)
    shape ??= [channels, height, width]
    if (shape.join() !== [channels, height, width].join() || values.length !== channels * height * width)
      throw new FormatError(
        `${name}: record ${records} is ${channels}×${height}×${width}, the first ${shape.join('×')}`,
      )
    if (!Number.isSafeInteger(label) || label < 0 || label > 1_000_000)
      throw new FormatError(`${name}: record ${records} has the label ${label}, which is no class`)
    while (histogram.length <= label) histogram.push(0)
    histogram[label]++
    if (set === 'train') {
      if (!sum.length) sum = new Float64Array(values.length)
      for (let k = 0; k < sum.length; k++) sum[k] += values[k]
    }
    if (++records % 1000 === 0) context.emit({ kind: 'progress', done: records, total: reader.count, text: name })
    if (mustYield()) await macrotask()
    signal.throwIfAborted()
  }
  if (!shape) throw new FormatError(`${name} holds no records`)
  return { records, shape, histogram, sum, encoded }
}

async function decoded(datum: ReadDatum): Promise<ReadDatum> {
  const image = toPlanes(await decodeImage(datum.data.slice(), await importPixels()))
  return { ...datum, ...image, encoded: false }
}

async function classesOf(
  source: Lmdb,
  labels: string | undefined,
  sets: Partial<Record<SetName, DatasetSetSummary>>,
  context: JobContext,
): Promise<string[]> {
  const highest = Math.max(...Object.values(sets).map(({ histogram }) => histogram.length))
  if (labels === undefined) return Array.from({ length: highest }, (_, i) => String(i))
  const classes = await labelNames(source.place, labels, context)
  if (classes.length < highest)
    throw new FormatError(`${labels} names ${classes.length} classes, and a picture has the label ${highest - 1}`)
  return classes
}

async function write(target: DatasetTarget, path: string, bytes: Uint8Array): Promise<void> {
  const sink = await target.sink(path)
  sink.write(0, bytes)
  await sink.finish()
}
