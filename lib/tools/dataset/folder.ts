import { RistrettoError, systemError } from '../../errors.js'
import { importNode } from '../../system/nodejs.js'
import { kindOf } from '../../system/read_file.js'
import type { FindOptions, Found, LeftOut } from './candidates.js'
import { classFolders, type FileBelow } from './class_folders.js'

/** A folder that holds a folder of pictures for each class. */
export interface FolderSource {
  readonly folder: string
  /** Follow symbolic links, which are left out otherwise. */
  readonly followLinks?: boolean
}

/** The pictures below a folder, in the order of their paths. Symbolic links are left out unless they are to be followed. */
export async function folderPictures(
  { folder, followLinks = false }: FolderSource,
  { classes }: FindOptions,
): Promise<Found> {
  const { readdir, realpath, stat } = await importNode('node:fs/promises')
  const { join } = await importNode('node:path')
  const files: FileBelow[] = []
  const folders: string[] = []
  const leftOut: LeftOut[] = []
  /** @param parents real paths of the folders on the way, so that links do not lead in circles */
  const walk = async (path: string, below: string, parents: readonly string[]): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true })
    for (const entry of entries) {
      const { name } = entry
      const file = below ? `${below}/${name}` : name
      const full = join(path, name)
      const out = (reason: string) => leftOut.push({ file, reason })
      try {
        if (entry.isSymbolicLink() && !followLinks) {
          out('it is a symbolic link, which is not followed unless asked for')
          continue
        }
        const kind = entry.isSymbolicLink() ? await stat(full) : entry
        if (kind.isFile()) files.push({ path: file, source: { kind: 'path', path: full } })
        else if (!kind.isDirectory()) out(`it is ${kindOf(kind)}`)
        else {
          const real = followLinks ? await realpath(full) : full
          if (parents.includes(real)) out('this link leads back to a folder that it lies in')
          else {
            folders.push(file)
            await walk(full, file, [...parents, real])
          }
        }
      } catch (error) {
        out(`cannot read it: ${(error as Error).message}`)
      }
    }
  }
  try {
    await walk(folder, '', [await realpath(folder)])
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new RistrettoError(`folder not found: '${folder}'`, { cause: error })
    throw systemError(`cannot read '${folder}'`, error)
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return classFolders(files, folders.sort(), folder, classes, leftOut)
}
