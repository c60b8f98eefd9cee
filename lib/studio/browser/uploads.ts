import { type Studio, StudioError } from '../api/index.js'
import { isInner } from '../api/schemas.js'
import type { Store } from '../core/store.js'
import { writeJson } from '../core/store.js'
import type { UploadFile } from '../core/sweeping.js'

/** Bytes that are moved at once. */
const PIECE = 8 * 2 ** 20

export interface UploadOptions {
  readonly store: Store
  /** Most bytes that there is room for. */
  readonly most: number
  readonly signal: AbortSignal
  readonly onProgress: (bytes: number, total: number) => void
}

/** Copy files that were dropped into the project; resolves to the name of the upload. */
export async function takeUpload(
  files: Parameters<Studio['upload']>[0],
  { store, most, signal, onProgress }: UploadOptions,
): Promise<string> {
  const total = check(files, most)
  const upload = crypto.randomUUID().replaceAll('-', '').slice(0, 24)
  const folder = `uploads/${upload}`
  let done = 0
  try {
    await writeJson(store, `${folder}/upload.json`, { version: 1, at: Date.now() } satisfies UploadFile)
    for (const { path, file } of files) {
      const sink = await store.sink(`${folder}/files/${path}`)
      try {
        for (let at = 0; at < file.size; at += PIECE) {
          signal.throwIfAborted()
          const piece = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer())
          sink.write(at, piece)
          done += piece.length
          onProgress(done, total)
        }
      } catch (error) {
        sink.abort()
        throw error
      }
      await sink.finish()
    }
    return upload
  } catch (error) {
    await store.remove(folder)
    throw error
  }
}

/** Bytes of all files; throws where they cannot be taken. */
function check(files: Parameters<Studio['upload']>[0], most: number): number {
  if (!files.length) throw new StudioError('an upload needs a file', 422)
  const names = new Set(files.map(({ path }) => path))
  if (names.size < files.length) throw new StudioError('two files of the upload have the same name', 422)
  for (const { path } of files) {
    if (!isInner(path)) throw new StudioError(`'${path}' is no path of a file within the folder`, 422)
    const parents = path.split('/').slice(0, -1)
    if (parents.some((_, i) => names.has(parents.slice(0, i + 1).join('/'))))
      throw new StudioError(`'${path}' lies in what is a file of the upload itself`, 422)
  }
  const total = files.reduce((sum, { file }) => sum + file.size, 0)
  if (total > most)
    throw new StudioError(`${total} bytes are more than the ${Math.floor(most)} that this browser has room for`, 413)
  return total
}
