import type { FileOptions } from '../../system/files.js'
import type { JobEvent, JobId } from '../api/index.js'
import type { JobFile } from './job_files.js'
import type { Command } from './runner.js'
import type { Store } from './store.js'

/** An event before it has its number and time. */
export type JobEventBody = JobEvent extends infer E ? (E extends JobEvent ? Omit<E, 'seq' | 't'> : never) : never

/** What functions get that read a project: jobs, and those that look at jobs. */
export interface ProjectContext {
  readonly store: Store
  /** For nets and solvers: how they read and write what prototxts name. */
  readonly files: FileOptions
  /**
   * What nets, solvers and prototxts call a file of the project, such as `jobs/ID/train_db`; of an upload `U`, whose files lie
   * in `uploads/U/files` under their own paths, that folder.
   */
  place(path: string): string
  /** Milliseconds between two saves of a training that may end at any moment (see Checkpoints); undefined where it may not. */
  readonly checkpointEvery?: number
  /**
   * Compile files of custom layers (TypeScript or JavaScript, by name) and register what they export, as `--layers` does.
   * Throws a StudioError with faults where they do not compile.
   */
  loadCode(files: Readonly<Record<string, string>>): Promise<void>
}

/** A method of Looking as it is written: of a project. */
export type WithProject<F> = F extends (...args: infer A) => infer R
  ? (context: ProjectContext, ...args: A) => R
  : never

/** What a job gets beside what it is made of. */
export interface JobContext extends ProjectContext {
  readonly id: JobId
  /** The job's folder in the store. */
  readonly folder: string
  readonly attempt: number
  readonly threads: number
  /** It is to stop, cleanly and soon. */
  readonly signal: AbortSignal
  /** Be told of commands other than stop. */
  onCommand(listener: (command: Command) => void): void
  /** Numbered and written at once: it lasts even if the job is killed right after. */
  emit(event: JobEventBody): void
  /** A line of `log.txt`. */
  log(line: string): void
}

/**
 * What a kind of job does. Resolves when it is over: `stopped` if the signal ended it. What it throws is why it failed, for a
 * person. It may find what an earlier attempt left in the folder.
 */
export type JobFunction<K extends JobFile['kind'] = JobFile['kind']> = (
  job: JobFile<K>,
  context: JobContext,
) => Promise<'done' | 'stopped'>
