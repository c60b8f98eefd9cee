import { folderOf, pathsOf } from './job_files.js'
import type { JobIndex } from './job_index.js'
import { readJson, type Store } from './store.js'

const DAY = 24 * 3600 * 1000

/** Remove the folders of jobs that have been in the trash for a day. */
export async function emptyTrash(store: Store, index: JobIndex, now = Date.now()): Promise<void> {
  for (const { id, removed } of [...index.all()])
    if (removed !== undefined && now - removed > DAY) {
      // what is half removed is no job
      await store.remove(pathsOf(id).job)
      await store.remove(folderOf(id))
      index.delete(id)
    }
}

/** `uploads/U/upload.json`: when it came. Its files lie in `uploads/U/files`. */
export interface UploadFile {
  readonly version: 1
  readonly at: number
}

/** Remove uploads that no job waits for: those of datasets that are done, and what nobody has used for a day. */
export async function sweepUploads(store: Store, index: JobIndex, now = Date.now()): Promise<void> {
  const wanted = new Set<string>()
  const used = new Set<string>()
  for (const { uploads, state, removed } of index.all())
    for (const upload of uploads) {
      used.add(upload)
      if (removed === undefined && state.state !== 'done') wanted.add(upload)
    }
  for (const { name } of await store.list('uploads')) {
    if (wanted.has(name)) continue
    const at = (await readJson<UploadFile>(store, `uploads/${name}/upload.json`))?.at ?? 0
    if (used.has(name) || now - at > DAY) await store.remove(`uploads/${name}`)
  }
}
