import { planesFor, preparePicture } from '../../data/preparation.js'
import type { Net } from '../../net.js'
import { macrotask, mustYield } from '../../system/macrotask.js'
import { EvaluationTally } from '../../tools/evaluation_tally.js'
import { type EvaluationForm, type EvaluationResult, type JobId, type SetName, StudioError } from '../api/index.js'
import type { JobContext, JobFunction } from '../core/job_context.js'
import { type JobFile, pathsOf } from '../core/job_files.js'
import { writeJson } from '../core/store.js'
import { openSet } from './items.js'
import { type OpenModel, openModel } from './model_nets.js'
import { pictureFiles } from './picture_files.js'
import { fitChannels, planesOfFile, planesOfRecord } from './pictures.js'
import { datasetFacts, readJob } from './project_files.js'
import { scoresOf } from './scores.js'

/** Of each item classes × float32, little-endian, in the order of the items. */
export const PREDICTIONS = 'predictions.bin'
/** What the items were: EvaluatedItems. */
export const ITEMS = 'items.json'

/** What an evaluation looked at: the records of a set, or files of pictures; a label is null where it is not known. */
export interface EvaluatedItems {
  readonly set?: { readonly dataset: JobId; readonly set: SetName }
  readonly names?: readonly string[]
  readonly labels: readonly (number | null)[]
}

/** Pictures of a pass: large nets take their time for each. */
const BATCH = 32
/** Milliseconds between two words about how far it is. */
const PROGRESS = 100

interface Item {
  readonly values: Float32Array
  readonly label: number | null
  readonly name?: string
}

/** Every item of a set, or of pictures from elsewhere, through the deployed net of a model. */
export const evaluateJob: JobFunction<'evaluation'> = async (job, context) => {
  context.emit({ kind: 'start', attempt: context.attempt, iter: 0 })
  const { form } = job
  const open = await openModel(context, form.model, 'deploy', form.iter)
  const source = await sourceOf(job, form, open, context)
  const sink = await context.store.sink(`${context.folder}/${PREDICTIONS}`)
  const tally = new Tally(open.labels)
  const labels: (number | null)[] = []
  const names: string[] = []
  let told = Date.now()
  try {
    for await (const batch of batches(source.items)) {
      if (context.signal.aborted) {
        sink.abort()
        return 'stopped'
      }
      const rows = await scored(
        open.net,
        batch.map(({ values }) => values),
      )
      rows.forEach((row, i) => {
        sink.write(4 * row.length * (labels.length + i), new Uint8Array(row.buffer, row.byteOffset, row.byteLength))
      })
      for (const [i, { label, name }] of batch.entries()) {
        tally.add(rows[i], label)
        labels.push(label)
        if (name !== undefined) names.push(name)
      }
      const now = Date.now()
      if (now - told < PROGRESS && labels.length < source.total) continue
      told = now
      context.emit({ kind: 'progress', done: labels.length, total: source.total })
    }
    if (!labels.length) throw new StudioError('there was nothing to evaluate', 422)
    await sink.finish()
  } catch (error) {
    sink.abort()
    throw error
  } finally {
    source.close()
  }
  const items: EvaluatedItems = { ...(source.set ? { set: source.set } : { names }), labels }
  await writeJson(context.store, `${context.folder}/${ITEMS}`, items)
  // what has a summary is whole
  await writeJson(context.store, pathsOf(job.id).summary, tally.result())
  return 'done'
}

interface Source {
  readonly items: AsyncGenerator<Item>
  readonly total: number
  readonly set?: EvaluatedItems['set']
  close(): void
}

