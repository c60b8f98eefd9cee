import { type JobId, type JobKind, type JobMeta, type JobQuery, type JobSummary, StudioError } from '../api/index.js'
import { isJobFile, isMeta, isState } from './checks.js'
import { isJobId, JOBS, type JobFile, pathsOf } from './job_files.js'
import { newState, type StateFile } from './state.js'
import { readJson, type Store } from './store.js'

/** A job as the index holds it: all but its form, which may be long. */
export interface Entry extends Omit<JobFile, 'form'> {
  meta: JobMeta
  state: StateFile
  /** Since when it lies in the trash. */
  removed?: number
  /** What keeps its files from being written. */
  trouble?: string
  /** Uploads that it was made of. */
  readonly uploads: readonly string[]
}

/** Folders that are read at once while a project is opened. */
const AT_ONCE = 64

/** Every job of a project, in memory. */
export class JobIndex {
  private readonly entries = new Map<JobId, Entry>()
  private sorted: Entry[] | undefined

  private constructor(private readonly store: Store) {}

  static async open(store: Store): Promise<JobIndex> {
    const index = new JobIndex(store)
    const ids = (await store.list(JOBS)).filter(({ name, folder }) => folder && isJobId(name)).map(({ name }) => name)
    for (let i = 0; i < ids.length; i += AT_ONCE) await Promise.all(ids.slice(i, i + AT_ONCE).map(id => index.load(id)))
    return index
  }

  /** Read a job's folder; one without a whole `job.json` is none. */
  async load(id: JobId): Promise<Entry | undefined> {
    const paths = pathsOf(id)
    const [file, meta, state, removed] = await Promise.all([
      readJson(this.store, paths.job),
      readJson(this.store, paths.meta),
      readJson(this.store, paths.state),
      readJson<{ at: number }>(this.store, paths.removed),
    ])
    if (!isJobFile(file) || file.id !== id) return undefined
    const entry = entryOf(file, isMeta(meta) ? meta : metaOf(file), stateOf(state))
    if (removed) entry.removed = Number(removed.at) || 0
    this.add(entry)
    return entry
  }

  /** Read again what code a job has: a pretrained model's is known when it is done. */
  async readCode(entry: Entry): Promise<void> {
    const file = await readJson(this.store, pathsOf(entry.id).job)
    if (isJobFile(file)) Object.assign(entry, { code: file.code })
  }

  add(entry: Entry): void {
    this.entries.set(entry.id, entry)
    this.sorted = undefined
  }

  delete(id: JobId): void {
    this.entries.delete(id)
    this.sorted = undefined
  }

  has(id: JobId): boolean {
    return this.entries.has(id)
  }

  /** All of them, those in the trash too. */
  all(): Iterable<Entry> {
    return this.entries.values()
  }

  /** A job that is not in the trash; a StudioError otherwise. */
  get(id: JobId, kinds?: readonly JobKind[]): Entry {
    const entry = this.entries.get(id)
    if (!entry || entry.removed !== undefined)
      throw new StudioError(entry ? `the job '${entry.meta.name}' was deleted` : `there is no job '${id}'`, 404)
    if (kinds && !kinds.includes(entry.kind))
      throw new StudioError(`'${entry.meta.name}' is a ${entry.kind}, not a ${kinds.join(' or ')}`, 409)
    return entry
  }

  /** One that may be in the trash. */
  find(id: JobId): Entry | undefined {
    return this.entries.get(id)
  }

  /** The newest first. */
  list({ kind, state, group, text }: JobQuery = {}): Entry[] {
    this.sorted ??= [...this.entries.values()].sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1))
    const words = text?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
    return this.sorted.filter(entry => {
      if (entry.removed !== undefined) return false
      if (kind !== undefined && entry.kind !== kind) return false
      if (state !== undefined && entry.state.state !== state) return false
      if (group !== undefined && entry.meta.group !== group) return false
      if (!words.length) return true
      const { name, notes, group: own } = entry.meta
      const searched = `${name}\n${notes}\n${own}\n${entry.id}`.toLowerCase()
      return words.every(word => searched.includes(word))
    })
  }

  /** Jobs that are made from it, the newest first. */
  children(id: JobId): Entry[] {
    return this.list().filter(({ parents }) => parents.dataset === id || parents.model === id)
  }
}

export function entryOf(file: JobFile, meta: JobMeta, state: StateFile): Entry {
  const { form, ...rest } = file
  return { ...rest, meta, state, uploads: uploadsOf(form) }
}

export const metaOf = ({ form, kind }: JobFile): JobMeta => ({
  name: typeof form.name === 'string' ? form.name : kind,
  notes: '',
  group: 'group' in form && typeof form.group === 'string' ? form.group : '',
  starred: false,
})

/** As a list shows it. */
export function summaryOf({ id, kind, created, parents, meta, state, trouble }: Entry): JobSummary {
  const { attempt, progress, eta, seconds, iter, maxIter, epoch, epochs, loss, outputs, best } = state
  const error = [state.error, trouble].filter(text => text !== undefined).join('\n') || undefined
  const known = { eta, iter, maxIter, epoch, epochs, loss, outputs, best, error }
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
  return { id, kind, created, parents, ...meta, state: state.state, attempt, progress, seconds, ...given }
}

/** A job that says nothing has not begun; one that says what is no state waits for a person. */
function stateOf(given: unknown): StateFile {
  if (given === undefined) return newState()
  return isState(given) ? given : { ...newState('stopped'), error: 'its state.json says what is no state' }
}

/** Every `upload` that stands in a form. */
function uploadsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'upload' && typeof inner === 'string' ? [inner] : uploadsOf(inner),
  )
}
