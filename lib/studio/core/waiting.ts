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
    this.ids = this.ids.filter(other => other !== id)
    if (first) this.ids.unshift(id)
    else this.ids.push(id)
    await this.save()
  }

  async remove(id: JobId): Promise<void> {
    if (!this.has(id)) return
    this.ids = this.ids.filter(other => other !== id)
    await this.save()
  }

  /** Those named come in this order, the rest after them as they were. */
  async arrange(ids: readonly JobId[]): Promise<void> {
    const stranger = ids.find(id => !this.has(id))
    if (stranger !== undefined) throw new StudioError(`the job '${stranger}' does not wait`, 409)
    const named = [...new Set(ids)]
    this.ids = [...named, ...this.ids.filter(id => !named.includes(id))]
    await this.save()
  }

  async pause(paused: boolean): Promise<void> {
    this.stopped = paused
    await this.save()
  }

  private save(): Promise<void> {
    return writeJson(this.store, FILE, { version: 1, order: this.ids, paused: this.stopped })
  }
}
