import { FormatError, RistrettoError, systemError } from '../errors.js'
import { mustTake } from './arguments.js'
import type { ByteSource } from './byte_source.js'
import { aFlag, aLimit, checkOptions, checkValues, type OptionRules } from './check_options.js'
import { importNode, isNode } from './nodejs.js'
import { MAX_FILE, mustFit, readFile, readPieces, textFrom } from './read_file.js'
import type { FileContents } from './write_file.js'

/** What may stand wherever a file is wanted: a path, a URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array

/** What an error calls it. */
export const fileName = (source: FileSource): string =>
  source instanceof Uint8Array ? 'the given bytes' : String(source)

/** Whether it stands for a file, and is not the parsed message itself. */
export const isFileSource = (source: unknown): source is FileSource =>
  typeof source === 'string' || source instanceof URL || source instanceof Uint8Array

/**
 * Reads the files that prototxts name, and writes those. Paths are relative to the working directory, failing that to
 * the file that names them.
 */
export interface Files {
  /** The bytes of a file. */
  read(source: FileSource): Promise<Uint8Array>
  /** The text of a file. */
  text(source: FileSource): Promise<string>
  /** Whether `bytes` came from `read` and nobody but its caller has them, so that they may be changed. */
  isOwn(bytes: Uint8Array): boolean
  /**
   * A path that exists in the file system, or undefined where there is none (bytes, a URL, a browser, what the `files`
   * option answers).
   */
  locate(path: string): Promise<string | undefined>
  /** Whether the `files` option is given: then it is asked for every file, and nobody may go round it. */
  readonly asks: boolean
  /** Whether the `files` option has this file. */
  answers(path: string): Promise<boolean>
  /** A file of the `files` option that is read piece by piece; undefined where it has none, or no such way. */
  open(path: string): Promise<ByteSource | undefined>
  /** Most bytes of a file. */
  readonly maxFile: number
  /**
   * Write a file that a prototxt names, if that is allowed. `anywhere` is what is allowed where no option says anything:
   * true for what a solver saves, false (below the working directory) for what a net writes.
   */
  write(path: string, bytes: Uint8Array, anywhere?: boolean): Promise<void>
  /** The same for files that belong together: of two programs that write them, each leaves all of its own or none. */
  writeAll(contents: readonly FileContents[], anywhere?: boolean): Promise<void>
  /** Rejects if `write` would not be allowed; with `tried`, also if a file cannot be made there: before the work. */
  mustBeWritable(path: string, options?: { anywhere?: boolean; tried?: boolean }): Promise<void>
  /** The same reader, for paths named inside the file `source`. */
  near(source: FileSource): Files
}

