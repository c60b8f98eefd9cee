import type { DatasetResult, Forms, JobKind, RequestFault } from '../api/index.js'

/** What a job gets into its folder before it starts, by path: `net.prototxt`, `solver.prototxt`; beside `layers/…`. */
export type PreparedFiles = Readonly<Record<string, string>>

/** What a form is checked against. */
export interface Surroundings {
  /** What the parent dataset consists of; undefined where the form names none. */
  readonly dataset?: DatasetResult
  /** What prototxts in a job's folder call the parent dataset's: `../20261129-0131-k7f3`. */
  readonly datasetFolder?: string
}

/**
 * A form of one job (no field has several values) to its files, or what is wrong with it, at paths of the form
 * (`solver.rate`). Pure text: nothing is built or run.
 */
export type Prepare = <K extends JobKind>(
  kind: K,
  form: Forms[K],
  surroundings: Surroundings,
) => { readonly files: PreparedFiles } | { readonly faults: readonly RequestFault[] }
