import { type ByteSource, blobSource } from '../../data/byte_source.js'
import type { Sink } from '../../data/sink.js'
import { StudioError } from '../api/index.js'
import { type Appender, checkPath, type Store, type StoreEntry } from '../core/store.js'
import type { FileHandle, FolderHandle, SyncAccessHandle } from './opfs_handles.js'

/** Files that are being written lie here until they are whole. */
const UNFINISHED = '.unfinished'

/**
 * A project in the private files of an origin, in a worker: only there files are written without waiting. Several workers may
 * have one each; a file that one of them writes is read by all others meanwhile.
 */
export function opfsStore(root: FolderHandle): Store {
  const file = (path: string): Promise<File | undefined> =>
    find(root, checkPath(path), async parent => (await parent.folder.getFileHandle(parent.name)).getFile())
  const written = async (path: string): Promise<Unfinished> => {
    checkPath(path)
    return attempt(path, () => Unfinished.create(root, path))
  }
  return {
    location: () => undefined,
    async read(path, from = 0, most = Number.MAX_SAFE_INTEGER) {
      for (let tries = 1; ; tries++) {
        const found = await file(path)
        if (!found) return undefined
        try {
          return new Uint8Array(await found.slice(from, from + most).arrayBuffer())
        } catch (error) {
          // replaced or removed just now
          if (!isGone(error) || tries === TRIES) throw told(path, error)
        }
      }
    },
    size: async path => (await file(path))?.size,
    async write(path, contents) {
      const unfinished = await written(path)
      try {
        unfinished.put(0, typeof contents === 'string' ? new TextEncoder().encode(contents) : contents)
        await unfinished.finish()
      } catch (error) {
        await unfinished.forget()
        throw error
      }
    },
    async appender(path) {
      checkPath(path)
      return attempt(path, async () => {
        const parent = await folderOf(root, path, true)
        const at = await parent.folder.getFileHandle(parent.name, { create: true })
        return appenderOf(path, await patient(() => at.createSyncAccessHandle()))
      })
    },
    async open(path): Promise<ByteSource> {
      const found = await file(path)
      if (!found) throw new StudioError(`there is no file '${path}' in the project`, 404)
      return ahead(blobSource(found, path))
    },
    async sink(path): Promise<Sink> {
      const unfinished = await written(path)
      return {
        write: (position, bytes) => unfinished.put(position, bytes),
        async finish() {
          await unfinished.finish()
          return undefined
        },
        abort: () => void unfinished.forget(),
      }
    },
    async list(path) {
      const listed = await find(root, checkPath(path), async parent => {
        const folder = await parent.folder.getDirectoryHandle(parent.name)
        const entries: (StoreEntry | undefined)[] = []
        for await (const entry of folder.values()) entries.push(await entryOf(entry))
        return entries
      })
      return (listed ?? []).filter(entry => entry !== undefined)
    },
    async remove(path) {
      checkPath(path)
      await find(root, path, parent => patient(() => parent.folder.removeEntry(parent.name, { recursive: true })))
    },
  }
}

/** Remove what others left that were ended while they wrote: nobody writes just now. */
export async function removeUnfinished(root: FolderHandle): Promise<void> {
  await root.removeEntry(UNFINISHED, { recursive: true }).catch(error => {
    if (!isMissing(error)) throw error
  })
}

/** The file itself, for a page that downloads it. */
export async function opfsFile(root: FolderHandle, path: string): Promise<File> {
  const at = await find(root, checkPath(path), parent => parent.folder.getFileHandle(parent.name))
  if (!at) throw new StudioError(`there is no file '${path}' in the project`, 404)
  return at.getFile()
}

/** A file that is there under its own name once it is whole. */
class Unfinished {
  private constructor(
    private readonly root: FolderHandle,
    private readonly path: string,
    private readonly folder: FolderHandle,
    private readonly at: FileHandle,
    private readonly handle: SyncAccessHandle,
  ) {}

  static async create(root: FolderHandle, path: string): Promise<Unfinished> {
    const folder = await root.getDirectoryHandle(UNFINISHED, { create: true })
    const at = await folder.getFileHandle(crypto.randomUUID(), { create: true })
    return new Unfinished(root, path, folder, at, await at.createSyncAccessHandle())
  }

