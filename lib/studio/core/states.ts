import type { JobId } from '../api/index.js'
import { pathsOf } from './job_files.js'
import type { Entry } from './job_index.js'
import { type Store, writeJson } from './store.js'

/** Writes jobs' states: of one job one after the other, so that the newest is the one that stays. */
export class States {
  private readonly writing = new Map<JobId, Promise<void>>()

  constructor(private readonly store: Store) {}

  /** Resolves when the state that the entry has now, or a newer one, is on disk. */
  save(entry: Entry): Promise<void> {
    const before = this.writing.get(entry.id) ?? Promise.resolve()
    const written = before.catch(() => {}).then(() => writeJson(this.store, pathsOf(entry.id).state, entry.state))
    this.writing.set(entry.id, written)
    const forget = () => {
      if (this.writing.get(entry.id) === written) this.writing.delete(entry.id)
    }
    written.then(forget, forget)
    return written
  }
}
