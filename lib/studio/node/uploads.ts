import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { rename, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../system/make_folder.js'
import { StudioError } from '../api/index.js'
import { readJson, type Store, writeJson } from '../core/store.js'
import type { UploadFile } from '../core/sweeping.js'
import type { UploadState } from '../upload.js'

/** Bytes of a part. */
export const PART = 8 * 2 ** 20

interface Incoming extends UploadFile {
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  /** Parts that have come. */
  readonly received: number
}

/** Takes files in parts, in order; what has come stays if the server is ended between two of them. */
export class Uploads {
  private readonly busy = new Set<string>()

  constructor(
    private readonly store: Store,
    /** Most bytes of one. */
    private readonly most: number,
  ) {}

  async begin(files: Incoming['files']): Promise<UploadState> {
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    const folder = this.store.location('uploads')!
    await makeFolder(folder)
    const { bavail, bsize } = await statfs(folder)
    const allowed = Math.min(this.most, (bavail * bsize) / 2)
    if (total > allowed)
      throw new StudioError(
        `${total} bytes are more than the ${Math.floor(allowed)} that may be uploaded: --max-upload, and half of the space that is free`,
        413,
      )
    const names = new Set(files.map(({ path }) => path))
    if (names.size < files.length) throw new StudioError('two files of the upload have the same name', 422)
    const clash = files.find(({ path }) => parents(path).some(parent => names.has(parent)))
    if (clash) throw new StudioError(`'${clash.path}' lies in what is a file of the upload itself`, 422)
    const upload = createHash('sha256').update(randomBytes(32)).digest('hex').slice(0, 24)
    await this.save(upload, { version: 1, at: Date.now(), files, received: 0 })
    if (total === 0) await this.complete(upload, files)
    return { upload, part: PART, received: 0 }
  }

  async state(upload: string): Promise<UploadState> {
    return { upload, part: PART, received: (await this.incoming(upload)).received }
  }

  /** A part; one that has come already is taken as it is. */
  async put(upload: string, n: number, bytes: Uint8Array): Promise<UploadState> {
    if (this.busy.has(upload)) throw new StudioError('another part of this upload is just coming', 409)
    this.busy.add(upload)
    try {
      const incoming = await this.incoming(upload)
      const { files, received } = incoming
      if (n < received) return { upload, part: PART, received }
      if (n > received) throw new StudioError(`part ${received} comes next, not ${n}`, 409)
      const total = files.reduce((sum, file) => sum + file.bytes, 0)
      const wanted = Math.min(PART, total - n * PART)
      if (bytes.length !== wanted)
        throw new StudioError(`part ${n} has ${bytes.length} bytes, ${Math.max(0, wanted)} are wanted`, 422)
      await this.write(upload, files, n * PART, bytes)
      await this.save(upload, { ...incoming, received: n + 1 })
      if (n * PART + bytes.length === total) await this.complete(upload, files)
      return { upload, part: PART, received: n + 1 }
    } finally {
      this.busy.delete(upload)
    }
  }

  private async incoming(upload: string): Promise<Incoming> {
    const found = await readJson<Incoming>(this.store, `uploads/${upload}/upload.json`)
    if (!found) throw new StudioError('there is no such upload', 404)
    return found
  }

  private save(upload: string, incoming: Incoming): Promise<void> {
    return writeJson(this.store, `uploads/${upload}/upload.json`, incoming)
  }

  /** Bytes of the whole, from a position on, into the files that they belong to. */
  private async write(upload: string, files: Incoming['files'], from: number, bytes: Uint8Array): Promise<void> {
    let start = 0
    for (const { path, bytes: length } of files) {
      const begin = Math.max(start, from)
      const end = Math.min(start + length, from + bytes.length)
      if (begin < end) {
        const at = this.store.location(`uploads/${upload}/incoming/${path}`)!
        await makeFolder(dirname(at))
        const file = openSync(at, begin === start ? 'w' : 'r+')
        try {
          const piece = bytes.subarray(begin - from, end - from)
          for (let done = 0; done < piece.length; )
            done += writeSync(file, piece, done, piece.length - done, begin - start + done)
          if (end === start + length) fsyncSync(file)
        } finally {
          closeSync(file)
        }
      }
      start += length
    }
  }

  /** All is there: only now it can be used. */
  private async complete(upload: string, files: Incoming['files']): Promise<void> {
    for (const { path, bytes } of files)
      if (bytes === 0) await this.store.write(`uploads/${upload}/incoming/${path}`, new Uint8Array(0))
    await rename(this.store.location(`uploads/${upload}/incoming`)!, this.store.location(`uploads/${upload}/files`)!)
  }
}

const parents = (path: string): string[] => {
  const names = path.split('/').slice(0, -1)
  return names.map((_, i) => names.slice(0, i + 1).join('/'))
}
