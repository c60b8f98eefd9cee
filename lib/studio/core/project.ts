import {
  type CodeFile,
  type Job,
  type JobEvent,
  type JobId,
  type JobKind,
  type JobMeta,
  type JobQuery,
  type JobSummary,
  type Metrics,
  type MetricsQuery,
  StudioError,
  type StudioEvent,
} from '../api/index.js'
import { checked, meta as metaSchema } from '../api/schemas.js'
import { Addons } from './addons.js'
import { checkPlaces, createJobs, formOf, trustTyped } from './create.js'
import { Curves } from './curves.js'
import { datasetResult, evaluationResult, Logs, MAX_TEXT, snapshotsOf, starsOf } from './details.js'
import { pathsOf } from './job_files.js'
import { type Entry, JobIndex, summaryOf } from './job_index.js'
import type { Prepare } from './prepared.js'
import type { Runner } from './runner.js'
import { listAll, type Store, writeJson } from './store.js'
import { EventStream } from './stream.js'
import { emptyTrash, sweepUploads } from './sweeping.js'
import { Trust } from './trust.js'
import { Waiting } from './waiting.js'
import { Workshop } from './workshop.js'

export interface ProjectOptions {
  readonly store: Store
  readonly runner: Runner
  readonly prepare: Prepare
  /** Trainings at once; default 1. */
  readonly trainings?: number
  /** Cores that trainings share; default 1. */
  readonly cores?: number
  /** Whether custom layers may run; default ask. */
  readonly layers?: 'ask' | 'never'
  /** Throws unless a path of this machine may be read; default: none may. */
  readonly checkPath?: (path: string) => Promise<void>
  /** Milliseconds between looks at a running job's events; default 50. */
  readonly poll?: number
}

/** Jobs of a project: what a Studio does but computing. Everything that it knows lies in the store's files. */
export class Project {
  private readonly stream = new EventStream()
  private readonly curves: Curves
  private readonly logs: Logs
  private readonly workshop: Workshop

  private constructor(
    private readonly options: ProjectOptions,
    private readonly index: JobIndex,
    private readonly waiting: Waiting,
    private readonly trusted: Trust,
    private readonly addons: Addons,
  ) {
    const { store, runner, trainings = 1, cores = 1, poll = 50 } = options
    this.curves = new Curves(store)
    this.logs = new Logs(store)
    const onEvent = (entry: Entry, event: JobEvent) => this.told(entry, event)
    const { stream } = this
    this.workshop = new Workshop({
      store,
      runner,
      index,
      waiting,
      trust: trusted,
      addons,
      stream,
      trainings,
      cores,
      poll,
      onEvent,
    })
  }

  /** Open the project of a store; jobs that were running go on. */
  static async open(options: ProjectOptions): Promise<Project> {
    const { store, layers = 'ask' } = options
    const [index, waiting, trust, addons] = await Promise.all([
      JobIndex.open(store),
      Waiting.open(store),
      Trust.open(store, layers),
      Addons.open(store),
    ])
    await emptyTrash(store, index)
    await sweepUploads(store, index)
    const project = new Project(options, index, waiting, trust, addons)
    await project.workshop.takeOver()
    return project
  }

  /** Running jobs go on without it. */
  close(): Promise<void> {
    return this.workshop.close()
  }

  get trainings(): number {
    return this.options.trainings ?? 1
  }

  get paused(): boolean {
    return this.waiting.paused
  }

  jobs(query?: JobQuery): JobSummary[] {
    return this.index.list(query).map(entry => this.summary(entry))
  }

  async job(id: JobId): Promise<Job> {
    const { store } = this.options
    const entry = this.index.get(id)
    const done = entry.state.state === 'done'
    const result =
      entry.kind === 'dataset' && done
        ? await datasetResult(store, id)
        : entry.kind === 'evaluation' && done
          ? await evaluationResult(store, id)
          : undefined
    return {
      ...this.summary(entry),
      form: await formOf(store, entry),
      children: this.index.children(id).map(child => this.summary(child)),
      snapshots: entry.kind === 'model' ? await snapshotsOf(store, entry, this.curves) : [],
      code: entry.code,
      ...(result ? { result } : {}),
    }
  }

  async create(kind: JobKind, form: unknown): Promise<JobSummary[]> {
    const { store, prepare, checkPath = refusePath } = this.options
    const { index, trusted: trust, curves, addons } = this
    const entries = await createJobs({ store, index, trust, curves, addons, prepare, checkPath }, kind, form)
    for (const entry of entries) {
      this.workshop.tell(entry)
      await this.workshop.enqueue(entry)
    }
    return entries.map(entry => this.summary(entry))
  }

