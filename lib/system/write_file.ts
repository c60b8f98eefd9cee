import { EngineError, RistrettoError, systemError } from '../errors.js'
import { makeFolder } from './make_folder.js'
import { importNode, isNode } from './nodejs.js'
import { kindOf } from './read_file.js'

/** How a file is written. */
export interface WriteOptions {
  /**
   * The folder that the file must lie in, links followed: for paths that a prototxt names. Left out, the path is the
   * program's own, and a symbolic link to a file is followed.
   */
  below?: string
}

/** What is written where. */
export type FileContents = readonly [path: string, bytes: Uint8Array]

/**
 * Write a file so that a crash leaves the old one whole: temporary name in the same folder, flushed, renamed. Folders on
 * the way are made. Only regular files are replaced; the rejection is a RistrettoError that names the file.
 */
export const writeFileSafely = (path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> =>
  writeFilesSafely([[path, bytes]], options)

/**
 * The same for files that belong together: all are whole under their temporary names before the first is renamed, and of
 * two programs that write the same ones, each renames all of its own or waits for the other.
 */
export async function writeFilesSafely(contents: readonly FileContents[], options: WriteOptions = {}): Promise<void> {
  const { open, rename, rm, rmdir } = await importNode('node:fs/promises')
  const { dirname } = await importNode('node:path')
  const written: { path: string; target: string; temporary: string }[] = []
  const made: { first: string; last: string }[] = []
  let now = ''
  try {
    for (const [path, bytes] of contents) {
      now = path
      const target = await writeTarget(path, options)
      const temporary = temporaryName(target.path)
      const last = dirname(target.path)
      const first = await makeFolder(last)
      if (first !== undefined) made.push({ first, last })
      await removeLeftovers(target.path)
      written.push({ path, target: target.path, temporary })
      const file = await open(temporary, 'wx', target.mode)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
    }
    const rest = async () => {
      for (const { path, target, temporary } of written) {
        now = path
        await rename(temporary, target)
      }
    }
    await (written.length > 1 ? whileLocked(`${written[0].target}.lock`, rest) : rest())
  } catch (error) {
    for (const { temporary } of written) await rm(temporary, { force: true }).catch(() => {})
    // folders that were made for them, as far as nothing else is in them
    for (const { first, last } of made.reverse())
      for (let folder = last; folder.length >= first.length; folder = dirname(folder))
        await rmdir(folder).catch(() => {})
    throw error instanceof RistrettoError ? error : systemError(`cannot write '${now}'`, error)
  }
}

/** Renaming takes no time: who still has the lock after so many milliseconds was killed. */
const STALE = 5000

/** Run a task that takes no time, such as renaming, while no other program holds the lock of that path. */
export async function whileLocked<T>(path: string, task: () => Promise<T>): Promise<T> {
  const unlock = await lock(path)
  try {
    return await task()
  } finally {
    await unlock()
  }
}

/** Make a folder that only one program can make; resolves to what removes it. */
async function lock(path: string): Promise<() => Promise<void>> {
  const { mkdir, rmdir, stat } = await importNode('node:fs/promises')
  const remove = () => rmdir(path).catch(() => {})
  for (;;) {
    try {
      await mkdir(path)
      return remove
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const made = (await stat(path).catch(ifMissing))?.mtimeMs
    if (made !== undefined && Date.now() - made > STALE) await remove()
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** The file that a write to `path` replaces or makes, and its mode if it is there. Rejects where there must be none. */
export async function writeTarget(
  path: string,
  { below }: WriteOptions = {},
): Promise<{ path: string; mode: number | undefined }> {
  if (!isNode)
    throw new EngineError(
      `cannot write '${path}': there is no file system here; use toBytes() or snapshot() without a prefix`,
    )
  const { lstat, realpath, stat } = await importNode('node:fs/promises')
  const { resolve } = await importNode('node:path')
  const refuse = (why: string): never => {
    throw new RistrettoError(`cannot write '${path}': ${why}`)
  }
  try {
    let target = resolve(path)
    if (below !== undefined) await mustLieIn(target, resolve(below), refuse)
    let found = await lstat(target).catch(ifMissing)
    if (found?.isSymbolicLink()) {
      if (below !== undefined) refuse('it is a symbolic link, which a net does not write through')
      target = await realpath(target).catch((error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? refuse('it is a symbolic link to a file that does not exist') : Promise.reject(error),
      )
      found = await stat(target)
    }
    if (found && !found.isFile()) refuse(`it is ${kindOf(found)}; only files are written`)
    return { path: target, mode: found && found.mode & 0o777 }
  } catch (error) {
    throw error instanceof RistrettoError ? error : systemError(`cannot write '${path}'`, error)
  }
}

/** Rejects if `target`, links on the way to it followed, is outside the folder `root`. */
async function mustLieIn(target: string, root: string, refuse: (why: string) => never): Promise<void> {
  const { realpath } = await importNode('node:fs/promises')
  const { basename, dirname, join, relative, isAbsolute, sep } = await importNode('node:path')
  const real = async (path: string): Promise<string> =>
    (await realpath(path).catch(ifMissing)) ??
    (dirname(path) === path ? path : join(await real(dirname(path)), basename(path)))
  const way = relative(await real(root), join(await real(dirname(target)), basename(target)))
  if (way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
    refuse(`it lies outside '${root}'; the option outputs says where a net may write`)
}

/** A file on the way to it is no folder to look into: making it says so. */
const ifMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}

/** Tells writes apart that overlap, also those of the threads of one process. */
let writes = 0
const thread = Math.floor(Math.random() * 2 ** 32).toString(36)

/** A name beside `path` for what is not whole yet. It says whose it is: removeLeftovers looks for it. */
export const temporaryName = (path: string): string => `${path}.tmp-${process.pid}-${thread}-${++writes}`

/**
 * Remove what processes that have ended (killed, out of power) left of a write of `path`.
 * @param folders it is written as a folder
 */
export async function removeLeftovers(path: string, folders = false): Promise<void> {
  const { rm } = await importNode('node:fs/promises')
  for (const left of await leftovers(path, folders)) await rm(left, { force: true, recursive: folders })
}

/** The paths of these. */
export async function leftovers(path: string, folders: boolean): Promise<string[]> {
  const { readdir, stat } = await importNode('node:fs/promises')
  const { basename, dirname, join } = await importNode('node:path')
  const all: string[] = []
  const folder = dirname(path)
  const start = `${basename(path)}.tmp-`
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const { name } = entry
    const owner = name.startsWith(start) ? /^(\d+)(?:-\w+)*$/.exec(name.slice(start.length)) : undefined
    if (!owner || entry.isDirectory() !== folders) continue
    const file = join(folder, name)
    const pid = Number(owner[1])
    // in a container every process has the same number: what is older than this one is nobody's
    const began = Date.now() - process.uptime() * 1000
    const left =
      pid === process.pid ? ((await stat(file).catch(ifMissing))?.mtimeMs ?? began) < began - 1000 : !runs(pid)
    if (left) all.push(file)
  }
  return all
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
