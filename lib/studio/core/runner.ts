import type { JobId, JobKind } from '../api/index.js'

/** What a running job can be told. `stars`: read again which snapshots a person keeps. */
export type Command = 'stop' | 'snapshot' | 'stars'

/** How a job that is over ended, as far as the outside sees it; `reason` is for a person. */
export interface Exit {
  /** It came to its own end, good or bad: its events say which. */
  readonly orderly: boolean
  readonly reason: string
}

/** A job that somebody is at. */
export interface Handle {
  /** Settles when it is on its way; rejects with a StudioError where the job cannot be told. */
  command(command: Command): Promise<void>
  /** At once, without its leave: it is interrupted then. Throws a StudioError where that must not be. */
  kill(): void
  /** Settles when nobody is at it any more. */
  readonly exited: Promise<Exit>
}

export interface Start {
  readonly id: JobId
  readonly kind: JobKind
  readonly attempt: number
  readonly threads: number
  /** Whether it may load native libraries: a person asked for an engine that is one. */
  readonly addons?: boolean
}

/** Starts jobs. What happens in them goes through their `events.jsonl`, whoever started them. */
export interface Runner {
  start(job: Start): Promise<Handle>
  /** A job that somebody is at already, such as a process that outlived the server: undefined if nobody is. */
  adopt(id: JobId): Promise<Handle | undefined>
}
