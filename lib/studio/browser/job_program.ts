import type { ProjectContext } from '../core/job_context.js'
import type { Command, Start } from '../core/runner.js'
import { jobFunction } from '../jobs/index.js'
import { runJob } from '../jobs/run_job.js'
import type { Channel } from './calls.js'

/** What a worker that runs a job is told. */
export type ToJob = { readonly start: Start } | { readonly command: Command }

/** What it tells: that all is written; or that not even its end could be. */
export type FromJob = { readonly over: true } | { readonly broken: string }

/**
 * Run the job that somebody names over the channel, in this worker and to its end.
 * @param settled waits until what was written is where others read it
 */
export function serveJob(channel: Channel, project: ProjectContext, settled = async (): Promise<void> => {}): void {
  const listeners: ((command: Command) => void)[] = []
  const run = async (start: Start): Promise<void> => {
    const say = (said: FromJob): void => channel.postMessage(said)
    try {
      await runJob(start, jobFunction, { project, onCommand: listener => listeners.push(listener) })
      await settled()
      say({ over: true })
    } catch (error) {
      say({ broken: error instanceof Error ? error.message : String(error) })
    }
  }
  channel.addEventListener('message', ({ data }) => {
    const told = data as ToJob
    if ('start' in told) void run(told.start)
    else if ('command' in told) for (const listener of listeners) listener(told.command)
  })
}
