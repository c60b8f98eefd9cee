import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { lstat, open, readdir, realpath, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileSource } from '../../data/byte_source.js'
import { fileSink } from '../../data/sink.js'
import { makeFolder } from '../../system/make_folder.js'
import { writeFileSafely } from '../../system/write_file.js'
import { StudioError } from '../api/index.js'
import { checkPath, type Store } from '../core/store.js'

const missing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}

/** A project in a folder. Symbolic links in it are not followed: what they lead to is not the project's. */
export function nodeStore(root: string): Store {
  const folder = resolve(root)
  const location = (path: string) => join(folder, ...checkPath(path).split('/'))
  /** Of a file or folder that is there and is reached without links. */
  const found = async (path: string) => {
    const at = location(path)
    const stats = await lstat(at).catch(missing)
    if (!stats) return undefined
    const real = await realpath(dirname(at)).catch(missing)
    const expected = dirname(at)
    if (stats.isSymbolicLink() || (real !== expected && real !== (await inRealRoot(folder, expected))))
      throw new StudioError(`'${path}' is reached by a symbolic link, which is not followed`, 403)
    return { at, stats }
  }
  const file = async (path: string) => {
    const it = await found(path)
    return it?.stats.isFile() ? it : undefined
  }
  return {
    location,
    async read(path, from = 0, most = Number.MAX_SAFE_INTEGER) {
      const it = await file(path)
      if (!it) return undefined
      const handle = await open(it.at, READ).catch(missing)
      if (!handle) return undefined
      try {
        const { size } = await handle.stat()
        const bytes = new Uint8Array(Math.min(most, Math.max(0, size - from)))
        let done = 0
        while (done < bytes.length) {
          const { bytesRead } = await handle.read(bytes, done, bytes.length - done, from + done)
          if (!bytesRead) break
          done += bytesRead
        }
        return bytes.subarray(0, done)
      } finally {
        await handle.close()
      }
    },
    size: async path => (await file(path))?.stats.size,
    async write(path, contents) {
      await found(path)
      await writeFileSafely(
        location(path),
        typeof contents === 'string' ? new TextEncoder().encode(contents) : contents,
      )
    },
    async appender(path) {
      await found(path)
      await attempt(path, () => makeFolder(dirname(location(path))))
      // one write a line: what was written is the system's, whatever becomes of this program
      const handle = await attempt(path, async () => openToAppend(location(path)))
      let closed = false
      return {
        append(text) {
          const bytes = Buffer.from(text)
          try {
            for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done)
          } catch (error) {
            throw told(path, error)
          }
        },
        close() {
          if (!closed) closeSync(handle)
          closed = true
        },
      }
    },
    async open(path) {
      const it = await file(path)
      if (!it) throw new StudioError(`there is no file '${path}' in the project`, 404)
      return fileSource(it.at)
    },
    async sink(path) {
      await found(path)
      await attempt(path, () => makeFolder(dirname(location(path))))
      return fileSink(location(path))
    },
    async list(path) {
      const it = await found(path)
      if (!it?.stats.isDirectory()) return []
      const entries = await readdir(it.at, { withFileTypes: true })
      const listed = await Promise.all(
        entries
          // what is being written has a temporary name beside its own
          .filter(entry => (entry.isFile() || entry.isDirectory()) && !/\.tmp-\d+/.test(entry.name))
          .map(async entry => {
            if (entry.isDirectory()) return { name: entry.name, folder: true, bytes: 0 }
            const stats = await lstat(join(it.at, entry.name)).catch(missing)
            return stats && { name: entry.name, folder: false, bytes: stats.size }
          }),
      )
      return listed.filter(entry => entry !== undefined)
    },
    async remove(path) {
      const parent = path.includes('/') && (await found(path.slice(0, path.lastIndexOf('/'))))
      if (parent === undefined) return
      await attempt(path, () => rm(location(path), { recursive: true, force: true }))
    },
  }
}

/** Not where a link leads that came just now. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)

/** What the system refuses (no room left, a folder that may only be read) says which file it was. */
const told = (path: string, error: unknown): StudioError =>
  new StudioError(`cannot write '${path}': ${(error as Error).message}`, 500)

const attempt = <T>(path: string, call: () => Promise<T>): Promise<T> =>
  call().catch(error => {
    throw told(path, error)
  })

/** Open a file to add to its end; not where a link leads: jobs write where this is, and may have put one there. */
export const openToAppend = (path: string): number =>
  openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0))

/** The same place by the real path of the project's folder, to which a link may lead. */
async function inRealRoot(root: string, path: string): Promise<string | undefined> {
  const real = await realpath(root).catch(missing)
  if (real === undefined) return undefined
  return path === root ? real : path.startsWith(root + sep) ? join(real, path.slice(root.length + 1)) : undefined
}

/** A name for the project. */
export const projectName = (root: string): string => basename(resolve(root))