  async change(id: JobId, change: Partial<JobMeta>): Promise<JobSummary> {
    const entry = this.index.get(id)
    const given = checked(metaSchema, change, 'the change')
    const before = entry.meta
    const meta = { ...before, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
    entry.meta = meta
    await writeJson(this.options.store, pathsOf(id).meta, meta).catch(error => {
      if (entry.meta === meta) entry.meta = before
      throw error
    })
    this.workshop.tell(entry)
    return this.summary(entry)
  }

  async remove(id: JobId): Promise<void> {
    const entry = this.index.get(id)
    if (entry.state.state === 'running' || this.workshop.isStarting(id))
      throw new StudioError(`'${entry.meta.name}' is running: stop it first`, 409)
    const children = this.index.children(id)
    if (children.length)
      throw new StudioError(
        `'${entry.meta.name}' is used by ${children.map(child => `'${child.meta.name}'`).join(', ')}: delete these first`,
        409,
        children.map(child => ({ path: child.id, message: child.meta.name })),
      )
    await this.waiting.remove(id)
    const at = Date.now()
    await writeJson(this.options.store, pathsOf(id).removed, { at })
    entry.removed = at
    this.curves.forget(id)
    this.stream.emit({ kind: 'removed', job: id })
  }

  async restore(id: JobId): Promise<JobSummary> {
    const entry = this.index.find(id)
    if (entry?.removed === undefined) throw new StudioError(`there is no job '${id}' in the trash`, 404)
    const parents = Object.values(entry.parents)
    const missing = parents.find(parent => this.index.find(parent)?.removed !== undefined || !this.index.has(parent))
    if (missing !== undefined)
      throw new StudioError(`'${entry.meta.name}' is made from the job '${missing}': restore that one first`, 409)
    await this.options.store.remove(pathsOf(id).removed)
    delete entry.removed
    this.workshop.tell(entry)
    // what waited waits again, at the end
    if (/^(queued|interrupted)$/.test(entry.state.state)) await this.workshop.enqueue(entry)
    return this.summary(entry)
  }

  stop(id: JobId): Promise<void> {
    return this.workshop.stop(this.index.get(id))
  }

  async resume(id: JobId): Promise<void> {
    const entry = this.index.get(id)
    const { state } = entry.state
    if (state === 'running' || this.waiting.has(id) || this.workshop.isStarting(id))
      throw new StudioError(`'${entry.meta.name}' is ${state} already`, 409)
    if (state === 'done') throw new StudioError(`'${entry.meta.name}' is done: there is nothing left to do`, 409)
    this.trusted.mustTrust(entry.code)
    // what an archive brought was never asked whether its places may be read
    await this.checkPlaces(await formOf(this.options.store, entry))
    const { error, ...rest } = entry.state
    await this.workshop.put(entry, { ...rest, state: 'queued', fruitless: 0 })
    await this.workshop.enqueue(entry)
  }

  async snapshot(id: JobId): Promise<void> {
    await this.workshop.command(this.index.get(id, ['model']), 'snapshot')
  }

  async star(id: JobId, iter: number, starred: boolean): Promise<void> {
    const entry = this.index.get(id, ['model'])
    const { store } = this.options
    const path = pathsOf(id).stars
    const stars = await starsOf(store, path)
    if (starred) {
      const snapshots = await snapshotsOf(store, entry, this.curves)
      if (!snapshots.some(snapshot => snapshot.iter === iter))
        throw new StudioError(`'${entry.meta.name}' has no snapshot of iteration ${iter}`, 404)
      stars.add(iter)
    } else stars.delete(iter)
    await writeJson(
      store,
      path,
      [...stars].sort((a, b) => a - b),
    )
    await this.workshop.command(entry, 'stars')
    this.workshop.tell(entry)
  }

  async clone(id: JobId): Promise<{ kind: JobKind; form: Job['form'] }> {
    const entry = this.index.get(id)
    return { kind: entry.kind, form: await formOf(this.options.store, entry) }
  }

  async order(ids: readonly JobId[]): Promise<void> {
    await this.waiting.arrange(ids)
    this.workshop.pump()
  }

  async pause(paused: boolean): Promise<void> {
    await this.waiting.pause(paused)
    this.workshop.pump()
  }

  async trust(sha256: readonly string[]): Promise<void> {
    await this.trusted.add(sha256)
    const known = new Set(sha256)
    for (const entry of this.index.list())
      if (entry.code.some(file => known.has(file.sha256))) this.workshop.tell(entry)
    this.workshop.pump()
  }

  async metrics(id: JobId, query?: MetricsQuery): Promise<Metrics> {
    this.index.get(id)
    return (await this.curves.of(id)).metrics(query)
  }

  async log(id: JobId, after?: number): Promise<{ lines: string[]; next: number }> {
    this.index.get(id)
    return this.logs.lines(id, after)
  }

  async files(id: JobId): Promise<{ path: string; bytes: number }[]> {
    this.index.get(id)
    return listAll(this.options.store, pathsOf(id).folder)
  }

  /** Path in the store of a file that is in the job's list: paths from outside are looked up, never joined. */
  async file(id: JobId, path: string): Promise<string> {
    const found = (await this.files(id)).find(file => file.path === path)
    if (!found) throw new StudioError(`the job has no file '${path}'`, 404)
    return `${pathsOf(id).folder}/${found.path}`
  }

  async text(id: JobId, path: string): Promise<string> {
    const { store } = this.options
    const file = await this.file(id, path)
    if (((await store.size(file)) ?? 0) > MAX_TEXT) throw new StudioError(`'${path}' is too long to be shown`, 413)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode((await store.read(file)) ?? new Uint8Array(0))
    } catch {
      throw new StudioError(`'${path}' is no file of text`, 409)
    }
  }

