import type { Exit, Handle, Runner, Start } from '../core/runner.js'
import type { FromJob, ToJob } from './job_program.js'

/** A worker, as far as its job needs one. */
export interface JobWorker {
  postMessage(message: ToJob): void
  /** Told of every message, and of what the worker breaks on. */
  listen(listeners: { message: (said: FromJob) => void; error: (reason: string) => void }): void
  terminate(): void
}

/** A job in a worker, of this thread. */
export const jobWorker = (url: string | URL): JobWorker => {
  const worker = new Worker(url, { type: 'module', name: 'job' })
  return {
    postMessage: message => worker.postMessage(message),
    listen({ message, error }) {
      worker.addEventListener('message', ({ data }) => message(data as FromJob))
      worker.addEventListener('error', event => error(event.message || 'its program could not be loaded'))
      worker.addEventListener('messageerror', () => error('it said what cannot be read'))
    },
    terminate: () => worker.terminate(),
  }
}

/** Runs each job in a worker of its own. */
export class WorkerRunner implements Runner {
  /** @param place where a job runs: a worker, or a frame that shuts it in */
  constructor(private readonly place: (job: Start) => Promise<JobWorker>) {}

  async start(job: Start): Promise<Handle> {
    const worker = await this.place(job)
    let settle: (exit: Exit) => void = () => {}
    const exited = new Promise<Exit>(resolve => (settle = resolve))
    const end = (exit: Exit): void => {
      worker.terminate()
      settle(exit)
    }
    worker.listen({
      message: said =>
        end('over' in said ? { orderly: true, reason: 'it is over' } : { orderly: false, reason: said.broken }),
      error: reason => end({ orderly: false, reason: `its worker ended: ${reason}` }),
    })
    worker.postMessage({ start: job })
    return {
      command: async command => worker.postMessage({ command }),
      kill: () => end({ orderly: false, reason: 'it was ended at once' }),
      exited,
    }
  }

  /** Workers end with their page: nobody is at a job that this page did not start. */
  async adopt(): Promise<undefined> {}
}