async function sourceOf(
  job: JobFile<'evaluation'>,
  { on }: EvaluationForm,
  open: OpenModel,
  context: JobContext,
): Promise<Source> {
  const { preparation } = open
  const channels = planesFor(preparation)
  if ('set' in on) {
    const dataset = on.dataset ?? job.parents.dataset ?? (await datasetOf(job.form.model, context))
    const { classes } = await datasetFacts(context, dataset)
    if (classes.length !== open.labels.length || classes.some((name, i) => name !== open.labels[i]))
      throw new StudioError(
        `the classes of dataset '${dataset}' (${classes.length}) are not those of the model (${open.labels.length})`,
        422,
      )
    const db = await openSet(context, dataset, on.set)
    async function* records(): AsyncGenerator<Item> {
      const cursor = db.cursor()
      for (let more = cursor.first(); more; more = cursor.next()) {
        const { image, label } = await planesOfRecord(cursor.value)
        yield { values: preparePicture(fitChannels(image, channels), preparation), label }
      }
    }
    return { items: records(), total: db.count, set: { dataset, set: on.set }, close: () => db.close() }
  }
  const { files, close } = await pictureFiles(on.pictures, open.labels, context)
  async function* pictures(): AsyncGenerator<Item> {
    for (const { name, label = null, read } of files)
      try {
        yield { values: preparePicture(await planesOfFile(await read(), channels), preparation), label, name }
      } catch (error) {
        context.emit({ kind: 'skipped', file: name, reason: (error as Error).message })
      }
  }
  return { items: pictures(), total: files.length, close }
}

async function datasetOf(model: JobId, context: JobContext): Promise<JobId> {
  const { parents } = await readJob(context, model, 'model', 'pretrained')
  if (parents.dataset) return parents.dataset
  throw new StudioError(`the model '${model}' has no dataset of its own: name one`, 422)
}

async function* batches(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let batch: Item[] = []
  for await (const item of items) {
    if (batch.push(item) < BATCH) continue
    yield batch
    batch = []
    if (mustYield()) await macrotask()
  }
  if (batch.length) yield batch
}

/** Probabilities of the items of a pass; the net keeps the size of its input. */
function scored(net: Net, values: readonly Float32Array[]): Promise<Float32Array[]> {
  const [input] = net.inputs.map(name => net.blob(name))
  if (!input) throw new StudioError('the net has no input for pictures', 409)
  return net.exclusive(async () => {
    const shape = [...input.shape]
    try {
      input.reshape([values.length, ...shape.slice(1)])
      input.memory.data.claim()
      values.forEach((item, i) => {
        input.dataArray.set(item, i * item.length)
      })
      await net.runner.forward(0, net.built.nodes.length - 1)
      await net.engine.finish?.()
      return await scoresOf(net)
    } finally {
      input.reshape(shape)
    }
  })
}

/** The figures of an evaluation, of what has a label. */
class Tally {
  private items = 0
  private readonly inner = new EvaluationTally({ hardest: 0, probabilities: true })

  constructor(private readonly classes: readonly string[]) {}

  add(scores: Float32Array, label: number | null): void {
    this.items++
    if (label === null || label >= scores.length) return
    this.inner.add({ items: 1, classes: scores.length, places: 1, scores, labels: [label] })
  }

  result(): EvaluationResult {
    const { items: labelled, confusion, accuracy, topShares, loss } = this.inner.result()
    const classes = Array.from(
      { length: Math.max(confusion.classes, this.classes.length) },
      (_, i) => this.classes[i] ?? String(i),
    )
    const or = <T>(value: number, none: T) => (Number.isNaN(value) ? none : value)
    const none = labelled === 0
    return {
      ...{ kind: 'evaluation', items: this.items, labelled },
      accuracy: none ? 0 : accuracy,
      topShares: none ? [] : topShares,
      loss: none ? 0 : loss,
      classes,
      confusion: none ? [] : confusion.toRows(),
      perClass: none
        ? []
        : confusion.scores().map(({ items, precision, recall, f1 }) => ({
            items,
            ...{ precision: or(precision, null), recall: or(recall, null), f1: or(f1, null) },
          })),
    }
  }
}
