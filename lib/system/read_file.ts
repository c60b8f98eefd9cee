import type { FileHandle } from 'node:fs/promises'
import { FormatError, RistrettoError, systemError } from '../errors.js'
import { importNode } from './nodejs.js'

/** What may be read as a file. */
export interface ReadOptions {
  /** Most bytes; default MAX_FILE. */
  maxFile?: number
  /** Also read pipes, until they end; else only regular files are read. */
  streams?: boolean
}

/** 2 GiB: no message of Caffe's can be larger. */
export const MAX_FILE = 2 ** 31

/** 256 MiB, as a text: lists of millions of lines. A string of JavaScript has at most twice as many characters. */
export const MAX_TEXT = 2 ** 28

/**
 * A whole regular file, in one piece in memory of its own. Devices, pipes, sockets and folders, and files larger than
 * `maxFile` are a RistrettoError that names the file. What a file system makes up as it is read (/proc) has no size, and
 * is empty here.
 */
export async function readFile(path: string, options: ReadOptions = {}): Promise<Uint8Array> {
  try {
    return await readOpen(path, options)
  } catch (error) {
    throw error instanceof RistrettoError ? error : systemError(`cannot read '${path}'`, error)
  }
}

async function readOpen(path: string, { maxFile = MAX_FILE, streams = false }: ReadOptions): Promise<Uint8Array> {
  const { open, stat } = await importNode('node:fs/promises')
  const { constants } = await importNode('node:fs')
  mustBeFile(path, await stat(path), streams)
  // should the path lead elsewhere by now, opening it must not wait for ever
  const file = await open(path, constants.O_RDONLY | (streams ? 0 : (constants.O_NONBLOCK ?? 0)))
  try {
    const found = await file.stat()
    mustBeFile(path, found, streams)
    if (!found.isFile()) return await readPieces(path, maxFile, piecesOf(file))
    const { size } = found
    mustFit(path, size, maxFile)
    const bytes = allocate(path, size)
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, MOST_READ), at)
      if (bytesRead === 0) throw new FormatError(`${path}: the file became shorter while it was read`)
      at += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** The first bytes of a regular file; undefined for what is none, or cannot be read: whoever reads it whole says why. */
export async function readStart(path: string, length: number): Promise<Uint8Array | undefined> {
  const { open } = await importNode('node:fs/promises')
  const { constants } = await importNode('node:fs')
  // a pipe must not be waited for
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(() => undefined)
  if (!file) return undefined
  try {
    if (!(await file.stat()).isFile()) return undefined
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0)
    return buffer.subarray(0, bytesRead)
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}

/** Reads a whole regular file at once, as readFile does: for threads that have nothing else to do meanwhile. */
export type FileReader = (path: string) => Uint8Array

export async function fileReader(maxFile = MAX_FILE): Promise<FileReader> {
  const { closeSync, constants, fstatSync, openSync, readSync, statSync } = await importNode('node:fs')
  const read = (path: string): Uint8Array => {
    mustBeFile(path, statSync(path))
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const found = fstatSync(file)
      mustBeFile(path, found)
      mustFit(path, found.size, maxFile)
      const bytes = allocate(path, found.size)
      for (let at = 0; at < bytes.length; ) {
        const got = readSync(file, bytes, at, Math.min(bytes.length - at, MOST_READ), at)
        if (got === 0) throw new FormatError(`${path}: the file became shorter while it was read`)
        at += got
      }
      return bytes
    } finally {
      closeSync(file)
    }
  }
  return path => {
    try {
      return read(path)
    } catch (error) {
      throw error instanceof RistrettoError ? error : systemError(`cannot read '${path}'`, error)
    }
  }
}

const piecesOf = (file: FileHandle) => ({
  async read() {
    const { bytesRead, buffer } = await file.read(new Uint8Array(1 << 16), 0, 1 << 16, null)
    return { done: bytesRead === 0, value: buffer.subarray(0, bytesRead) }
  },
})

type Found = Parameters<typeof kindOf>[0] & { isFile(): boolean }

/** What is no regular file, in words. */
export const kindOf = (found: {
  isDirectory(): boolean
  isFIFO(): boolean
  isSocket(): boolean
  isCharacterDevice(): boolean
  isBlockDevice(): boolean
}): string =>
  found.isDirectory()
    ? 'a folder'
    : found.isFIFO()
      ? 'a pipe'
      : found.isSocket()
        ? 'a socket'
        : found.isCharacterDevice() || found.isBlockDevice()
          ? 'a device'
          : 'no regular file'

/** Throws if what stands under a path is no regular file; with `streams`, pipes are taken as well. */
export function mustBeFile(path: string, found: Found, streams = false): void {
  if (found.isFile() || (streams && (found.isFIFO() || found.isSocket()))) return
  const pipes = found.isFIFO() ? ' (the option streams reads pipes as well)' : ''
  throw new RistrettoError(`cannot read '${path}': it is ${kindOf(found)}; only files are read${pipes}`)
}

/** Throws if a file is larger than what is read. */
export function mustFit(path: string, size: number, maxFile: number): void {
  if (size > maxFile)
    throw new RistrettoError(
      `cannot read '${path}': it has ${Number.isFinite(size) ? size : 'more'} bytes, the limit is ${maxFile}; the option maxFile sets another`,
    )
}

function allocate(path: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size)
  } catch (error) {
    throw new RistrettoError(`cannot read '${path}': its ${size} bytes do not fit into memory`, { cause: error })
  }
}

/** All that a stream gives. */
export async function readPieces(
  name: string,
  maxFile: number,
  stream: { read(): Promise<{ done: boolean; value?: Uint8Array }> },
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await stream.read()
    if (done || !value) break
    size += value.length
    if (size > maxFile) mustFit(name, Number.POSITIVE_INFINITY, maxFile)
    pieces.push(value)
  }
  const bytes = allocate(name, size)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** The system reads a little less than 2 GiB at a time. */
const MOST_READ = 2 ** 30

/** A file that is text: UTF-8, without zero bytes, and no larger than MAX_TEXT. Nothing of it stands in the error. */
export function textFrom(bytes: Uint8Array, name: string): string {
  if (bytes.length > MAX_TEXT)
    throw new FormatError(`${name}: it has ${bytes.length} bytes; texts are read up to ${MAX_TEXT}`)
  const zero = bytes.indexOf(0)
  if (zero >= 0) throw new FormatError(`${name}: this is no text: byte ${zero} is zero`)
  return new TextDecoder().decode(bytes)
}
