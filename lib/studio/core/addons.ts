import type { DatasetForm, Forms, JobId, JobKind } from '../api/index.js'
import { readJson, type Store, writeJson } from './store.js'

const FILE = 'addons.json'

/**
 * Which jobs may load native libraries: those that make datasets, which run no code but the library's, and those that somebody
 * asked for an engine that is one, or to read pictures that are no plain ones. It stands where no job can write: its own folder says what a job likes.
 */
export class Addons {
  private writing: Promise<void> = Promise.resolve()

  private constructor(
    private readonly store: Store,
    private readonly known: Set<JobId>,
  ) {}

  static async open(store: Store): Promise<Addons> {
    const file = await readJson<{ jobs?: JobId[] }>(store, FILE)
    return new Addons(store, new Set(Array.isArray(file?.jobs) ? file.jobs : []))
  }

  has(id: JobId): boolean {
    return this.known.has(id)
  }

  /** Take note of what the form of a new job asks for; `encode` is how its dataset keeps pictures. */
  async note(id: JobId, kind: JobKind, form: Forms[JobKind], encode?: DatasetForm['encode']): Promise<void> {
    const engine = 'engine' in form ? form.engine : undefined
    const pictures = 'on' in form && 'pictures' in form.on
    if (kind !== 'dataset' && engine !== 'native' && engine !== 'gpu' && !pictures && encode !== 'jpg') return
    this.known.add(id)
    this.writing = this.writing
      .catch(() => {})
      .then(() => writeJson(this.store, FILE, { version: 1, jobs: [...this.known] }))
    await this.writing
  }
}
