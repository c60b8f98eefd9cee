import { FormatError, RistrettoError } from '../../errors.js'
import { createFiles } from '../../system/files.js'
import { importNode, isNode } from '../../system/nodejs.js'
import type { Candidate, FindOptions, Found, LeftOut, SetName } from './candidates.js'
import { labelNumbers, type WrittenLabel } from './classes.js'
import { parseTable } from './table.js'

/** Pictures by their paths, with the names of their classes or whole numbers. */
export interface ListSource {
  /** A file with a path and a label in each line (separated by a space or a tab, or CSV); or the same as an array. */
  readonly list: string | readonly ListEntry[]
  /** Lists of the pictures for val_db and test_db, if they are not to be taken from `list`. */
  readonly valList?: string | readonly ListEntry[]
  readonly testList?: string | readonly ListEntry[]
  /** Folder that paths are relative to; default: that of each list, of arrays the working directory. */
  readonly root?: string
}

/** A line of a list. */
export interface ListEntry {
  readonly path: string
  readonly label: string | number
}

interface Line extends ListEntry {
  readonly place: string
  readonly full: string
  readonly set: SetName | undefined
}

export async function listPictures(source: ListSource, { classes: known }: FindOptions): Promise<Found> {
  if (!isNode) throw new RistrettoError('makeDataset: lists name files, and there is no file system here: give items')
  const { dirname, join, isAbsolute } = await importNode('node:path')
  const lines: Line[] = []
  const add = async (list: ListSource['list'], set?: SetName) => {
    const root = source.root ?? (typeof list === 'string' ? dirname(list) : '.')
    for (const line of await linesOf(list))
      lines.push({ ...line, set, full: isAbsolute(line.path) ? line.path : join(root, line.path) })
  }
  await add(source.list, source.valList || source.testList ? 'train' : undefined)
  if (source.valList) await add(source.valList, 'val')
  if (source.testList) await add(source.testList, 'test')
  const name = typeof source.list === 'string' ? source.list : 'the list'
  const labels = lines.map(({ label, place }): WrittenLabel => ({ text: label, place }))
  const { classes, numbers } = labelNumbers(labels, name, known)
  const leftOut: LeftOut[] = []
  const candidates: Candidate[] = []
  const seen = new Map<string, number>()
  lines.forEach(({ path, full, place, set }, i) => {
    const before = seen.get(full)
    if (before === undefined) {
      seen.set(full, i)
      candidates.push({ file: path, place, label: numbers[i], set, source: { kind: 'path', path: full } })
    } else if (numbers[before] !== numbers[i])
      throw new FormatError(`${place}: this picture has another label at ${labels[before].place}`)
    else leftOut.push({ file: path, reason: `it is named twice: ${labels[before].place}, ${place}` })
  })
  return { classes, candidates, leftOut }
}

async function linesOf(list: ListSource['list']): Promise<(ListEntry & { place: string })[]> {
  const entries =
    typeof list === 'string'
      ? parseTable(await createFiles().text(list), list)
      : list.map((entry: Partial<ListEntry> | null, i) => {
          const { path, label } = entry ?? {}
          if (typeof path === 'string' && (typeof label === 'string' || typeof label === 'number'))
            return { path, label, place: `entry ${i}` }
          throw new RistrettoError(
            `makeDataset: entry ${i} of the list is not { path, label }, a text and a text or number`,
          )
        })
  if (!entries.length) throw new FormatError(`${typeof list === 'string' ? list : 'the list'}: it names no pictures`)
  return entries
}