  put(position: number, bytes: Uint8Array): void {
    writeAll(this.path, this.handle, bytes, position)
  }

  finish(): Promise<void> {
    return attempt(this.path, async () => {
      this.handle.flush()
      this.handle.close()
      const parent = await folderOf(this.root, this.path, true)
      await patient(() => this.at.move(parent.folder, parent.name))
    })
  }

  /** Called after something went wrong, which is what is told. */
  async forget(): Promise<void> {
    this.handle.close()
    await this.folder.removeEntry(this.at.name).catch(() => {})
  }
}

function appenderOf(path: string, handle: SyncAccessHandle): Appender {
  let end = handle.getSize()
  let open = true
  return {
    append(text) {
      const bytes = new TextEncoder().encode(text)
      writeAll(path, handle, bytes, end)
      end += bytes.length
    },
    close() {
      if (open) handle.close()
      open = false
    },
  }
}

function writeAll(path: string, handle: SyncAccessHandle, given: Uint8Array, position: number): void {
  // what threads share cannot be written
  const bytes =
    typeof SharedArrayBuffer !== 'undefined' && given.buffer instanceof SharedArrayBuffer ? given.slice() : given
  try {
    for (let done = 0; done < bytes.length; ) {
      const wrote = handle.write(bytes.subarray(done), { at: position + done })
      if (!wrote) throw new DOMException('nothing was written', 'QuotaExceededError')
      done += wrote
    }
  } catch (error) {
    throw told(path, error)
  }
}

/** Bytes read at once by who reads on: each read costs a message to the browser. */
const WINDOW = 256 * 1024

/** A source that reads ahead. */
function ahead(source: ByteSource): ByteSource {
  let start = 0
  let bytes: Uint8Array = new Uint8Array(0)
  return {
    ...source,
    read(offset, length) {
      const end = start + bytes.length
      if (offset < start || offset + length > end) {
        // who jumps gets just what was asked for
        const goesOn = offset >= start && offset <= end + WINDOW
        const wanted = goesOn ? Math.max(length, Math.min(WINDOW, source.size - offset)) : length
        bytes = source.read(offset, wanted)
        start = offset
      }
      return bytes.subarray(offset - start, offset - start + length)
    },
  }
}

/** Undefined where it was removed just now. */
async function entryOf(entry: FileHandle | FolderHandle): Promise<StoreEntry | undefined> {
  const { name } = entry
  if (entry.kind === 'directory') return { name, folder: true, bytes: 0 }
  try {
    return { name, folder: false, bytes: (await entry.getFile()).size }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

interface Place {
  readonly folder: FolderHandle
  readonly name: string
}

async function folderOf(root: FolderHandle, path: string, create: boolean): Promise<Place> {
  const names = path.split('/')
  const name = names.pop()!
  let folder = root
  for (const inner of names) folder = await folder.getDirectoryHandle(inner, { create })
  return { folder, name }
}

/** What is there; undefined where there is nothing, or something of the other kind. */
async function find<T>(root: FolderHandle, path: string, look: (place: Place) => Promise<T>): Promise<T | undefined> {
  try {
    return await look(await folderOf(root, path, false))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw told(path, error)
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === 'NotFoundError' || error.name === 'TypeMismatchError')

const isGone = (error: unknown): boolean =>
  isMissing(error) || (error instanceof DOMException && error.name === 'NotReadableError')

/** How long a file is waited for that somebody else has, such as a worker that was just ended: tries, and milliseconds. */
const TRIES = 100
const PAUSE = 50

async function patient<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const busy = error instanceof DOMException && error.name === 'NoModificationAllowedError'
      if (!busy || tries === TRIES) throw error
      await new Promise(resolve => setTimeout(resolve, PAUSE))
    }
  }
}

async function attempt<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw told(path, error)
  }
}

/** An error of the browser as one of ours. */
function told(path: string, error: unknown): unknown {
  if (!(error instanceof DOMException)) return error
  if (error.name === 'QuotaExceededError')
    return new StudioError(
      `'${path}' cannot be written: the browser gives this site no more room. Delete jobs, or save the project and clear it.`,
      413,
    )
  if (error.name === 'NoModificationAllowedError')
    return new StudioError(`'${path}' cannot be written: something else has it open`, 409)
  return new StudioError(`'${path}': ${error.message || error.name}`, 500)
}
