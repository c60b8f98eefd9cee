import { computed, signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { JobEvent, JobId, JobSummary, Studio, StudioEvent, StudioInfo } from '../api/index.js'
import { texts } from './texts.js'

/** A short message, with something to do about it. */
export interface Notice {
  readonly id: number
  readonly text: string
  readonly bad: boolean
  readonly action?: { readonly label: string; readonly run: () => void }
}

/** How often a burst of events reaches the screen, in milliseconds. */
const GATHER = 80

/** A hidden page gives its stream back after this time, in milliseconds. */
const PATIENCE = 20_000

/** What all screens share: the studio, its jobs as they stand now, notices. */
export class Desk {
  readonly info = signal<StudioInfo | undefined>(undefined)
  readonly jobs = signal<ReadonlyMap<JobId, JobSummary>>(new Map())
  /** Why the list could not be read; nothing while all is well. */
  readonly failure = signal('')
  readonly ready = signal(false)
  /** Why nobody answers any more; nothing while somebody does. */
  readonly lost = signal('')
  readonly notices = signal<readonly Notice[]>([])
  /** Counts up whenever everything must be read anew. */
  readonly resets = signal(0)
  readonly running = computed(() => [...this.jobs.value.values()].filter(job => job.state === 'running').length)
  readonly queued = computed(() => [...this.jobs.value.values()].filter(job => job.state === 'queued').length)

  private readonly listeners = new Map<JobId, Set<(event: JobEvent) => void>>()
  private changes = new Map<JobId, JobSummary | undefined>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private lastEvent: number | undefined
  private noticeId = 0

  constructor(readonly studio: Studio) {}

  /** Read what is there, and follow what happens until the signal ends it. */
  start(signal: AbortSignal): void {
    void this.load()
    let stream = new AbortController()
    let hiding: ReturnType<typeof setTimeout> | undefined
    const listen = (): void => {
      stream = new AbortController()
      this.studio.listen(event => this.take(event), {
        signal: AbortSignal.any([signal, stream.signal]),
        after: this.lastEvent,
        onLink: error => {
          this.lost.value = error === undefined ? '' : messageOf(error)
        },
      })
    }
    listen()
    document.addEventListener(
      'visibilitychange',
      () => {
        clearTimeout(hiding)
        if (document.hidden) hiding = setTimeout(() => stream.abort(), PATIENCE)
        else if (stream.signal.aborted) listen()
      },
      { signal },
    )
  }

  async load(): Promise<void> {
    try {
      const [info, jobs] = await Promise.all([this.studio.info(), this.studio.jobs()])
      this.info.value = info
      this.jobs.value = new Map(jobs.map(job => [job.id, job]))
      this.failure.value = ''
      this.ready.value = true
    } catch (error) {
      this.failure.value = messageOf(error)
    }
  }

  /** Ask again what can be done here: engines are tried while one looks around. */
  async look(): Promise<void> {
    this.info.value = await this.studio.info().catch(() => this.info.value)
  }

  /** What happens in one job. Returns what ends it. */
  follow(id: JobId, listener: (event: JobEvent) => void): () => void {
    const set = this.listeners.get(id) ?? new Set()
    this.listeners.set(id, set.add(listener))
    return () => void set.delete(listener)
  }

  /** Put in jobs that an answer brought, before the stream tells of them. */
  put(...jobs: readonly JobSummary[]): void {
    for (const job of jobs) this.changes.set(job.id, job)
    this.flush()
  }

  say(text: string, action?: Notice['action']): void {
    this.notice({ text, bad: false, action })
  }

  complain(error: unknown): void {
    if (!isAbort(error)) this.notice({ text: messageOf(error), bad: true })
  }

  dismiss(id: number): void {
    this.notices.value = this.notices.value.filter(notice => notice.id !== id)
  }

  /** Run what may fail; a failure is told. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.complain(error)
      return undefined
    }
  }

  /** Delete a job, with a way back. */
  async remove(job: JobSummary): Promise<boolean> {
    const done = await this.attempt(async () => {
      await this.studio.remove(job.id)
      this.changes.set(job.id, undefined)
      this.flush()
      this.say(texts.jobs.deleted(job.name), {
        label: texts.undo,
        run: () => void this.attempt(async () => this.put(await this.studio.restore(job.id))),
      })
      return true
    })
    return done ?? false
  }

  private notice(notice: Omit<Notice, 'id'>): void {
    const id = ++this.noticeId
    this.notices.value = [...this.notices.value.slice(-3), { ...notice, id }]
    setTimeout(() => this.dismiss(id), notice.bad ? 15_000 : 9000)
  }

  private take(event: StudioEvent): void {
    this.lastEvent = event.id
    if (event.kind === 'reset') {
      this.resets.value++
      void this.load()
      return
    }
    if (event.kind === 'event') {
      for (const listener of this.listeners.get(event.job) ?? []) listener(event.event)
      return
    }
    if (event.kind === 'job') this.changes.set(event.job.id, event.job)
    else this.changes.set(event.job, undefined)
    this.timer ??= setTimeout(() => this.flush(), GATHER)
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const jobs = new Map(this.jobs.value)
    for (const [id, job] of this.changes) {
      if (job) jobs.set(id, job)
      else jobs.delete(id)
    }
    this.changes = new Map()
    this.jobs.value = jobs
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

export const DeskContext = createContext<Desk | undefined>(undefined)

export function useDesk(): Desk {
  const desk = useContext(DeskContext)
  if (!desk) throw new Error('a screen stands outside the desk')
  return desk
}
