import type { JobKind } from '../api/index.js'
import type { JobFunction } from '../core/job_context.js'

/** What each kind of job does; loaded when one starts. */
const jobs: { readonly [K in JobKind]: () => Promise<JobFunction<K>> } = {
  dataset: async () => (await import('./make_dataset.js')).makeDatasetJob,
  model: async () => (await import('./train.js')).train,
  evaluation: async () => (await import('./evaluate.js')).evaluateJob,
  pretrained: async () => (await import('./pretrained.js')).pretrainedJob,
}

export async function jobFunction(kind: JobKind): Promise<JobFunction> {
  return (await jobs[kind]()) as JobFunction
}
