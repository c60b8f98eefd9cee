import type { ByteSource } from '../../data/byte_source.js'
import type { Sink } from '../../data/sink.js'
import { StudioError } from '../api/index.js'

/**
 * The files of a project: a folder, the private files of a browser, or memory. Paths are relative to the project, with
 * slashes: `jobs/20261129-0131-k7f3/job.json`; see `checkPath`. Folders come with their first file.
 */
export interface Store {
  /** The bytes from `from` on (default 0) to the end, `most` of them; undefined where there is no such file. */
  read(path: string, from?: number, most?: number): Promise<Uint8Array | undefined>
  /** Bytes of a file; undefined where there is none. */
  size(path: string): Promise<number | undefined>
  /** The whole file at once: who reads it sees the old one or the new one. */
  write(path: string, contents: Uint8Array | string): Promise<void>
  /** A file that lines are added to; only one at a time has it. */
  appender(path: string): Promise<Appender>
  /** Random access, without holding the file in memory. Throws where there is none. */
  open(path: string): Promise<ByteSource>
  /** A new file of any size, which is not there until it is finished. */
  sink(path: string): Promise<Sink>
  /** What is in a folder, in no order; nothing where there is none. */
  list(path: string): Promise<StoreEntry[]>
  /** A file, or a folder with all that is in it; nothing happens where there is none. */
  remove(path: string): Promise<void>
  /** Where it lies in the file system of this machine; undefined where there is none. */
  location(path: string): string | undefined
}

export interface StoreEntry {
  readonly name: string
  readonly folder: boolean
  /** Of a file. */
  readonly bytes: number
}

/** Adds to the end of a file. What was added stays if the program is killed right after. */
export interface Appender {
  append(text: string): void
  close(): void
}

/** Throws unless it is a path within the project: names between single slashes, none of them `.` or `..`. */
export function checkPath(path: string): string {
  const bad = path.split('/').some(name => name === '' || name === '.' || name === '..' || /[\\\p{Cc}]/u.test(name))
  if (bad || /^[a-z]:/i.test(path)) throw new StudioError(`'${path}' is no path within the project`, 400)
  return path
}

/** A file of text; undefined where there is none. */
export async function readText(store: Store, path: string): Promise<string | undefined> {
  const bytes = await store.read(path)
  return bytes && new TextDecoder().decode(bytes)
}

/** A file of JSON, as it is: who asks knows who wrote it. Undefined where there is none or it is not whole. */
export async function readJson<T>(store: Store, path: string): Promise<T | undefined> {
  const text = await readText(store, path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

export const writeJson = (store: Store, path: string, value: unknown): Promise<void> =>
  store.write(path, `${JSON.stringify(value, undefined, 1)}\n`)

/** Every file below a folder, its path relative to that folder. */
export async function listAll(store: Store, folder: string): Promise<{ path: string; bytes: number }[]> {
  const found: { path: string; bytes: number }[] = []
  const walk = async (prefix: string): Promise<void> => {
    const entries = await store.list(prefix ? `${folder}/${prefix}` : folder)
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name, folder: isFolder, bytes } of entries) {
      const path = prefix ? `${prefix}/${name}` : name
      if (isFolder) await walk(path)
      else found.push({ path, bytes })
    }
  }
  await walk('')
  return found
}
