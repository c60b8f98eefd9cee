import type { DatasetSummary } from '../../tools/dataset/summary.js'
import type { DatasetResult, EvaluationResult, JobId, Snapshot } from '../api/index.js'
import type { Curves } from './curves.js'
import { iterationOf, pathsOf, snapshotNames } from './job_files.js'
import type { Entry } from './job_index.js'
import { listAll, readJson, type Store } from './store.js'

/** Snapshots whose two files stand, in order. */
export async function snapshotsOf(store: Store, { id, state }: Entry, curves: Curves): Promise<Snapshot[]> {
  const { snapshots, stars } = pathsOf(id)
  const sizes = new Map((await store.list(snapshots)).map(({ name, bytes }) => [name, bytes]))
  const iters = [...new Set([...sizes.keys()].map(iterationOf).filter(iter => iter !== undefined))]
  const whole = iters.filter(iter => Object.values(snapshotNames(iter)).every(name => sizes.has(name)))
  if (!whole.length) return []
  const { tests } = await curves.of(id)
  const starred = await starsOf(store, stars)
  return whole
    .sort((a, b) => a - b)
    .map(iter => ({
      iter,
      epoch: state.iterationsPerEpoch ? iter / state.iterationsPerEpoch : 0,
      best: state.best?.iter === iter,
      starred: starred.has(iter),
      outputs: tests.get(iter) ?? {},
      bytes: sizes.get(snapshotNames(iter).model)!,
    }))
}

/** Iterations whose snapshots a person keeps. */
export async function starsOf(store: Store, path: string): Promise<Set<number>> {
  const stars = await readJson<number[]>(store, path)
  return new Set(Array.isArray(stars) ? stars : [])
}

/** What a dataset consists of, of its folder; undefined before it is done. */
export async function datasetResult(store: Store, id: JobId): Promise<DatasetResult | undefined> {
  const { summary, folder } = pathsOf(id)
  const found = await readJson<DatasetSummary>(store, summary)
  if (!found) return undefined
  const { classes, channels, height, width, mean, sets, leftOut, notes } = found
  const files = await listAll(store, folder)
  const bytes = files.filter(({ path }) => /^\w+_db\//.test(path)).reduce((sum, file) => sum + file.bytes, 0)
  return { kind: 'dataset', classes, channels, height, width, mean, sets, leftOut, notes, bytes }
}

export const evaluationResult = (store: Store, id: JobId): Promise<EvaluationResult | undefined> =>
  readJson<EvaluationResult>(store, pathsOf(id).summary)

/** Lines of a log that are given out at once. */
const LINES = 10_000

/** Reads growing logs: where a page left off last time is not searched again. */
export class Logs {
  private readonly places = new Map<JobId, { line: number; offset: number }>()

  constructor(private readonly store: Store) {}

  /** Whole lines from line `after` on, and the number of the next. */
  async lines(id: JobId, after = 0): Promise<{ lines: string[]; next: number }> {
    const known = this.places.get(id)
    const from = known && known.line === after ? known : { line: 0, offset: 0 }
    const path = pathsOf(id).log
    const size = await this.store.size(path)
    if (size === undefined || size <= from.offset) return { lines: [], next: after }
    const bytes = await this.store.read(path, from.offset, MAX_LOG)
    if (!bytes) return { lines: [], next: after }
    const text = new TextDecoder().decode(bytes.subarray(0, bytes.lastIndexOf(10) + 1))
    const all = text.split('\n').slice(0, -1)
    const lines = all.slice(Math.max(0, after - from.line)).slice(0, LINES)
    const next = Math.min(after, from.line + all.length) + lines.length
    if (from.line + all.length === next)
      this.places.set(id, { line: next, offset: from.offset + new TextEncoder().encode(text).length })
    return { lines, next }
  }
}

/** Bytes of a log that are looked through at once: layers of one's own may print without end. */
const MAX_LOG = 2 ** 28

/** Largest file that is shown as text. */
export const MAX_TEXT = 16 * 2 ** 20
