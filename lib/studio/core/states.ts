import type { JobId } from '../api/index.js'
import { pathsOf } from './job_files.js'
import type { Entry } from './job_index.js'
import { type Store, writeJson } from './store.js'

/** Milliseconds after which a state that could not be written is tried again. */
const AGAIN = 2000

/** Writes jobs' states: of one job one after the other, so that the newest is the one that stays. */
export class States {
  private readonly writing = new Map<JobId, Promise<void>>()
  private readonly trying = new Map<JobId, ReturnType<typeof setTimeout>>()

  /** @param changed told when a job has trouble that it had not, or no more */
  constructor(
    private readonly store: Store,
    private readonly changed: (entry: Entry) => void = () => {},
    private readonly again = AGAIN,
  ) {}

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

  /**
   * The same for what nobody waits for. What cannot be written, on a full disk or in a folder that became read-only, is
   * trouble that the job tells, and is tried again until it can.
   */
  async keep(entry: Entry): Promise<void> {
    clearTimeout(this.trying.get(entry.id))
    this.trying.delete(entry.id)
    const before = entry.trouble
    try {
      await this.save(entry)
      delete entry.trouble
    } catch (error) {
      entry.trouble = `what it does cannot be written down: ${(error as Error).message}`
      this.trying.set(
        entry.id,
        setTimeout(() => this.keep(entry), this.again),
      )
    }
    if (entry.trouble !== before) this.changed(entry)
  }

  /** Try no more. */
  close(): void {
    for (const timer of this.trying.values()) clearTimeout(timer)
    this.trying.clear()
  }
}
