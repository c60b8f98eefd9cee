import { FormatError, RistrettoError, systemError } from '../errors.js'
import { importNode } from './nodejs.js'

/** What may stand wherever a file is wanted: a path, a URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array

/** What an error calls it. */
export const fileName = (source: FileSource): string =>
  source instanceof Uint8Array ? 'the given bytes' : String(source)

/** Whether it stands for a file, and is not the parsed message itself. */
export const isFileSource = (source: unknown): source is FileSource =>
  typeof source === 'string' || source instanceof URL || source instanceof Uint8Array

/**
 * Reads the files that prototxts name. Paths are relative to the working directory, failing that to the file that names
 * them.
 */
export interface Files {
  /** The bytes of a file. */
  read(source: FileSource): Promise<Uint8Array>
  /** Whether `bytes` came from `read` and nobody but its caller has them, so that they may be changed. */
  isOwn(bytes: Uint8Array): boolean
  /**
   * A path that exists in the file system, or undefined where there is none (bytes, a URL, a browser, the `files`
   * option).
   */
  locate(path: string): Promise<string | undefined>
  /** The same reader, for paths named inside the file `source`. */
  near(source: FileSource): Files
}

/** Resolves the paths inside a prototxt to bytes; undefined means "no such file". */
export type FileReader = (path: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>

export const isNode = typeof process !== 'undefined' && !!process.versions?.node

/** @param reader answers for every path before the file system does, so that a program runs unchanged in a browser. */
export function createFiles(reader?: FileReader, base?: string): Files {
  const files: Files = {
    async read(source) {
      if (source instanceof Uint8Array) return source
      const name = source instanceof URL ? source.href : source
      const given = await reader?.(name)
      if (given) return given
      const path = await files.locate(name)
      if (path !== undefined) {
        const bytes = await readWhole(path).catch(error => {
          throw systemError(`cannot read '${path}'`, error)
        })
        own.add(bytes)
        return bytes
      }
      const url = asUrl(name, base)
      if (url) return fetchBytes(url)
      throw notFound(name, base, reader !== undefined)
    },
    isOwn: bytes => own.has(bytes),
    async locate(path) {
      if (!isNode || (/^[a-z][a-z0-9+.-]+:/i.test(path) && !path.startsWith('file:'))) return undefined
      const { resolve, dirname } = await importNode('node:path')
      const { access } = await importNode('node:fs/promises')
      const { fileURLToPath } = await importNode('node:url')
      const local = path.startsWith('file:') ? fileURLToPath(path) : path
      const tries = [resolve(local), ...(base && !isUrl(base) ? [resolve(dirname(base), local)] : [])]
      for (const candidate of tries) {
        try {
          await access(candidate)
          return candidate
        } catch {}
      }
      return undefined
    },
    near: source => (source instanceof Uint8Array ? files : createFiles(reader, String(source))),
  }
  return files
}

const own = new WeakSet<Uint8Array>()

/** In one piece into memory of its own: Node's readFile goes by half megabytes. */
async function readWhole(path: string): Promise<Uint8Array> {
  const { open } = await importNode('node:fs/promises')
  const file = await open(path)
  try {
    const { size } = await file.stat()
    // what is no regular file does not know its size
    if (size === 0) return new Uint8Array(await file.readFile())
    const bytes = new Uint8Array(size)
    let at = 0
    while (at < size) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, MOST_READ), at)
      if (bytesRead === 0) break
      at += bytesRead
    }
    return bytes.subarray(0, at)
  } finally {
    await file.close()
  }
}

/** The system reads a little less than 2 GiB at a time. */
const MOST_READ = 2 ** 30

const isUrl = (path: string) => /^(https?|blob|data|file):/i.test(path)

function asUrl(path: string, base: string | undefined): string | undefined {
  if (/^(https?|blob|data):/i.test(path)) return path
  if (base && /^https?:/i.test(base)) return new URL(path, base).href
  // in a browser every path is relative to the page
  return typeof location !== 'undefined' && !isNode ? new URL(path, location.href).href : undefined
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const failed = (error: unknown): never => {
    throw systemError(`cannot read ${url}`, error)
  }
  const response = await fetch(url).catch(failed)
  if (!response.ok)
    throw new FormatError(`cannot read ${url}: the server answered ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer().catch(failed))
}

function notFound(path: string, base: string | undefined, asked: boolean): RistrettoError {
  const where = asked
    ? 'the `files` option returned nothing for it'
    : `looked in the working directory${base ? ` and beside ${base}` : ''}`
  return new RistrettoError(`file not found: '${path}' (${where})`)
}