/** Resolves the paths inside a prototxt to bytes; undefined means "no such file". */
export type FileReader = (path: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>

/** Opens the files that are read piece by piece, such as databases; undefined means "no such file". */
export type FileOpener = (path: string) => ByteSource | undefined | Promise<ByteSource | undefined>

/** Takes the files that a net or solver writes. */
export type FileWriter = (path: string, bytes: Uint8Array) => void | Promise<void>

/** How files are read and written. */
export interface FileOptions {
  /**
   * Answers for the files named in prototxts before the file system does: a function that reads, or an object that may
   * also take what is written, and open what need not be in memory as a whole: an LMDB. false: nothing is read from the file system or from URLs, so every source is given as
   * bytes. Where it is given, what a net writes goes to its `write` alone, or where `outputs` says.
   */
  files?: FileReader | { read?: FileReader; write?: FileWriter; open?: FileOpener } | false
  /**
   * Where files named in prototxts may be written (HDF5Output, snapshots): below a folder (a relative one is below the
   * working directory of the moment when the net or solver is made), anywhere (true), nowhere (false). Default: a net writes below the working directory, or nowhere if `files` is given; a solver its snapshots
   * anywhere, or nowhere if `files` is an object or false.
   */
  outputs?: string | boolean
  /**
   * Most bytes of a file that is read as a whole, or from a URL. Default: 2 GiB, or `maxMemory` where that is given, but
   * no less than 64 MiB.
   */
  maxFile?: number
  /**
   * Most milliseconds that reading from a URL may take, from the request to the last byte. Default: ten minutes; Infinity
   * is no limit.
   */
  urlTimeout?: number
  /** Read pipes as well as files, until they end; default false. Devices are never read. */
  streams?: boolean
}

export const FILE_RULES: OptionRules<FileOptions> = {
  files: [
    v => v === false || typeof v === 'function' || (typeof v === 'object' && v !== null),
    'a function, { read, write, open } or false',
  ],
  outputs: [v => typeof v === 'boolean' || (typeof v === 'string' && v !== ''), 'a folder, true or false'],
  maxFile: aLimit,
  urlTimeout: aLimit,
  streams: aFlag,
}

/** Where a function takes nothing but how files are read: they are checked, and made. */
export function filesFor(of: string, options: FileOptions): Files {
  checkOptions(of, options, FILE_RULES)
  return createFiles(options)
}

/** @param base the file whose paths are resolved */
export function createFiles(options: FileOptions & { maxMemory?: number } = {}, base?: string): Files {
  checkValues(options, FILE_RULES)
  const { files: given, streams } = options
  // process.chdir moves no folder that was given
  const outputs = typeof options.outputs === 'string' ? absolute(options.outputs) : options.outputs
  const maxFile = options.maxFile ?? Math.min(MAX_FILE, Math.max(options.maxMemory ?? MAX_FILE, SMALL_FILE))
  const door = typeof given === 'function' ? { read: given } : given || {}
  const ask = async (name: string): Promise<Uint8Array | undefined> => {
    const bytes = await door.read?.(name)
    if (bytes === undefined || bytes === null || bytes instanceof Uint8Array) return bytes ?? undefined
    throw new RistrettoError(
      `the option files gave ${typeof bytes} for '${name}'; a Uint8Array is wanted, or undefined where there is no such file`,
    )
  }
  const open = async (name: string): Promise<ByteSource | undefined> => {
    const source = await door.open?.(name)
    if (source === undefined || source === null) return undefined
    if (typeof source.read === 'function' && Number.isSafeInteger(source.size)) return source
    throw new RistrettoError(
      `the option files opened '${name}' as what cannot be read: a ByteSource is wanted, { name, size, read(offset, length), close() }, or undefined where there is no such file`,
    )
  }
  const answers = async (name: string): Promise<boolean> => {
    const source = await open(name)
    source?.close()
    return source !== undefined || (await ask(name)) !== undefined
  }
  /** The folder to stay in, or undefined for anywhere. */
  const allowed = (path: string, anywhere: boolean): string | undefined => {
    const refuse = (why: string): never => {
      throw new RistrettoError(`'${path}' is not written: ${why}`)
    }
    if (outputs === false) refuse('the option outputs is false')
    if (outputs === true) return undefined
    if (typeof outputs === 'string') return outputs
    // who only reads elsewhere still saves what was learned
    if (given !== undefined && !(anywhere && typeof given === 'function'))
      refuse(
        'the option files is given, which covers writing: give it a write function, or say by the option outputs where files may be written',
      )
    return anywhere || !isNode ? undefined : process.cwd()
  }
  const files: Files = {
    maxFile,
    asks: given !== undefined,
    answers,
    open,
    async read(source) {
      if (source instanceof Uint8Array) return source
      mustTake(isFileSource(source), 'a reader', 'a path, a URL or the bytes of a file', source)
      const name = source instanceof URL ? source.href : source
      const answer = await ask(name)
      if (answer) return answer
      const path = await locate(name)
      if (path !== undefined) {
        const bytes = await readFile(path, { maxFile, streams })
        own.add(bytes)
        return bytes
      }
      const url = given === false ? undefined : asUrl(name, base)
      if (url) return fetchBytes(url, maxFile, options.urlTimeout ?? URL_TIMEOUT)
      throw notFound(name, base, given)
    },
    text: async source => textFrom(await files.read(source), fileName(source)),
    isOwn: bytes => own.has(bytes),
    async locate(path) {
      return (await answers(path)) ? undefined : locate(path)
    },
    write: (path, bytes, anywhere) => files.writeAll([[path, bytes]], anywhere),
    async writeAll(contents, anywhere = false) {
      if (door.write && outputs !== false) for (const [path, bytes] of contents) await door.write(path, bytes)
      else {
        const below = contents.map(([path]) => allowed(path, anywhere))[0]
        const { writeFilesSafely } = await import('./write_file.js')
        await writeFilesSafely(contents, { below })
      }
    },
    async mustBeWritable(path, { anywhere = false, tried = false } = {}) {
      if (door.write && outputs !== false) return
      const below = allowed(path, anywhere)
      if (tried) await (await import('./writable.js')).mustBeWritable(path, { below })
      else await (await import('./write_file.js')).writeTarget(path, { below })
    },
    near: source => (source instanceof Uint8Array ? files : createFiles({ ...options, outputs }, String(source))),
  }
  const locate = async (path: string): Promise<string | undefined> => {
    if (given === false || !isNode || (/^[a-z][a-z0-9+.-]+:/i.test(path) && !path.startsWith('file:'))) return undefined
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
  }
  return files
}

const absolute = (folder: string): string => {
  if (!isNode || folder.startsWith('/') || /^[a-z]:[\\/]|^\\\\/i.test(folder)) return folder
  return `${process.cwd()}/${folder}`
}

/** What `maxMemory` does not forbid to read: a net of small blobs may have a large description. */
const SMALL_FILE = 2 ** 26

const own = new WeakSet<Uint8Array>()

const isUrl = (path: string) => /^(https?|blob|data|file):/i.test(path)

function asUrl(path: string, base: string | undefined): string | undefined {
  if (/^(https?|blob|data):/i.test(path)) return path
  if (base && /^https?:/i.test(base)) return new URL(path, base).href
  // in a browser every path is relative to the page
  return typeof location !== 'undefined' && !isNode ? new URL(path, location.href).href : undefined
}

const URL_TIMEOUT = 600_000
/** What timers can count. */
const LONGEST = 2 ** 31 - 1

async function fetchBytes(url: string, maxFile: number, timeout: number): Promise<Uint8Array> {
  const signal = timeout > LONGEST ? undefined : AbortSignal.timeout(Math.ceil(timeout))
  const failed = (error: unknown): never => {
    if (signal?.aborted)
      throw new RistrettoError(
        `cannot read ${url}: it was not there after ${timeout / 1000} s; the option urlTimeout sets another limit`,
        { cause: error },
      )
    throw error instanceof RistrettoError ? error : systemError(`cannot read ${url}`, error)
  }
  const response = await fetch(url, { signal }).catch(failed)
  if (!response.ok)
    throw new FormatError(`cannot read ${url}: the server answered ${response.status} ${response.statusText}`)
  mustFit(url, Number(response.headers.get('content-length') ?? 0), maxFile)
  const reader = response.body?.getReader()
  if (!reader) return new Uint8Array(0)
  try {
    return await readPieces(url, maxFile, reader)
  } catch (error) {
    reader.cancel().catch(() => {})
    return failed(error)
  }
}

function notFound(path: string, base: string | undefined, files: FileOptions['files']): RistrettoError {
  const where =
    files === false
      ? 'the option files is false, so nothing is read but the bytes that are given'
      : files !== undefined
        ? 'the `files` option returned nothing for it'
        : `looked in the working directory${base ? ` and beside ${base}` : ''}`
  return new RistrettoError(`file not found: '${path}' (${where})`)
}
