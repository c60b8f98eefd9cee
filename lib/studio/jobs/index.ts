import type { JobKind } from '../api/index.js'
import type { JobFunction } from '../core/job_context.js'

/** What each kind of job does; loaded when one starts. */
const jobs: { readonly [K in JobKind]?: () => Promise<JobFunction<K>> } = {
  dataset: async () => (await import('./make_dataset.js')).makeDatasetJob,
  model: async () => (await import('./train.js')).train,
}

export async function jobFunction(kind: JobKind): Promise<JobFunction> {
  const load = jobs[kind]
  if (!load) throw new Error(`nothing here does jobs of the kind '${kind}'`)
  return (await load()) as JobFunction
}
