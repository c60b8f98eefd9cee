import type { Studio } from './api/index.js'
import type { Ask } from './asking.js'

/** The answer to a new upload, and to the question how far one is. */
export interface UploadState {
  readonly upload: string
  /** Bytes of every part but the last. */
  readonly part: number
  /** Parts that have come. */
  readonly received: number
}

/** How often a part is sent again before it is given up. */
const TRIES = 5

/** Files one after the other, cut into parts of the same size; a part that did not arrive is sent again. */
export async function sendUpload(
  ask: Ask,
  files: Parameters<Studio['upload']>[0],
  { onProgress, signal }: Parameters<Studio['upload']>[1] = {},
): Promise<string> {
  const total = files.reduce((sum, { file }) => sum + file.size, 0)
  const body = JSON.stringify({ files: files.map(({ path, file }) => ({ path, bytes: file.size })) })
  const begun = await ask('/api/uploads', { method: 'POST', body, type: 'application/json', signal })
  const { upload, part } = (await begun.json()) as UploadState
  const all = new Blob(files.map(({ file }) => file))
  for (let n = 0, sent = 0; sent < total; n++) {
    const piece = all.slice(sent, sent + part)
    for (let tries = 1; ; tries++) {
      try {
        await ask(`/api/uploads/${upload}/parts/${n}`, {
          method: 'PUT',
          body: piece,
          type: 'application/octet-stream',
          signal,
        })
        break
      } catch (error) {
        const refused = (error as { status?: number }).status
        if (signal?.aborted || tries === TRIES || (refused !== undefined && refused !== 503)) throw error
      }
    }
    sent += piece.size
    onProgress?.(sent, total)
  }
  return upload
}
