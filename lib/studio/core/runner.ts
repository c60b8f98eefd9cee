import type { JobId, JobKind } from '../api/index.js'

/** What a running job can be told. `stars`: read again which snapshots a person keeps. */
export type Command = 'stop' | 'snapshot' | 'stars'

/** What a job is found by when the program that started it is gone: plain data. */
export type Mark = Readonly<Record<string, string | number>>

/** How a job that is over ended, as far as the outside sees it; `reason` is for a person. */
export interface Exit {
  /** It came to its own end, good or bad: its events say which. */
  readonly orderly: boolean
  readonly reason: string
}

/** A job that somebody is at. */
export interface Handle {
  readonly mark: Mark
  command(command: Command): void
  /** At once, without its leave: it is interrupted then. */
  kill(): void
  /** Settles when nobody is at it any more. */
  readonly exited: Promise<Exit>
}

export interface Start {
  readonly id: JobId
  readonly kind: JobKind
  readonly attempt: number
  readonly threads: number
}

/** Starts jobs. What happens in them goes through their `events.jsonl`, whoever started them. */
export interface Runner {
  start(job: Start): Promise<Handle>
  /** A job that was running, by its mark: undefined if nobody is at it any more. */
  adopt(id: JobId, mark: Mark): Promise<Handle | undefined>
}
