import { FormatError } from '../../errors.js'
import type { Candidate, Found, LeftOut, PictureSource, SetName } from './candidates.js'
import { classNumbers } from './classes.js'

/** A file below a folder or in a zip: its path with slashes, and how to get at it. */
export interface FileBelow {
  readonly path: string
  readonly source: PictureSource
}

/** By what they are called; whether it can be read, a file itself says. */
const PICTURE = /\.(png|jpe?g|jpe|jfif|gif|bmp|webp)$/i

/** Folder names of sets, as people split them beforehand. */
const SETS = new Map<string, SetName>([
  ['train', 'train'],
  ['training', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
])
const setOf = (folder: string): SetName | undefined => SETS.get(folder.toLowerCase())

interface Kept {
  readonly file: FileBelow
  readonly parts: readonly string[]
}

/**
 * Folders as classes: the first folder of a path is the class, whatever lies between it and the picture. A folder around
 * all of these is passed by; folders called train, val and test are the sets, with the classes in them. Hidden files, and
 * files that are not called pictures, are left out.
 * @param folders paths of all folders, so that empty classes are told
 * @param before what is left out already
 */
export function classFolders(
  files: readonly FileBelow[],
  folders: readonly string[],
  name: string,
  known: readonly string[] | undefined,
  before: readonly LeftOut[],
): Found {
  const leftOut: LeftOut[] = [...before]
  const kept: Kept[] = []
  for (const file of files) {
    const parts = file.path.split('/')
    if (isHidden(parts)) leftOut.push({ file: file.path, reason: 'it is hidden' })
    else if (PICTURE.test(file.path)) kept.push({ file, parts })
    else
      leftOut.push({
        file: file.path,
        reason: 'its name does not end as that of a picture (.png, .jpg, .jpeg, .gif, .bmp, .webp)',
      })
  }
  const around = wrapping(kept)
  const sets = isSplit(new Set(kept.flatMap(({ parts }) => parts.slice(around, -1).slice(0, 1))))
  const depth = around + (sets ? 1 : 0)
  const inClass = kept.filter(({ file, parts }) => {
    if (parts.length > depth + 1) return true
    leftOut.push({ file: file.path, reason: 'it does not lie in the folder of a class' })
    return false
  })
  if (!inClass.length) throw new FormatError(`${name}: ${nothing(kept.length, leftOut)}`)
  const { classes, numberOf } = classNumbers(
    inClass.map(({ parts }) => parts[depth]),
    name,
    known,
  )
  for (const folder of folders) {
    const parts = folder.split('/')
    if (parts.length === depth + 1 && !isHidden(parts) && !numberOf.has(parts[depth]))
      leftOut.push({ file: `${folder}/`, reason: 'this folder of a class holds no pictures' })
  }
  const candidates = inClass.map(
    ({ file, parts }): Candidate => ({
      file: file.path,
      label: numberOf.get(parts[depth])!,
      set: sets ? setOf(parts[around]) : undefined,
      source: file.source,
    }),
  )
  const notes = around ? [`the classes are the folders in '${inClass[0].parts.slice(0, around).join('/')}'`] : []
  return { classes, candidates, leftOut, notes }
}

/** Names that begin with a dot, and what systems leave in folders. */
const isHidden = (parts: readonly string[]): boolean =>
  parts.some(part => /^(\.|(__MACOSX|Thumbs\.db|desktop\.ini)$)/i.test(part))

/** How many folders, one in the other, hold all pictures and none directly: a zip often has one. */
function wrapping(kept: readonly Kept[]): number {
  if (!kept.length) return 0
  for (let depth = 0; ; depth++) {
    const only = kept[0].parts[depth]
    if (kept.some(({ parts }) => parts.length < depth + 3 || parts[depth] !== only)) return depth
  }
}

const isSplit = (folders: ReadonlySet<string>): boolean => {
  const sets = new Set([...folders].map(setOf))
  return sets.has('train') && !sets.has(undefined) && folders.size > 1 && sets.size === folders.size
}

function nothing(pictures: number, leftOut: readonly LeftOut[]): string {
  if (pictures)
    return `it holds ${pictures} ${pictures === 1 ? 'picture' : 'pictures'}, but no folders of classes: make one for each class, as in cats/1.jpg, dogs/1.jpg`
  const [first] = leftOut
  const others = leftOut.length > 1 ? ` (and ${leftOut.length - 1} more)` : ''
  return `it holds no pictures${first ? ` that are read: '${first.file}'${others}: ${first.reason}` : ''}; a dataset is made of a folder for each class, with PNG or JPEG files in it`
}
