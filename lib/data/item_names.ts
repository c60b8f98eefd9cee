import { arrangeEntries } from './list_order.js'
import { type AnyDescription, databaseFile, type Surroundings } from './open_source.js'
import { openLmdbRecords } from './records.js'
import type { Position } from './source.js'

/** The names of `count` items from a position on. */
export type ItemNames = (position: Position, count: number) => readonly string[]

/** What the items of a source are called: paths of a list, keys of an LMDB; undefined for sources without names. */
export async function openItemNames(
  description: AnyDescription,
  surroundings: Pick<Surroundings, 'readFile' | 'openFile'>,
): Promise<ItemNames | undefined> {
  if (description.kind === 'images' || description.kind === 'segmentations') {
    const { paths } = description.list
    const order = new Uint32Array(paths.length)
    let arranged = -1
    return walk(paths.length, (record, epoch) => {
      if (epoch !== arranged) arrangeEntries(description, epoch, order)
      arranged = epoch
      return paths[order[record]]
    })
  }
  if (description.kind !== 'datum' && description.kind !== 'annotated') return undefined
  const { backend, path, name } = description
  // a LevelDB is open already, and opens once only
  if (backend !== 'LMDB') return undefined
  const records = await openLmdbRecords(path ?? (await databaseFile(name, surroundings)), name)
  try {
    const keys: string[] = []
    const decoder = new TextDecoder()
    for (let more = records.first(); more; more = records.next()) keys.push(decoder.decode(records.key))
    return walk(keys.length, record => keys[record])
  } finally {
    records.close()
  }
}

/** From a position on and, after the last of `size` records, from the first. */
const walk =
  (size: number, name: (record: number, epoch: number) => string): ItemNames =>
  ({ record, epoch }, count) =>
    Array.from({ length: count }, (_, i) => {
      const at = record + i
      return name(at % size, epoch + Math.floor(at / size))
    })
