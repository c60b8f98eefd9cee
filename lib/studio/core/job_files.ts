import type { AnyForm, CodeFile, Forms, JobId, JobKind, JobMeta } from '../api/index.js'

/** `job.json`: what a job is made of. Never changed after it was written. */
export interface JobFile<K extends JobKind = JobKind> {
  readonly version: 1
  readonly id: JobId
  readonly kind: K
  /** One value where several were asked for: each has a job of its own. */
  readonly form: K extends JobKind ? Forms[K] : AnyForm
  readonly parents: { readonly dataset?: JobId; readonly model?: JobId }
  /** Milliseconds since 1970. */
  readonly created: number
  /** Files of `layers`, which are programs. */
  readonly code: readonly CodeFile[]
}

/** `meta.json`. */
export type MetaFile = JobMeta

export const JOBS = 'jobs'

export const isJobId = (text: unknown): text is JobId =>
  typeof text === 'string' && /^[0-9]{8}-[0-9]{4}-[a-z0-9]{4}$/.test(text)

export const folderOf = (id: JobId): string => `${JOBS}/${id}`

/** What others say of a job, in its folder: what it is made of, what it may run, how it is called and what became of it. */
const SAID = /^(?:(?:job|meta|state|removed|stars)\.json$|control\.jsonl$|layers(?:\/|$))/i

/** Whether a path is that of a file that the job itself writes: within its folder, and not what others say of it there. */
export function isOwnFile(id: JobId, path: string): boolean {
  const folder = `${folderOf(id)}/`
  return path.startsWith(folder) && !SAID.test(path.slice(folder.length))
}

/** Paths of a job's files in the project. */
export const pathsOf = (id: JobId) => {
  const folder = folderOf(id)
  return {
    folder,
    job: `${folder}/job.json`,
    meta: `${folder}/meta.json`,
    state: `${folder}/state.json`,
    events: `${folder}/events.jsonl`,
    control: `${folder}/control.jsonl`,
    log: `${folder}/log.txt`,
    /** Iterations of the snapshots that a person keeps: a list. */
    stars: `${folder}/stars.json`,
    /** There while it lies in the trash: since when. */
    removed: `${folder}/removed.json`,
    net: `${folder}/net.prototxt`,
    solver: `${folder}/solver.prototxt`,
    layers: `${folder}/layers`,
    snapshots: `${folder}/snapshots`,
    /** Of a dataset: as makeDataset writes it. Of an evaluation: its EvaluationResult. */
    summary: `${folder}/summary.json`,
  }
}

/** Files of the snapshot of an iteration, in `snapshots`. */
export const snapshotNames = (iter: number) => ({
  model: `model_iter_${iter}.caffemodel`,
  state: `model_iter_${iter}.solverstate`,
})

/** The iteration of a snapshot's file. */
export function iterationOf(name: string): number | undefined {
  const found = /^model_iter_(\d+)\.(?:caffemodel|solverstate)$/.exec(name)
  return found ? Number(found[1]) : undefined
}

/** Files of a checkpoint, in `snapshots`: see jobs/checkpoints.ts. */
export const checkpointNames = (iter: number) => ({
  model: `model_checkpoint_${iter}.caffemodel`,
  state: `model_checkpoint_${iter}.solverstate`,
})

/** The iteration of a checkpoint's file. */
export function checkpointOf(name: string): number | undefined {
  const found = /^model_checkpoint_(\d+)\.(?:caffemodel|solverstate)$/.exec(name)
  return found ? Number(found[1]) : undefined
}
