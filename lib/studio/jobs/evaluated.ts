import { type EvaluatedPage, type EvaluatedQuery, type JobId, StudioError } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { pathsOf } from '../core/job_files.js'
import { readJson, type Store } from '../core/store.js'
import { type EvaluatedItems, ITEMS, PREDICTIONS } from './evaluate.js'
import { pageOf, type SetIndex, setIndex } from './items.js'
import { Remembered } from './lru.js'

/** What an evaluation said of each item. */
interface Judged {
  readonly items: EvaluatedItems
  readonly count: number
  readonly predictions: Uint16Array
  readonly probabilities: Float32Array
  /** −ln of the label's probability; −1 where there is no label. */
  readonly losses: Float32Array
}

/** Evaluations that are kept for the next page. */
const KEPT = 4
/** No probability is taken for less, as in Caffe's losses. */
const LEAST = 1.17549435e-38

const known = new WeakMap<Store, Remembered<Judged>>()

type Files = Pick<ProjectContext, 'store'>

/** A page of the items of an evaluation, filtered and in an order. */
export async function evaluated(context: Files, id: JobId, query: EvaluatedQuery = {}): Promise<EvaluatedPage> {
  const judged = await judgedOf(context, id)
  const { items, predictions, probabilities, losses } = judged
  const { order = 'stored', label, prediction, wrong = false, page, perPage } = query
  const chosen: number[] = []
  for (let i = 0; i < judged.count; i++) {
    const own = items.labels[i]
    if (label !== undefined && own !== label) continue
    if (prediction !== undefined && predictions[i] !== prediction) continue
    if (wrong && (own === null || own === predictions[i])) continue
    if (order === 'hardest' && own === null) continue
    chosen.push(i)
  }
  if (order === 'hardest') chosen.sort((a, b) => losses[b] - losses[a] || a - b)
  if (order === 'surest') chosen.sort((a, b) => probabilities[b] - probabilities[a] || a - b)
  const [from, to] = pageOf(chosen.length, page, perPage)
  const index = items.set && (await setIndex(context, items.set.dataset, items.set.set))
  return {
    total: chosen.length,
    items: chosen.slice(from, to).map(item => {
      const own = items.labels[item]
      return {
        item,
        name: nameOf(items, index, item),
        ...(items.set && { picture: { ...items.set, item } }),
        ...(own !== null && { label: own, loss: losses[item] }),
        prediction: predictions[item],
        probability: probabilities[item],
      }
    }),
  }
}

const nameOf = ({ names }: EvaluatedItems, index: SetIndex | undefined, item: number): string =>
  index?.name(item) ?? names?.[item] ?? String(item)

function judgedOf(context: Files, id: JobId): Promise<Judged> {
  const all = known.get(context.store) ?? new Remembered<Judged>(KEPT)
  known.set(context.store, all)
  return all.get(id, async () => {
    const { folder, summary } = pathsOf(id)
    const [result, items, bytes] = await Promise.all([
      readJson<{ classes: string[] }>(context.store, summary),
      readJson<EvaluatedItems>(context.store, `${folder}/${ITEMS}`),
      context.store.read(`${folder}/${PREDICTIONS}`),
    ])
    if (!result || !items || !bytes) throw new StudioError(`the evaluation '${id}' is not done`, 409)
    return judge(items, bytes)
  })
}

function judge(items: EvaluatedItems, bytes: Uint8Array): Judged {
  const count = items.labels.length
  const scores = new Float32Array(bytes.slice().buffer)
  const classes = scores.length / count
  if (!Number.isInteger(classes)) throw new StudioError(`${scores.length} scores are none of ${count} items`, 500)
  const predictions = new Uint16Array(count)
  const probabilities = new Float32Array(count)
  const losses = new Float32Array(count).fill(-1)
  for (let i = 0; i < count; i++) {
    const own = scores.subarray(i * classes, (i + 1) * classes)
    let best = 0
    for (let c = 1; c < classes; c++) if (own[c] > own[best]) best = c
    predictions[i] = best
    probabilities[i] = own[best]
    const label = items.labels[i]
    if (label !== null) losses[i] = -Math.log(Math.max(own[label] ?? 0, LEAST))
  }
  return { items, count, predictions, probabilities, losses }
}
