import { FormatError, RistrettoError, systemError } from '../../errors.js'
import { importNode } from '../../system/nodejs.js'
import { readStart } from '../../system/read_file.js'
import type { IdxSource } from './arrays.js'
import type { FolderSource } from './folder.js'
import type { ListSource } from './lists.js'
import type { ZipSource } from './zip_pictures.js'

/** What stands under a path: a folder, MNIST's files in one, a zip, or a list. */
export async function sourceAt(path: string): Promise<FolderSource | IdxSource | ListSource | ZipSource> {
  const { readdir, stat } = await importNode('node:fs/promises')
  const { join } = await importNode('node:path')
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new RistrettoError(`file or folder not found: '${path}'`, { cause: error })
    throw systemError(`cannot read '${path}'`, error)
  })
  if (found.isDirectory()) {
    const names = await readdir(path)
    return idxIn(names, name => join(path, name)) ?? { folder: path }
  }
  if (/\.(txt|csv|tsv|lst)$/i.test(path)) return { list: path }
  if (!found.isFile()) throw new RistrettoError(`cannot read '${path}': it is neither a file nor a folder`)
  if (!found.size) throw new FormatError(`${path}: it is empty, so it is no dataset's source`)
  const start = (await readStart(path, 4)) ?? new Uint8Array(4)
  // local header, or the end of an empty one
  if (start[0] === 0x50 && start[1] === 0x4b) return { zip: path }
  if (start[0] === 0 && start[1] === 0 && start[2] >= 8 && start[3] >= 1)
    throw new FormatError(`${path}: this is an idx file; give its labels as well, or the folder of both`)
  throw new FormatError(
    `${path}: a dataset is made of a folder of class folders, a zip of such, a list of pictures (.txt, .csv), or idx files`,
  )
}

/** MNIST's files, as they are handed out, gzipped or not. */
function idxIn(names: readonly string[], pathOf: (name: string) => string): IdxSource | undefined {
  const find = (start: string, what: string) => {
    const name = names.find(name => new RegExp(`^${start}[-_.]${what}[-.]idx\\d[-.]ubyte(\\.gz)?$`, 'i').test(name))
    return name && pathOf(name)
  }
  const images = find('train', 'images')
  const labels = find('train', 'labels')
  if (!images || !labels) return undefined
  const testImages = find('(t10k|test)', 'images')
  const testLabels = find('(t10k|test)', 'labels')
  return testImages && testLabels ? { images, labels, testImages, testLabels } : { images, labels }
}
