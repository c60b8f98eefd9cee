import type { PlanarImage } from '../../data/image.js'
import { type LmdbCursor, LmdbReader } from '../../data/lmdb.js'
import { readMeanImage } from '../../data/transformer.js'
import { readDatum } from '../../proto/datum.js'
import { macrotask, mustYield } from '../../system/macrotask.js'
import { type DatasetItem, type ItemPage, type ItemQuery, type JobId, type SetName, StudioError } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { pathsOf } from '../core/job_files.js'
import type { Store } from '../core/store.js'
import { Remembered } from './lru.js'
import { planesOfRecord, pngOf } from './pictures.js'

/** What is known of every record of a database, in its order. */
export interface SetIndex {
  readonly count: number
  readonly labels: Int32Array
  key(item: number): Uint8Array
  name(item: number): string
  /** Numbers of the records of a class. */
  of(label: number): Uint32Array
}

/** Indices that are kept: of the sets of a few datasets. */
const KEPT = 8

const indices = new WeakMap<Store, Remembered<SetIndex>>()

type Files = Pick<ProjectContext, 'store'>

/** The index of a set, made once: every record is looked at for its key and label. */
export function setIndex(context: Files, dataset: JobId, set: SetName): Promise<SetIndex> {
  const known = indices.get(context.store) ?? new Remembered<SetIndex>(KEPT)
  indices.set(context.store, known)
  return known.get(`${dataset} ${set}`, async () => {
    const db = await openSet(context, dataset, set)
    try {
      return await indexOf(db)
    } finally {
      db.close()
    }
  })
}

/** A set's database; its file is read as it is needed. */
export async function openSet({ store }: Files, dataset: JobId, set: SetName): Promise<LmdbReader> {
  const path = `${pathsOf(dataset).folder}/${set}_db/data.mdb`
  if ((await store.size(path)) === undefined) throw new StudioError(`the dataset '${dataset}' has no set '${set}'`, 404)
  return LmdbReader.open(await store.open(path))
}

async function indexOf(db: LmdbReader): Promise<SetIndex> {
  const labels = new Int32Array(db.count)
  const starts = new Uint32Array(db.count + 1)
  let keys = new Uint8Array(Math.max(64, 32 * db.count))
  const cursor = db.cursor()
  let item = 0
  for (let more = cursor.first(); more; more = cursor.next()) {
    labels[item] = labelOf(cursor)
    const { key } = cursor
    const end = starts[item] + key.length
    if (end > keys.length) {
      const larger = new Uint8Array(2 * end)
      larger.set(keys)
      keys = larger
    }
    keys.set(key, starts[item])
    starts[++item] = end
    if (item % 256 === 0 && mustYield()) await macrotask()
  }
  const key = (item: number): Uint8Array => keys.subarray(starts[item], starts[item + 1])
  const decoder = new TextDecoder()
  const byLabel = new Map<number, Uint32Array>()
  return {
    count: item,
    labels,
    key,
    // '%08d_<file>', as databases of pictures have it
    name: item => decoder.decode(key(item)).replace(/^\d{8}_(?=.)/, ''),
    of(label) {
      const known = byLabel.get(label)
      if (known) return known
      const found = Uint32Array.from([...labels.keys()].filter(item => labels[item] === label))
      byLabel.set(label, found)
      return found
    },
  }
}

/** From this size on a record's picture is not read for its label. */
const LARGE = 4096
/** Bytes in which the fields before the picture are. */
const HEAD = 64
const DATA = 0x22

/** The label of a record, which stands behind its picture. */
export function labelOf(cursor: Pick<LmdbCursor, 'value' | 'valueSize' | 'valuePart'>): number {
  const size = cursor.valueSize
  if (size < LARGE) return readDatum(cursor.value).label
  const head = cursor.valuePart(0, HEAD).slice()
  // channels, height and width are small numbers; a record of another form is read whole
  let at = 0
  while (at < HEAD - 8 && head[at] !== DATA) {
    if ((head[at] & 7) !== 0) return readDatum(cursor.value).label
    at++
    while (head[at] > 127) at++
    at++
  }
  let length = 0
  let end = at + 1
  for (let shift = 0; end < HEAD && shift < 28; shift += 7) {
    const byte = head[end++]
    length += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (head[at] !== DATA || end + length > size) return readDatum(cursor.value).label
  const tail = cursor.valuePart(end + length, size - end - length)
  return readDatum(tail.slice()).label
}

/** Pictures of a page: more are no page. */
const MOST = 1000

/** A slice of a list, by pages from 0. */
export function pageOf(total: number, page = 0, perPage = 50): [from: number, to: number] {
  const isWhole = (n: number) => Number.isSafeInteger(n) && n >= 0
  if (!isWhole(page) || !isWhole(perPage) || perPage < 1 || perPage > MOST)
    throw new StudioError(`page ${page} of ${perPage} is none: pages count from 0, and have 1 to ${MOST} pictures`, 400)
  return [Math.min(total, page * perPage), Math.min(total, (page + 1) * perPage)]
}

/** A page of the pictures of a set, of all classes or one. */
export async function items(context: Files, dataset: JobId, query: ItemQuery): Promise<ItemPage> {
  const { set, label, page, perPage } = query
  const index = await setIndex(context, dataset, set)
  const chosen = label === undefined ? undefined : index.of(label)
  const total = chosen?.length ?? index.count
  const [from, to] = pageOf(total, page, perPage)
  const shown = Array.from({ length: to - from }, (_, k): DatasetItem => {
    const item = chosen ? chosen[from + k] : from + k
    return { set, item, name: index.name(item), label: index.labels[item] }
  })
  return { total, items: shown }
}

/** The bytes of a record. */
export async function readRecord(context: Files, dataset: JobId, set: SetName, item: number): Promise<Uint8Array> {
  const index = await setIndex(context, dataset, set)
  if (!(Number.isSafeInteger(item) && item >= 0 && item < index.count))
    throw new StudioError(`the set '${set}' has ${index.count} items, there is no item ${item}`, 404)
  const db = await openSet(context, dataset, set)
  try {
    const record = db.get(index.key(item))
    if (!record) throw new StudioError(`item ${item} of the set '${set}' is not there any more`, 404)
    return record
  } finally {
    db.close()
  }
}

/** A picture of a set as a PNG. */
export async function picture(context: Files, dataset: JobId, set: SetName, item: number): Promise<Uint8Array> {
  const { image } = await planesOfRecord(await readRecord(context, dataset, set, item))
  return pngOf(image)
}

/** The mean of the pictures to train on, as a PNG. */
export async function meanPicture({ store }: Files, dataset: JobId): Promise<Uint8Array> {
  const path = `${pathsOf(dataset).folder}/mean.binaryproto`
  const bytes = await store.read(path)
  if (!bytes) throw new StudioError(`the dataset '${dataset}' has no mean picture`, 404)
  const { shape, data } = readMeanImage(bytes, path)
  const [channels, height, width] = shape
  const image: PlanarImage = { channels, height, width, data: Uint8Array.from(data, value => Math.round(value)) }
  return pngOf(image)
}
