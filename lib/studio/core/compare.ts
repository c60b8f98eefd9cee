import type { Comparison, JobId } from '../api/index.js'
import { StudioError } from '../api/index.js'
import { type JobFile, pathsOf } from './job_files.js'
import { lineDiff } from './line_diff.js'
import { readJson, readText, type Store } from './store.js'

/** What says nothing about how a job is made, and texts that are compared by themselves. */
const APART = new Set(['name', 'group', 'net'])
/** In the place of a value that a form does not have. */
const NONE = '–'
/** Jobs that are compared at once. */
const MOST = 50

/** The settings in which jobs differ, and the lines in which the nets of all others differ from the first. */
export async function compareJobs(store: Store, ids: readonly JobId[]): Promise<Comparison> {
  if (ids.length > MOST) throw new StudioError(`${ids.length} jobs are too many to compare: ${MOST} at most`, 400)
  const jobs = await Promise.all(
    ids.map(async id => {
      const job = await readJson<JobFile>(store, pathsOf(id).job)
      if (!job) throw new StudioError(`there is no job '${id}'`, 404)
      return job
    }),
  )
  const settings = jobs.map(({ form, code }) => {
    const { layers: _, ...rest } = form as typeof form & { layers?: unknown }
    const files = code.map(({ file, sha256 }) => [`layers.${file}`, sha256.slice(0, 8)] as const)
    return new Map<string, string>([...flat(rest, ''), ...files])
  })
  const paths = [...new Set(settings.flatMap(known => [...known.keys()]))]
  const rows = paths.map(path => ({ path, values: settings.map(known => known.get(path) ?? NONE) }))
  const textOf = async (id: JobId): Promise<string> => (await readText(store, pathsOf(id).net)) ?? ''
  const first = ids.length ? await textOf(ids[0]) : ''
  const nets = await Promise.all(ids.slice(1).map(async job => ({ job, text: lineDiff(first, await textOf(job)) })))
  return {
    jobs: ids,
    differing: rows.filter(({ values }) => new Set(values).size > 1),
    nets: nets.filter(({ text }) => text !== ''),
  }
}

/** The values of a form by their paths; lists are one value. */
function flat(value: object, path: string): [string, string][] {
  return Object.entries(value).flatMap(([name, inner]): [string, string][] => {
    const at = path ? `${path}.${name}` : name
    if (APART.has(at) || inner === undefined) return []
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return flat(inner, at)
    return [[at, Array.isArray(inner) ? inner.join(', ') : String(inner)]]
  })
}
