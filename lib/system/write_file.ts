import { EngineError, systemError } from '../errors.js'
import { isNode } from './files.js'
import { importNode } from './nodejs.js'

/** Tells writes apart that overlap. */
let files = 0

/** Write a file so that a crash leaves the old one whole: temporary name in the same folder, flushed, renamed. */
export async function writeFileSafely(path: string, bytes: Uint8Array): Promise<void> {
  if (!isNode)
    throw new EngineError(
      `cannot write '${path}': there is no file system here; use toBytes() or snapshot() without a prefix`,
    )
  const { open, rename, rm, mkdir } = await importNode('node:fs/promises')
  const { dirname } = await importNode('node:path')
  const temporary = `${path}.${process.pid}.${++files}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw systemError(`cannot write '${path}'`, error)
  }
}
