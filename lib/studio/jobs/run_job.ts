import { EventWriter } from '../core/events.js'
import type { JobEventBody, JobFunction, ProjectContext } from '../core/job_context.js'
import { folderOf, type JobFile, pathsOf } from '../core/job_files.js'
import type { Command, Start } from '../core/runner.js'
import { readJson, type Store } from '../core/store.js'

/** What wraps a job: a process, a worker. */
export interface Surroundings {
  readonly project: ProjectContext
  /** Told of the commands for this job. */
  readonly onCommand: (listener: (command: Command) => void) => void
  /** Called now and then while it runs; the bytes that the job takes, where somebody can tell. */
  readonly memory?: () => number
}

/** Milliseconds between two looks at the memory. */
const MEMORY = 5000

/**
 * One attempt of a job, from its folder to its last event. Resolves when all is written; what went wrong is an event, and is
 * thrown only where not even that can be written.
 */
export async function runJob(
  start: Pick<Start, 'id' | 'attempt' | 'threads'>,
  find: (kind: JobFile['kind']) => Promise<JobFunction>,
  { project, onCommand, memory }: Surroundings,
): Promise<void> {
  const { store } = project
  const paths = pathsOf(start.id)
  const events = await EventWriter.open(store, paths.events)
  const log = await store.appender(paths.log)
  const stop = new AbortController()
  const listeners: ((command: Command) => void)[] = []
  onCommand(command => {
    if (command === 'stop') stop.abort()
    else for (const listener of listeners) listener(command)
  })
  const emit = (event: JobEventBody) => events.emit(event)
  const watch = memory && setInterval(() => emit({ kind: 'memory', bytes: memory() }), MEMORY)
  let iter: number | undefined
  try {
    const job = await readJob(store, start.id)
    const run = await find(job.kind)
    const end = await run(job, {
      ...project,
      id: start.id,
      folder: folderOf(start.id),
      attempt: start.attempt,
      threads: start.threads,
      signal: stop.signal,
      onCommand: listener => listeners.push(listener),
      emit(event) {
        if ('iter' in event && event.kind !== 'test') iter = event.iter
        emit(event)
      },
      log: line => log.append(`${line}\n`),
    })
    emit(end === 'done' ? { kind: 'done' } : { kind: 'stopped', ...(iter === undefined ? {} : { iter }) })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.append(`${error instanceof Error ? (error.stack ?? reason) : reason}\n`)
    emit({ kind: 'failed', error: reason })
  } finally {
    clearInterval(watch)
    events.close()
    log.close()
  }
}

async function readJob(store: Store, id: string): Promise<JobFile> {
  const job = await readJson<JobFile>(store, pathsOf(id).job)
  if (!job) throw new Error('the job has no job.json')
  return job
}
