import type { JobEvent } from '../api/index.js'
import { EventTail } from './events.js'
import { pathsOf } from './job_files.js'
import type { Entry } from './job_index.js'
import type { Exit, Handle } from './runner.js'
import { foldEvent } from './state.js'
import type { States } from './states.js'
import type { Store } from './store.js'

/** State is written at most once in so many milliseconds, changes of what it is doing at once. */
const SAVE = 1000

export interface Watcher {
  /** An event that was folded into the entry's state. */
  event(entry: Entry, event: JobEvent): void
  /** Some of the state has changed: at most once a second, and at every change of what the job does. */
  changed(entry: Entry): void
}

/** A job that somebody is at: follows its events into its state until it is over. */
export class RunningJob {
  private readonly tail: EventTail
  private timer: ReturnType<typeof setTimeout> | undefined
  private reading: Promise<void> = Promise.resolve()
  private saved = 0
  private ended = false
  private abandoned = false
  /** A person asked it to stop. */
  stopping = false
  /** Settles when the process is gone and all that it wrote is read. */
  readonly over: Promise<Exit>

  constructor(
    store: Store,
    private readonly states: States,
    readonly entry: Entry,
    readonly handle: Handle,
    private readonly watcher: Watcher,
    private readonly poll: number,
  ) {
    this.tail = new EventTail(store, pathsOf(entry.id).events, entry.state.read)
    this.schedule()
    this.over = handle.exited.then(async exit => {
      this.detach()
      await this.follow()
      return exit
    })
  }

  /** Look no more; the job goes on, and somebody else may follow it. */
  async abandon(): Promise<void> {
    this.detach()
    this.abandoned = true
    await this.reading.catch(() => {})
  }

  private detach(): void {
    this.ended = true
    clearTimeout(this.timer)
  }

  /** Read what has come; resolves when the state tells it. */
  follow(): Promise<void> {
    this.reading = this.reading.catch(() => {}).then(() => this.read())
    return this.reading
  }

  private schedule(): void {
    this.timer = setTimeout(async () => {
      // a file that cannot be read now is read later
      await this.follow().catch(() => {})
      if (!this.ended) this.schedule()
    }, this.poll)
  }

  private async read(): Promise<void> {
    if (this.abandoned) return
    const events = await this.tail.next()
    if (this.abandoned || !events.length) return
    const { entry } = this
    const before = entry.state.state
    for (const event of events) {
      entry.state = { ...foldEvent(entry.state, event), read: this.tail.position }
      this.watcher.event(entry, event)
    }
    const now = Date.now()
    if (entry.state.state === before && !this.ended && now - this.saved < SAVE) return
    this.saved = now
    await this.states.keep(entry)
    this.watcher.changed(entry)
  }
}
