import { systemError } from '../errors.js'
import { importNode } from '../system/nodejs.js'
import { removeLeftovers, temporaryName, writeTarget } from '../system/write_file.js'

/** Where a file is written that is not there until it is whole. */
export interface Sink {
  /** Bytes at a position: usually the end so far, sometimes a place left open before. */
  write(position: number, bytes: Uint8Array): void
  /** Flush and name the file; the bytes where there is no file. */
  finish(): Promise<Uint8Array | undefined>
  /** Forget everything. */
  abort(): void
}

export function bytesSink(): Sink {
  let bytes = new Uint8Array(1 << 16)
  let end = 0
  return {
    write(position, chunk) {
      const wanted = position + chunk.length
      if (wanted > bytes.length) {
        const larger = new Uint8Array(Math.max(wanted, bytes.length * 2))
        larger.set(bytes)
        bytes = larger
      }
      bytes.set(chunk, position)
      end = Math.max(end, wanted)
    },
    finish: async () => bytes.slice(0, end),
    abort() {},
  }
}

const BUFFER = 1 << 20

/**
 * Writes beside `path` under a temporary name, syncs, renames: a crash leaves the old file whole. Only regular files are
 * replaced.
 * @param name what errors call it
 */
export async function fileSink(path: string, name = path): Promise<Sink> {
  const { openSync, writeSync, closeSync, renameSync, rmSync } = await importNode('node:fs')
  const { open: openHandle } = await importNode('node:fs/promises')
  const target = await writeTarget(path)
  await removeLeftovers(target.path)
  const temporary = temporaryName(target.path)
  /** What the system refuses (no room left) says which file it was. */
  const attempt = <T>(call: () => T): T => {
    try {
      return call()
    } catch (error) {
      throw systemError(`cannot write '${name}'`, error)
    }
  }
  const file = attempt(() => openSync(temporary, 'wx', target.mode))
  const buffer = new Uint8Array(BUFFER)
  // the buffer holds the bytes from `start` to `start + used` of the file
  let start = 0
  let used = 0
  let open = true

  const put = (bytes: Uint8Array, position: number) => {
    for (let done = 0; done < bytes.length; )
      done += attempt(() => writeSync(file, bytes, done, bytes.length - done, position + done))
  }
  const flush = () => {
    put(buffer.subarray(0, used), start)
    start += used
    used = 0
  }
  return {
    write(position, bytes) {
      if (position >= start && position + bytes.length <= start + BUFFER) {
        const at = position - start
        if (at > used) buffer.fill(0, used, at)
        buffer.set(bytes, at)
        used = Math.max(used, at + bytes.length)
        return
      }
      flush()
      put(bytes, position)
      start = Math.max(start, position + bytes.length)
    },
    async finish() {
      flush()
      attempt(() => closeSync(file))
      open = false
      // Node's permission model takes fsyncSync away, and leaves this
      try {
        const handle = await openHandle(temporary, 'r+')
        await handle.sync().finally(() => handle.close())
      } catch (error) {
        throw systemError(`cannot write '${name}'`, error)
      }
      attempt(() => renameSync(temporary, target.path))
      return undefined
    },
    abort() {
      // what went wrong before is what is told
      try {
        if (open) closeSync(file)
      } catch {}
      open = false
      try {
        rmSync(temporary, { force: true })
      } catch {}
    },
  }
}
