import { type ModelArchive, readModelFiles } from '../../net/archive.js'
import { type JobId, type JobKind, StudioError } from '../api/index.js'
import { type DatasetFacts, readFacts } from '../core/facts.js'
import type { ProjectContext } from '../core/job_context.js'
import { iterationOf, type JobFile, pathsOf, snapshotNames } from '../core/job_files.js'
import { listAll, readJson, readText } from '../core/store.js'

type Files = Pick<ProjectContext, 'store'>

/** A job's `job.json`, of one of these kinds. */
export async function readJob<K extends JobKind>({ store }: Files, id: JobId, ...kinds: K[]): Promise<JobFile<K>> {
  const job = await readJson<JobFile>(store, pathsOf(id).job)
  if (!job) throw new StudioError(`there is no job '${id}'`, 404)
  if (!(kinds as readonly JobKind[]).includes(job.kind))
    throw new StudioError(`job '${id}' is a ${job.kind}, not a ${kinds.join(' or ')}`, 400)
  return job as JobFile<K>
}

/** What a dataset consists of; it is done. */
export async function datasetFacts({ store }: Files, id: JobId): Promise<DatasetFacts> {
  const { summary } = pathsOf(id)
  const text = await readText(store, summary)
  if (text === undefined) throw new StudioError(`the dataset '${id}' is not done`, 409)
  return readFacts(text, summary)
}

/** The iteration that is meant: the one given, else the best, else the newest that stands. */
export async function snapshotOf({ store }: Files, id: JobId, iter?: number): Promise<number> {
  const { snapshots, state } = pathsOf(id)
  const names = (await store.list(snapshots)).map(({ name }) => name)
  const has = (wanted: number) => names.includes(snapshotNames(wanted).model)
  if (iter !== undefined) {
    if (has(iter)) return iter
    throw new StudioError(`model '${id}' has no snapshot of iteration ${iter}`, 404)
  }
  const best = (await readJson<{ best?: { iter: number } }>(store, state))?.best?.iter
  if (best !== undefined && has(best)) return best
  const iters = names.filter(name => name.endsWith('.caffemodel')).flatMap(name => iterationOf(name) ?? [])
  if (!iters.length) throw new StudioError(`model '${id}' has no snapshot yet`, 409)
  return Math.max(...iters)
}

/** A pretrained model: its folder holds the files of an archive. */
export async function pretrainedModel({ store }: Files, id: JobId): Promise<ModelArchive> {
  const { folder } = pathsOf(id)
  const files = new Map<string, Uint8Array>()
  for (const { path } of await listAll(store, folder))
    if (isModelFile(path)) files.set(path, (await store.read(`${folder}/${path}`)) ?? new Uint8Array(0))
  if (!files.size) throw new StudioError(`the pretrained model '${id}' is not done`, 409)
  return readModelFiles(files, id)
}

const isModelFile = (path: string): boolean =>
  /^(info\.json|[^/]+\.(prototxt|caffemodel|binaryproto)|labels\.txt|layers\/[^/]+)$/.test(path)
