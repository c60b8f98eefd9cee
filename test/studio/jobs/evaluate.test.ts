import { zipSync } from 'fflate'
import { beforeAll, describe, expect, test } from 'vitest'
import { importDeflate } from '../../../lib/data/inflate.js'
import { writePng } from '../../../lib/data/png.js'
import { readDatum } from '../../../lib/proto/datum.js'
import type { EvaluationForm, EvaluationResult } from '../../../lib/studio/api/index.js'
import type { JobFile } from '../../../lib/studio/core/job_files.js'
import { readJson } from '../../../lib/studio/core/store.js'
import { evaluateJob } from '../../../lib/studio/jobs/evaluate.js'
import { evaluated } from '../../../lib/studio/jobs/evaluated.js'
import { items, readRecord } from '../../../lib/studio/jobs/items.js'
import { testOne } from '../../../lib/studio/jobs/test_one.js'
import { DATASET, jobContext, toyModel, toyProject } from '../toy_project.js'

const MODEL = '20261129-0140-ipip'
const net = `
layer { name: "train-data" type: "Data" top: "data" top: "label" include { stage: "train" } transform_param { scale: 0.01 } }
layer { name: "val-data" type: "Data" top: "data" top: "label" include { stage: "val" } transform_param { scale: 0.01 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 0.05 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" exclude { stage: "deploy" } }
layer { name: "softmax" type: "Softmax" bottom: "ip" top: "softmax" include { stage: "deploy" } }
`
let project: Awaited<ReturnType<typeof toyProject>>
let counter = 0

async function evaluate(on: EvaluationForm['on'], signal?: AbortSignal) {
  const id = `20261129-0150-ev${String(counter++).padStart(2, '0')}`
  const { job, events } = jobContext(project.context, id, signal)
  const file = {
    version: 1,
    id,
    kind: 'evaluation',
    form: { model: MODEL, on },
    parents: { model: MODEL },
    created: 1,
    code: [],
  } as JobFile<'evaluation'>
  await project.store.write(`jobs/${id}/job.json`, JSON.stringify(file))
  const ended = await evaluateJob(file, job)
  return { id, events, ended, result: (await readJson<EvaluationResult>(project.store, `jobs/${id}/summary.json`))! }
}

beforeAll(async () => {
  // 120 pictures: more than one pass
  project = await toyProject({ count: 120, classes: ['a', 'b', 'c'] })
  await toyModel(project, MODEL, { net, mean: 'none' })
})

/** Best class and probability of each item of a set, asked for one by one. */
async function oneByOne(set: 'val') {
  const { items: all } = await items(project.context, DATASET, { set })
  return Promise.all(
    all.map(async ({ item, label }) => {
      const { classes } = await testOne(project.context, MODEL, { picture: { dataset: DATASET, set, item } })
      const own = classes.find(one => one.label === label)!.score
      return { item, label, prediction: classes[0].label, probability: classes[0].score, loss: -Math.log(own) }
    }),
  )
}

