import { type JobEvent, type JobId, StudioError } from '../api/index.js'
import type { Addons } from './addons.js'
import { type Entry, type JobIndex, summaryOf } from './job_index.js'
import type { Exit, Handle, Runner } from './runner.js'
import { RunningJob } from './running_job.js'
import { hasGained, type StateFile } from './state.js'
import { States } from './states.js'
import type { Store } from './store.js'
import type { EventStream } from './stream.js'
import type { Trust } from './trust.js'
import { type Lane, laneOf, type Waiting } from './waiting.js'

/** Attempts in a row that may bring nothing before a job waits for a person. */
const FRUITLESS = 2

export interface WorkshopOptions {
  readonly store: Store
  readonly runner: Runner
  readonly index: JobIndex
  readonly waiting: Waiting
  readonly trust: Trust
  readonly addons: Addons
  readonly stream: EventStream
  /** Trainings at once. */
  readonly trainings: number
  readonly cores: number
  /** Milliseconds between looks at a running job's events. */
  readonly poll: number
  /** Told of every event of a job. */
  readonly onEvent: (entry: Entry, event: JobEvent) => void
}

/** Where jobs run: starts them when it is their turn, follows them, and starts again what was interrupted. */
export class Workshop {
  private readonly running = new Map<JobId, RunningJob>()
  private readonly starting = new Set<JobId>()
  private readonly states: States
  private closed = false
  private readonly watcher = {
    event: (entry: Entry, event: JobEvent) => {
      this.options.onEvent(entry, event)
      this.options.stream.emit({ kind: 'event', job: entry.id, event })
    },
    changed: (entry: Entry) => this.tell(entry),
  }

  constructor(private readonly options: WorkshopOptions) {
    this.states = new States(options.store, entry => this.tell(entry))
  }

  /** What was going on when this project was last open: jobs that still run are followed, the others start again. */
  async takeOver(): Promise<void> {
    const { index, runner, waiting } = this.options
    for (const entry of index.all()) {
      const { state } = entry.state
      if (entry.removed !== undefined || (state !== 'running' && state !== 'interrupted' && state !== 'queued'))
        continue
      const handle = await runner.adopt(entry.id)
      if (handle) this.follow(this.watch(entry, handle))
      else if (state === 'running') {
        // its last words may be those of a job that came to its end
        await this.settle(entry, await this.watch(entry, DEAD).over, false)
      } else if (state === 'queued' && !waiting.has(entry.id)) await waiting.add(entry.id)
    }
    for (const id of waiting.order) {
      const entry = index.find(id)
      const waits = entry?.removed === undefined && entry && /^(queued|interrupted)$/.test(entry.state.state)
      if (!waits || this.running.has(id)) await waiting.remove(id)
    }
    this.pump()
  }

  isStarting(id: JobId): boolean {
    return this.starting.has(id)
  }

  /** Whether somebody is at it; for a moment longer than its state says. */
  private isRunning(id: JobId): boolean {
    return this.running.has(id) || this.starting.has(id)
  }

  async enqueue(entry: Entry, first = false): Promise<void> {
    await this.options.waiting.add(entry.id, first)
    this.pump()
  }

  /** Start what may start. */
  pump(): void {
    if (this.closed || this.options.waiting.paused) return
    const { waiting, index, trust } = this.options
    for (const id of [...waiting.order]) {
      const entry = index.find(id)
      if (!entry || entry.removed !== undefined || this.isRunning(id)) continue
      if (this.busy(laneOf(entry.kind)) >= this.places(laneOf(entry.kind))) continue
      if (trust.untrusted(entry.code).length) continue
      this.starting.add(id)
      this.start(entry)
        .catch(async error => {
          await this.leave(entry)
          await this.fail(entry, error)
        })
        .finally(() => this.starting.delete(id))
        .then(() => this.pump())
    }
  }

  /** Stop a job: the first time it may come to its end, the second time it is ended. */
  async stop(entry: Entry): Promise<void> {
    const job = this.running.get(entry.id)
    if (job && !/^(done|failed|stopped)$/.test(entry.state.state)) {
      if (job.stopping) return job.handle.kill()
      // one that cannot be told can still be ended
      job.stopping = true
      return job.handle.command('stop')
    }
    if (this.starting.has(entry.id)) throw new StudioError(`'${entry.meta.name}' is just being started: try again`, 409)
    if (!/^(queued|interrupted)$/.test(entry.state.state))
      throw new StudioError(`'${entry.meta.name}' does not run: it is ${entry.state.state}`, 409)
    await this.options.waiting.remove(entry.id)
    await this.put(entry, { ...entry.state, state: 'stopped' })
  }

