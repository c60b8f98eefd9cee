import { type JobId, type JobKind, StudioError } from '../api/index.js'
import { readJson, type Store, writeJson } from './store.js'

const FILE = 'queue.json'

/** Trainings compete for cores; all other jobs stand in a line of their own. */
export type Lane = 'training' | 'other'
export const laneOf = (kind: JobKind): Lane => (kind === 'model' ? 'training' : 'other')

/** Jobs that wait, in the order in which they start; kept in `queue.json`. */
export class Waiting {
  private constructor(
    private readonly store: Store,
    private ids: JobId[],
    private stopped: boolean,
  ) {}

  static async open(store: Store): Promise<Waiting> {
    const file = await readJson<{ order?: JobId[]; paused?: boolean }>(store, FILE)
    return new Waiting(store, Array.isArray(file?.order) ? file.order : [], file?.paused === true)
  }

  get order(): readonly JobId[] {
    return this.ids
  }

  get paused(): boolean {
    return this.stopped
  }

  has(id: JobId): boolean {
    return this.ids.includes(id)
  }

  /** At the end; or, where it was interrupted, before all others. */
  async add(id: JobId, first = false): Promise<void> {
    const others = this.ids.filter(other => other !== id)
    await this.put(first ? [id, ...others] : [...others, id])
  }

  /** @param anyway also where that cannot be written down */
  async remove(id: JobId, anyway = false): Promise<void> {
    if (!this.has(id)) return
    const others = this.ids.filter(other => other !== id)
    await this.put(others).catch(error => {
      if (!anyway) throw error
      this.ids = this.ids.filter(other => other !== id)
    })
  }

  /** Those named come in this order, the rest after them as they were. */
  async arrange(ids: readonly JobId[]): Promise<void> {
    const stranger = ids.find(id => !this.has(id))
    if (stranger !== undefined) throw new StudioError(`the job '${stranger}' does not wait`, 409)
    const named = [...new Set(ids)]
    await this.put([...named, ...this.ids.filter(id => !named.includes(id))])
  }

  pause(paused: boolean): Promise<void> {
    return this.put(this.ids, paused)
  }

  /** What cannot be written down does not hold either. */
  private async put(ids: JobId[], stopped = this.stopped): Promise<void> {
    const before = { ids: this.ids, stopped: this.stopped }
    Object.assign(this, { ids, stopped })
    try {
      await writeJson(this.store, FILE, { version: 1, order: ids, paused: stopped })
    } catch (error) {
      if (this.ids === ids && this.stopped === stopped) Object.assign(this, before)
      throw error
    }
  }
}