describe('A set through a model', () => {
  test('is counted as its items are one by one; the file of predictions has them all', async () => {
    const { result, events, ended } = await evaluate({ set: 'train' })
    expect(ended).toBe('done')
    expect(events.at(0)).toMatchObject({ kind: 'start' })
    expect(events.at(-1)).toMatchObject({ kind: 'progress', done: 90, total: 90 })
    expect(result).toMatchObject({ kind: 'evaluation', items: 90, labelled: 90, classes: ['a', 'b', 'c'] })
    const { id, result: val } = await evaluate({ set: 'val' })
    const expected = await oneByOne('val')
    const confusion = [0, 1, 2].map(row =>
      [0, 1, 2].map(
        column => expected.filter(({ label, prediction }) => label === row && prediction === column).length,
      ),
    )
    expect(val.confusion).toEqual(confusion)
    expect(val.confusion.flat().reduce((a, b) => a + b)).toBe(30)
    expect(val.accuracy).toBe((confusion[0][0] + confusion[1][1] + confusion[2][2]) / 30)
    expect(val.loss).toBeCloseTo(expected.reduce((sum, { loss }) => sum + loss, 0) / 30, 4)
    expect(val.topShares).toHaveLength(3)
    expect(val.topShares[2]).toBe(1)
    expect(val.perClass.map(({ items }) => items)).toEqual([10, 10, 10])
    const bytes = (await project.store.read(`jobs/${id}/predictions.bin`))!
    const scores = new Float32Array(bytes.slice().buffer)
    expect(scores).toHaveLength(90)
    expect(scores[3 * 7] + scores[3 * 7 + 1] + scores[3 * 7 + 2]).toBeCloseTo(1, 5)
  })

  test('its items: a cell of the matrix, what is wrong, the hardest, and the surest of a class', async () => {
    const { id, result } = await evaluate({ set: 'val' })
    const expected = await oneByOne('val')
    const { context } = project
    for (const label of [0, 1, 2])
      for (const prediction of [0, 1, 2]) {
        const cell = await evaluated(context, id, { label, prediction })
        expect(cell.total).toBe(result.confusion[label][prediction])
        expect(cell.items.every(one => one.label === label && one.prediction === prediction)).toBe(true)
      }
    const wrong = await evaluated(context, id, { wrong: true })
    expect(wrong.total).toBe(expected.filter(({ label, prediction }) => label !== prediction).length)
    const hardest = await evaluated(context, id, { order: 'hardest', perPage: 5 })
    const losses = [...expected].sort((a, b) => b.loss - a.loss)
    expect(hardest.items.map(({ item }) => item)).toEqual(losses.slice(0, 5).map(({ item }) => item))
    expect(hardest.items[0].loss).toBeCloseTo(losses[0].loss, 3)
    const sure = await evaluated(context, id, { order: 'surest', prediction: result.perClass.length - 1, perPage: 9 })
    const probabilities = sure.items.map(({ probability }) => probability)
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
    const [first] = (await evaluated(context, id)).items
    expect(first).toMatchObject({
      item: 0,
      name: expect.stringMatching(/^\d+$/),
      picture: { dataset: DATASET, set: 'val', item: 0 },
    })
  })

  test('stops when it is told to, and leaves no result', async () => {
    const { ended, result } = await evaluate({ set: 'train' }, AbortSignal.abort())
    expect(ended).toBe('stopped')
    expect(result).toBeUndefined()
  })

  test('refuses a dataset of other classes, and an evaluation that is not done', async () => {
    const other = await toyProject({ classes: ['x', 'y'] })
    for (const file of ['summary.json', 'job.json', 'val_db/data.mdb'])
      await project.store.write(`jobs/20261129-0131-oooo/${file}`, (await other.store.read(`jobs/${DATASET}/${file}`))!)
    await expect(evaluate({ set: 'val', dataset: '20261129-0131-oooo' })).rejects.toThrow(/are not those of the model/)
    await expect(evaluated(project.context, MODEL)).rejects.toMatchObject({ status: 409 })
  })
})

describe('Pictures from elsewhere', () => {
  const png = async (item: number) => {
    const { data } = readDatum(await readRecord(project.context, DATASET, 'val', item))
    return writePng({ channels: 1, height: 16, width: 16, data }, await importDeflate())
  }

  test('have labels where their folders are called like classes; what is no picture is told of', async () => {
    const { store } = project
    await store.write('uploads/u1/files/mine/b/1.png', await png(0))
    await store.write('uploads/u1/files/mine/2.png', await png(1))
    await store.write('uploads/u1/files/broken.png', new Uint8Array(10))
    await store.write('uploads/u1/files/notes.txt', 'no picture')
    const { id, result, events } = await evaluate({ pictures: { upload: 'u1' } })
    expect(result).toMatchObject({ items: 2, labelled: 1 })
    expect(events.find(({ kind }) => kind === 'skipped')).toMatchObject({ file: 'broken.png' })
    const { items: listed } = await evaluated(project.context, id)
    expect(listed.map(({ name, label }) => [name, label])).toEqual([
      ['mine/2.png', undefined],
      ['mine/b/1.png', 1],
    ])
    const expected = await oneByOne('val')
    expect(listed.map(({ prediction }) => prediction)).toEqual([expected[1].prediction, expected[0].prediction])
    expect((await evaluated(project.context, id, { order: 'hardest' })).total).toBe(1)
  })

  test('may lie in a zip, without any labels', async () => {
    const zip = zipSync({
      'x/0.png': await png(0),
      'x/1.png': [await png(1), { level: 9 }],
      '__MACOSX/x/._0.png': new Uint8Array(3),
    })
    await project.store.write('uploads/u2/files/all.zip', zip)
    const { result } = await evaluate({ pictures: { upload: 'u2' } })
    expect(result).toMatchObject({ items: 2, labelled: 0, accuracy: 0, confusion: [], topShares: [] })
    await project.store.write('uploads/u3/files/notes.txt', 'no picture')
    await expect(evaluate({ pictures: { upload: 'u3' } })).rejects.toThrow(/no pictures/)
  })
})
