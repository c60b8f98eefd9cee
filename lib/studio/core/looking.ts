import type {
  Comparison,
  DatasetForm,
  EvaluatedPage,
  EvaluatedQuery,
  Inspection,
  InspectRequest,
  ItemPage,
  ItemQuery,
  JobId,
  LayerReport,
  ModelForm,
  Prediction,
  SetName,
  SolverPreview,
  TestOneRequest,
} from '../api/index.js'

/**
 * The part of a Studio that computes: it runs in a process or worker of its own, which may be ended at any time, and answers
 * with plain data (no Blob). Every method of `lib/studio/jobs/looking.ts` is one of these, with a ProjectContext before.
 */
export interface Looking {
  items(dataset: JobId, query: ItemQuery): Promise<ItemPage>
  /** A PNG. */
  picture(dataset: JobId, set: SetName, item: number): Promise<Uint8Array>
  /** A PNG. */
  meanPicture(dataset: JobId): Promise<Uint8Array>
  previewDataset(form: DatasetForm): Promise<DatasetPreview>
  standardNet(name: string, dataset: JobId): Promise<{ net: string; form: Partial<ModelForm> }>
  inspect(request: InspectRequest): Promise<Inspection>
  previewSolver(form: ModelForm): Promise<SolverPreview>
  checkLayers(layers: Readonly<Record<string, string>>): Promise<LayerReport>
  testOne(model: JobId, request: TestOneRequest): Promise<Prediction>
  /** The picture of a request as a PNG, where reading it takes a native library. */
  decoded(picture: TestOneRequest['picture']): Promise<{ file: Uint8Array; label?: number } | undefined>
  evaluated(evaluation: JobId, query: EvaluatedQuery): Promise<EvaluatedPage>
  compare(ids: readonly JobId[]): Promise<Comparison>
  /** Write the zip of a model to the path `to` of the project. */
  archive(model: JobId, iter: number | undefined, to: string): Promise<void>
  /** Write a zip of whole jobs to the path `to`. */
  project(ids: readonly JobId[], to: string): Promise<void>
  /** Unpack the jobs of a project's zip, which lies in the project, into folders of their own: those that are new. */
  unpackProject(zip: string): Promise<JobId[]>
}

/** As Studio.previewDataset, with PNGs as bytes. */
export interface DatasetPreview {
  readonly pictures: number
  readonly classes: readonly string[]
  readonly examples: readonly { readonly name: string; readonly before: Uint8Array; readonly after: Uint8Array }[]
  readonly skipped: readonly { readonly file: string; readonly reason: string }[]
}

/** Calls of Looking, with the signal that ends one. */
export type Inspector = {
  [M in keyof Looking]: (...args: [...Parameters<Looking[M]>, signal?: AbortSignal]) => ReturnType<Looking[M]>
}
