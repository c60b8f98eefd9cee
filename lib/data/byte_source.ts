import { EngineError, FormatError, systemError } from '../errors.js'
import { mustTake } from '../system/arguments.js'
import type { ByteSource } from '../system/byte_source.js'
import { importNode } from '../system/nodejs.js'
import { mustBeFile } from '../system/read_file.js'

export type { ByteSource }

export function bytesSource(given: Uint8Array, name = 'bytes'): ByteSource {
  // a Buffer's slice would be no copy
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length)
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      checkRange(name, bytes.length, offset, length)
      return bytes.subarray(offset, offset + length)
    },
    close() {},
  }
}

/** FileReaderSync of workers in browsers, which TypeScript's library for pages does not know. */
declare const FileReaderSync: (new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer }) | undefined

/**
 * A File or Blob as a user drops it into a page, however large: only what is read is in memory. In a worker of a
 * browser, since pages cannot read without waiting.
 */
export function blobSource(blob: Blob, name = blob instanceof File ? blob.name : 'blob'): ByteSource {
  mustTake(blob instanceof Blob, 'blobSource', 'a Blob or a File of a browser', blob)
  if (typeof FileReaderSync === 'undefined')
    throw new EngineError(
      'blobSource works in a worker of a browser: what else has a Blob reads it with blob.arrayBuffer()',
    )
  const reader = new FileReaderSync()
  return {
    name,
    size: blob.size,
    read(offset, length) {
      checkRange(name, blob.size, offset, length)
      return new Uint8Array(reader.readAsArrayBuffer(blob.slice(offset, offset + length)))
    },
    close() {},
  }
}

/** Read-ahead of a sequential reader: large enough that a system call costs nothing, small enough for any cache. */
const WINDOW = 256 * 1024

/** Files whose reader was forgotten without close(). */
const forgotten = new FinalizationRegistry<() => void>(close => close())

/** A file in Node, read synchronously: a batch of records is far cheaper than one turn of the event loop per page. */
export async function fileSource(path: string): Promise<ByteSource> {
  const { constants, openSync, readSync, closeSync, fstatSync } = await importNode('node:fs')
  const { stat } = await importNode('node:fs/promises')
  const failed = (error: unknown): never => {
    throw systemError(`cannot read '${path}'`, error)
  }
  const attempt = <T>(call: () => T): T => {
    try {
      return call()
    } catch (error) {
      return failed(error)
    }
  }
  mustBeFile(path, await stat(path).catch(failed))
  // should the path lead elsewhere by now, opening it must not wait for ever
  const file = attempt(() => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  const found = fstatSync(file)
  try {
    mustBeFile(path, found)
  } catch (error) {
    closeSync(file)
    throw error
  }
  const { size } = found
  let buffer = new Uint8Array(WINDOW)
  let start = 0
  let end = 0
  const source: ByteSource = {
    name: path,
    size,
    read(offset, length) {
      if (offset < start || offset + length > end) {
        checkRange(path, size, offset, length)
        // who reads on where the window ended is likely to go on; who jumps gets just what was asked for
        const sequential = offset >= start && offset <= end + WINDOW
        const wanted = Math.min(size - offset, sequential ? Math.max(length, WINDOW) : length)
        if (wanted > buffer.length) buffer = new Uint8Array(wanted)
        start = offset
        end = offset
        while (end < offset + wanted) {
          const got = attempt(() => readSync(file, buffer, end - offset, offset + wanted - end, end))
          if (got === 0) throw new FormatError(`${path}: the file became shorter while it was read`)
          end += got
        }
      }
      return buffer.subarray(offset - start, offset - start + length)
    },
    close() {
      if (open) closeSync(file)
      open = false
      forgotten.unregister(source)
    },
  }
  let open = true
  forgotten.register(source, () => closeSync(file), source)
  return source
}

function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new FormatError(
      `${name}: bytes ${offset} to ${offset + length} are wanted, the file has ${size}; it is truncated or damaged`,
    )
}