  listen(listener: (event: StudioEvent) => void, options: { signal: AbortSignal; after?: number }): void {
    this.stream.listen(listener, options)
  }

  /** Number of the newest event of the stream. */
  get newestEvent(): number {
    return this.stream.newest
  }

  /** Throws unless every place that a form names is there and may be read. */
  checkPlaces(form: unknown): Promise<void> {
    const { store, checkPath = refusePath } = this.options
    return checkPlaces({ store, checkPath }, form)
  }

  /** Remove what has been in the trash for a day, and uploads that nobody uses. */
  async sweep(): Promise<void> {
    await emptyTrash(this.options.store, this.index)
    await sweepUploads(this.options.store, this.index)
  }

  mustExist(id: JobId): JobSummary {
    return this.summary(this.index.get(id))
  }

  /** A job of one of the kinds; a StudioError otherwise. */
  mustBe(id: JobId, kinds: readonly JobKind[]): JobSummary {
    return this.summary(this.index.get(id, kinds))
  }

  /** Throws unless the code of a job may run. */
  mustTrust(id: JobId): void {
    this.trusted.mustTrust(this.index.get(id).code)
  }

  /** Throws if code that somebody typed may not run, or if it is that of a job from elsewhere that nobody agreed to. */
  async mustTrustTyped(code: readonly CodeFile[]): Promise<void> {
    await trustTyped({ trust: this.trusted, index: this.index }, code)
    this.trusted.mustTrust(code)
  }

  /** Take in the jobs of folders that have just been written. */
  async take(ids: readonly JobId[]): Promise<JobSummary[]> {
    const taken: JobSummary[] = []
    for (const id of ids) {
      const entry = await this.index.load(id)
      if (!entry) continue
      // what its form asks for a stranger wrote: with code of theirs it would be outside of what Node watches over
      if (entry.kind === 'dataset') await this.addons.note(id, entry.kind, await formOf(this.options.store, entry))
      // nobody is at it here, and its code is a stranger's
      if (/^(queued|running|interrupted)$/.test(entry.state.state))
        await this.workshop.put(entry, { ...entry.state, state: 'stopped' })
      else this.workshop.tell(entry)
      taken.push(this.summary(entry))
    }
    return taken
  }

  private summary(entry: Entry): JobSummary {
    const untrusted = this.trusted.untrusted(entry.code)
    return { ...summaryOf(entry), ...(untrusted.length ? { untrusted } : {}) }
  }

  private told(entry: Entry, event: JobEvent): void {
    // an upload has become a dataset: nobody needs it any more
    if (event.kind === 'done' && entry.uploads.length) sweepUploads(this.options.store, this.index).catch(() => {})
    // what code came with it is known only now
    if (event.kind === 'done' && entry.kind === 'pretrained')
      this.index
        .readCode(entry)
        .then(() => this.workshop.tell(entry))
        .catch(() => {})
  }
}

const refusePath = async (path: string): Promise<void> => {
  throw new StudioError(`'${path}': no paths can be named here, only what was uploaded`, 403)
}