  async command(entry: Entry, command: 'snapshot' | 'stars'): Promise<void> {
    const job = this.running.get(entry.id)
    if (job) await job.handle.command(command)
    else if (command === 'snapshot') throw new StudioError(`'${entry.meta.name}' does not run`, 409)
  }

  /** Give a job a new state, on disk and to those who look. */
  async put(entry: Entry, state: StateFile): Promise<void> {
    entry.state = state
    await this.states.save(entry)
    this.tell(entry)
  }

  tell(entry: Entry): void {
    const untrusted = this.options.trust.untrusted(entry.code)
    const job = { ...summaryOf(entry), ...(untrusted.length ? { untrusted } : {}) }
    this.options.stream.emit({ kind: 'job', job })
  }

  /** Let go of running jobs: they go on by themselves. */
  async close(): Promise<void> {
    this.closed = true
    this.states.close()
    await Promise.all([...this.running.values()].map(job => job.abandon()))
  }

  /** The same where nobody waits for it: never rejects. */
  private async keep(entry: Entry, state: StateFile): Promise<void> {
    entry.state = state
    await this.states.keep(entry)
    this.tell(entry)
  }

  private fail(entry: Entry, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error)
    return this.keep(entry, { ...entry.state, state: 'failed', error: reason })
  }

  /** A job waits no more. A queue that cannot be written has it still, and whoever opens the project sees that it does not. */
  private leave(entry: Entry): Promise<void> {
    return this.options.waiting.remove(entry.id, true)
  }

  private places(lane: Lane): number {
    return lane === 'training' ? this.options.trainings : 1
  }

  private busy(lane: Lane): number {
    const ids = [...new Set([...this.running.keys(), ...this.starting])]
    return ids.filter(id => laneOf(this.options.index.find(id)!.kind) === lane).length
  }

  private async start(entry: Entry): Promise<void> {
    const { runner, addons, cores, trainings } = this.options
    const { eta, error, ...state } = entry.state
    const attempt = state.attempt + 1
    const threads = Math.max(1, Math.floor(cores / trainings))
    const found = await runner.adopt(entry.id)
    const job = { id: entry.id, kind: entry.kind, attempt, threads, addons: addons.has(entry.id) }
    const handle = found ?? (await runner.start(job))
    // an attempt that ends before its first event has gained nothing either
    const { farthest: before, snapshots: snapshotsBefore } = state
    entry.state = { ...state, state: 'running', ...(found ? {} : { attempt, before, snapshotsBefore }) }
    this.follow(this.watch(entry, handle))
    await Promise.all([this.leave(entry), this.states.keep(entry)])
    this.tell(entry)
  }

  private watch(entry: Entry, handle: Handle): RunningJob {
    const { store, poll } = this.options
    return new RunningJob(store, this.states, entry, handle, this.watcher, poll)
  }

  private follow(job: RunningJob): void {
    const { entry } = job
    this.running.set(entry.id, job)
    job.over
      .then(exit => this.settle(entry, exit, job.stopping))
      .catch(error => this.fail(entry, error))
      .finally(() => {
        this.running.delete(entry.id)
        this.pump()
      })
  }

  /** A job is over: by its own word, or it was interrupted. */
  private async settle(entry: Entry, exit: Exit, stopped: boolean): Promise<void> {
    const { state } = entry
    if (this.closed || state.state !== 'running') return
    if (stopped) return this.keep(entry, { ...state, state: 'stopped' })
    const fruitless = hasGained(state) ? 0 : state.fruitless + 1
    const again = fruitless < FRUITLESS
    const error = again
      ? exit.reason
      : `${exit.reason}\nIt was ended ${fruitless} times in a row without getting further: it waits until you resume it.`
    await this.keep(entry, { ...state, state: 'interrupted', fruitless, error })
    if (!again) return
    try {
      await this.options.waiting.add(entry.id, true)
    } catch (failure) {
      const why = `It waits until you resume it: ${(failure as Error).message}`
      await this.keep(entry, { ...entry.state, error: `${exit.reason}\n${why}` })
    }
  }
}

/** What is left of a process that ended while nobody looked. */
const DEAD = {
  async command() {},
  kill() {},
  exited: Promise.resolve({ orderly: false, reason: 'its process ended while no server ran' }),
}
