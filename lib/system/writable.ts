import { systemError } from '../errors.js'
import { importNode } from './nodejs.js'
import { type WriteOptions, writeTarget } from './write_file.js'

/**
 * Reject with a RistrettoError if `path` cannot become a file (or folder) here, by trying: a file of another name is
 * made and removed in the folder, or in the nearest one that exists. For work that would end with a write.
 */
export async function mustBeWritable(path: string, options: WriteOptions = {}): Promise<void> {
  const { open, rm, stat } = await importNode('node:fs/promises')
  const { dirname, join } = await importNode('node:path')
  let folder = dirname((await writeTarget(path, options)).path)
  try {
    for (;;) {
      const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
        if ((error.code === 'ENOENT' || error.code === 'ENOTDIR') && folder !== dirname(folder)) return undefined
        throw error
      })
      if (found?.isDirectory()) break
      if (found) throw Object.assign(new Error(`'${folder}' is a file, not a folder`), { code: 'ENOTDIR' })
      folder = dirname(folder)
    }
    const trial = join(folder, `.ristretto-${process.pid}-${++trials}.tmp`)
    await (await open(trial, 'wx')).close()
    await rm(trial, { force: true })
  } catch (error) {
    throw systemError(`cannot write '${path}'`, error)
  }
}

let trials = 0
