import type { Forms, JobKind } from './forms.js'
import type { Job, JobMeta, JobState, JobSummary, StudioEvent } from './jobs.js'
import type {
  Comparison,
  EvaluatedPage,
  EvaluatedQuery,
  Inspection,
  InspectRequest,
  ItemPage,
  ItemQuery,
  LayerReport,
  Metrics,
  MetricsQuery,
  Prediction,
  SolverPreview,
  TestOneRequest,
} from './looking.js'
import type { JobId, SetName } from './names.js'

/** Where a page runs, and what can be done there. */
export interface StudioInfo {
  readonly version: string
  /** A server computes; or this browser does. */
  readonly mode: 'server' | 'browser'
  /** Name of the folder of the project. */
  readonly project: string
  /** Those that start here. A server tries them when somebody first asks, and tells of more once it knows. */
  readonly engines: readonly string[]
  readonly cores: number
  /** Whether several threads can be used: a page needs two headers for that. */
  readonly threads: boolean
  /** Trainings at once. */
  readonly trainings: number
  readonly paused: boolean
  /** Whether paths of the server can be named. */
  readonly paths: boolean
  readonly standardNets: readonly { readonly name: string; readonly title: string; readonly note: string }[]
  /** Bytes; left out where nobody can tell. */
  readonly space?: { readonly used: number; readonly free: number }
  readonly limits: { readonly upload: number; readonly pixels: number }
}

/** Which jobs are listed; all where nothing is said. */
export interface JobQuery {
  readonly kind?: JobKind
  readonly state?: JobState
  readonly group?: string
  /** Words that stand in name, notes, group or id. */
  readonly text?: string
}

/** One thing that is wrong with what was asked, at its path in the request. */
export interface RequestFault {
  readonly path: string
  readonly message: string
  readonly line?: number
}

/** How events are listened to. */
export interface ListenOptions {
  readonly signal: AbortSignal
  /** The id of the last event that was seen. */
  readonly after?: number
  /** Why nobody answers; undefined once somebody does. */
  readonly onLink?: (error: unknown) => void
}

/**
 * Everything that a page can do: over HTTP with a server, or by messages to a worker without one. What is wrong is thrown as
 * a StudioError: nothing is half done then.
 */
export interface Studio {
  /** Where this runs, and what can be done there. */
  info(): Promise<StudioInfo>

  /** In order of creation, the newest first. */
  jobs(query?: JobQuery): Promise<JobSummary[]>
  /** All of a job but its files. */
  job(id: JobId): Promise<Job>
  /** Several jobs where a field has several values. */
  create<K extends JobKind>(kind: K, form: Forms[K]): Promise<JobSummary[]>
  /** Give a job another name, notes, group or star. */
  change(id: JobId, meta: Partial<JobMeta>): Promise<JobSummary>
  /** For a day it can be brought back. A job that others are made from stays: the error names them. */
  remove(id: JobId): Promise<void>
  /** Bring back a job that was deleted. */
  restore(id: JobId): Promise<JobSummary>
  /** Ask a job to end soon and in order; asked again, it is ended at once. */
  stop(id: JobId): Promise<void>
  /** Let a job that has stopped, failed or was interrupted go on. */
  resume(id: JobId): Promise<void>
  /** A snapshot of a training, now. */
  snapshot(id: JobId): Promise<void>
  /** Mark a snapshot as one to keep, or not. */
  star(id: JobId, iter: number, starred: boolean): Promise<void>
  /** What the next job of this kind would be filled in with. */
  clone(id: JobId): Promise<{ kind: JobKind; form: Forms[JobKind] }>
  /** Waiting jobs in the order in which they start. */
  order(ids: readonly JobId[]): Promise<void>
  /** Start no waiting job, or start them again. */
  pause(paused: boolean): Promise<void>
  /** This code may run, now and later. */
  trust(sha256: readonly string[]): Promise<void>

  /** The curves of a training, thinned. */
  metrics(id: JobId, query?: MetricsQuery): Promise<Metrics>
  /** Lines of the log from line `after` on (default 0), and the number of the next. */
  log(id: JobId, after?: number): Promise<{ lines: string[]; next: number }>
  /** The files of a job, by their paths in its folder. */
  files(id: JobId): Promise<{ path: string; bytes: number }[]>
  /** An address that gives the file once, to be opened or downloaded. */
  address(id: JobId, path: string): Promise<string>
  /** A file of text. */
  text(id: JobId, path: string): Promise<string>
  /**
   * Ends by the signal. `after`: the id of the last one that was seen. `onLink` is told why there is no answer each time one is
   * asked for in vain, and nothing when there is one again; what has no server tells nothing.
   */
  listen(listener: (event: StudioEvent) => void, options: ListenOptions): void

  /** Files by their paths, such as those of a folder; resolves to the name for `Place`. */
  upload(
    files: readonly { readonly path: string; readonly file: Blob }[],
    options?: { onProgress?: (bytes: number, total: number) => void; signal?: AbortSignal },
  ): Promise<string>
  /** Names that go on from `prefix`, under the server's data folders. */
  paths(prefix: string): Promise<{ path: string; folder: boolean }[]>

  /** A page of the pictures of a set. */
  items(dataset: JobId, query: ItemQuery): Promise<ItemPage>
  /** A PNG. */
  picture(dataset: JobId, set: SetName, item: number): Promise<Blob>
  /** The mean of the pictures to train on, a PNG. */
  meanPicture(dataset: JobId): Promise<Blob>
  /** What of a source would become of the settings: a few pictures before and after, or what is wrong. */
  previewDataset(form: Forms['dataset']): Promise<{
    readonly pictures: number
    readonly classes: readonly string[]
    readonly examples: readonly { readonly name: string; readonly before: Blob; readonly after: Blob }[]
    readonly skipped: readonly { readonly file: string; readonly reason: string }[]
  }>

  /** The text of a standard net for a dataset, and settings that suit it. */
  standardNet(name: string, dataset: JobId): Promise<{ net: string; form: Partial<Forms['model']> }>
  /** What is wrong with the text of a net, and one stage of it as a graph. */
  inspect(request: InspectRequest, signal?: AbortSignal): Promise<Inspection>
  /** What a form would make of a training. */
  previewSolver(form: Forms['model']): Promise<SolverPreview>
  /** Compile custom layers, and hold their gradients against differences. */
  checkLayers(layers: Readonly<Record<string, string>>): Promise<LayerReport>

  /** What a model says about a picture, and what each of its layers did. */
  testOne(model: JobId, request: TestOneRequest, signal?: AbortSignal): Promise<Prediction>
  /** A page of the items of an evaluation. */
  evaluated(evaluation: JobId, query?: EvaluatedQuery): Promise<EvaluatedPage>
  /** An address that gives a zip once: the net, its weights, labels, mean, code. */
  archive(model: JobId, iter?: number): Promise<string>
  /** An address that gives a zip of whole jobs once. */
  project(ids?: readonly JobId[]): Promise<string>
  /** Jobs of a project's zip come in. */
  importProject(upload: string): Promise<JobSummary[]>
  /** The settings in which jobs differ, and their nets. */
  compare(ids: readonly JobId[]): Promise<Comparison>
}

/** Why a Studio did not do what was asked. */
export class StudioError extends Error {
  override readonly name = 'StudioError'

  constructor(
    message: string,
    readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503 = 400,
    /** Each thing that is wrong, where the request says it. */
    readonly faults: readonly RequestFault[] = [],
  ) {
    super(message)
  }
}
