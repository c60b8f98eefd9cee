import { StudioError } from '../api/index.js'
import type { Inspector } from '../core/looking.js'
import { Caller, type Channel } from './calls.js'

/** Somebody who looks: a worker, or a frame that shuts one in. */
export interface Looker {
  readonly channel: Channel
  /** Called when it breaks. */
  onBroken(listener: (reason: string) => void): void
  terminate(): void
}

/** Milliseconds after which a request is given up, and the worker with it. */
const LIMIT = 120_000

export interface InspectorOptions {
  /** Who answers a call; the same for calls that one worker may answer. */
  readonly who: (method: string, args: readonly unknown[]) => Promise<string>
  readonly start: (who: string) => Promise<Looker>
  /** Whether one of them is ended when another one begins. */
  readonly givesWay?: (who: string, other: string) => boolean
  readonly limit?: number
}

interface Running {
  readonly caller: Caller
  readonly end: (reason: string) => void
}

/** Looking, in workers that are started when somebody asks, and again when they have ended. */
export class WorkerInspector {
  private readonly running = new Map<string, Promise<Running>>()
  readonly inspector: Inspector

  constructor(private readonly options: InspectorOptions) {
    this.inspector = new Proxy({} as Inspector, {
      get:
        (_, method: string) =>
        (...given: unknown[]) => {
          const signal = given.find((arg): arg is AbortSignal => arg instanceof AbortSignal)
          return this.call(
            method,
            given.filter(arg => !(arg instanceof AbortSignal)),
            signal,
          )
        },
    })
  }

  async close(): Promise<void> {
    for (const running of [...this.running.values()]) (await running).end('the project is closed')
  }

  private async call(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const { who, limit = LIMIT } = this.options
    const { caller, end } = await this.started(await who(method, args))
    const timer = setTimeout(() => end(`it took longer than ${limit / 1000} s`), limit)
    try {
      return await caller.call(method, args, { signal })
    } finally {
      clearTimeout(timer)
    }
  }

  private started(who: string): Promise<Running> {
    const found = this.running.get(who)
    if (found) return found
    for (const [one, running] of this.running)
      if (this.options.givesWay?.(one, who))
        running.then(
          ({ end }) => end('something else is looked at now'),
          () => {},
        )
    const starting = this.options.start(who).then(looker => {
      const caller = new Caller(looker.channel)
      const end = (reason: string): void => {
        if (this.running.get(who) === starting) this.running.delete(who)
        looker.terminate()
        caller.end(new StudioError(`this could not be looked at: ${reason}`, 503))
      }
      looker.onBroken(end)
      return { caller, end }
    })
    this.running.set(who, starting)
    starting.catch(() => this.running.delete(who))
    return starting
  }
}

/** A worker of this thread that looks. */
export function lookingWorker(url: string | URL): Looker {
  const worker = new Worker(url, { type: 'module', name: 'inspector' })
  return {
    channel: worker,
    onBroken(listener) {
      worker.addEventListener('error', event => listener(event.message || 'its program could not be loaded'))
    },
    terminate: () => worker.terminate(),
  }
}
