import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { importDeflate } from '../../../lib/data/inflate.js'
import { writePng } from '../../../lib/data/png.js'
import { Net, parseNet } from '../../../lib/index.js'
import { statisticsOf } from '../../../lib/net/statistics.js'
import { readDatum } from '../../../lib/proto/datum.js'
import type { LayerRow } from '../../../lib/studio/api/index.js'
import { readFacts } from '../../../lib/studio/core/facts.js'
import { standardModel } from '../../../lib/studio/core/standard.js'
import { readRecord } from '../../../lib/studio/jobs/items.js'
import { testOne } from '../../../lib/studio/jobs/test_one.js'
import { DATASET, toyModel, toyProject } from '../toy_project.js'

const LENET = '20261129-0140-lene'
const BLANK = '20261129-0141-blan'
let project: Awaited<ReturnType<typeof toyProject>>

beforeAll(async () => {
  project = await toyProject({ size: 28 })
  const facts = readFacts(new TextDecoder().decode(await project.store.read(`jobs/${DATASET}/summary.json`)))
  const { net } = standardModel('lenet', facts)
  await toyModel(project, LENET, { net, mean: 'image' }, { iters: [5, 10] })
  const blanked = net.replace(
    /layer \{\s+name: "conv1"/,
    found => `layer { name: "blank" type: "BlankSquareLayer" bottom: "data" top: "data" }\n${found}`,
  )
  const source = readFileSync('docs/examples/occlusion/blank_square.ts', 'utf8')
  await toyModel(project, BLANK, { net: blanked, mean: 'none', layers: { 'blank_square.ts': source } })
})

/** What the library itself gives for a record. */
async function direct(item: number): Promise<Net> {
  const { store, context } = project
  const net = await Net.deploy(parseNet(new TextDecoder().decode(await store.read(`jobs/${LENET}/net.prototxt`))), {
    ...context.files,
    engine: 'js',
    weights: (await store.read(`jobs/${LENET}/snapshots/model_iter_10.caffemodel`))!,
  })
  const { data } = readDatum(await readRecord(context, DATASET, 'val', item))
  const mean = (await net.preparation())!.mean!.data
  await net.forward({ data: Float32Array.from(data, (value, i) => (value - mean[i]) / 64) })
  return net
}

describe('A picture through a model', () => {
  const item = { dataset: DATASET, set: 'val', item: 2 } as const

  test('gives the same as the library, of every layer its numbers and its picture', async () => {
    const { classes, rows, milliseconds } = await testOne(project.context, LENET, { picture: item, details: true })
    using net = await direct(2)
    const prob = net.blobs['prob'].dataArray
    expect(milliseconds).toBeGreaterThan(0)
    expect(classes.map(({ score }) => score)).toEqual([...classes.map(({ score }) => score)].sort((a, b) => b - a))
    for (const { label, score, name } of classes) {
      expect(score).toBeCloseTo(prob[label], 5)
      expect(name).toBe(['below', 'above'][label])
    }
    const activations = rows!.filter(({ kind }) => kind === 'activation')
    expect(activations.map(({ blob }) => blob)).toEqual([
      'data',
      'conv1',
      'pool1',
      'conv2',
      'pool2',
      'ip1',
      'ip2',
      'prob',
    ])
    expect(activations.every(({ milliseconds }) => milliseconds !== undefined && milliseconds >= 0)).toBe(true)
    expect(activations.reduce((all, row) => all + row.milliseconds!, 0)).toBeLessThanOrEqual(milliseconds)
    for (const row of activations) {
      const { dataArray, shape } = net.blobs[row.blob]
      const own = statisticsOf(dataArray)
      expect(row.shape).toEqual(shape)
      expect(Math.abs(row.mean - own.mean)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(own.mean)))
      expect(Math.abs(row.std - own.std)).toBeLessThanOrEqual(1e-5 * Math.max(1, own.std))
      expect(row.histogram.reduce((a, b) => a + b)).toBe(dataArray.length)
      expect(row.picture!.pixels).toHaveLength(row.picture!.width * row.picture!.height)
    }
    expect(activations[1].picture).toMatchObject({
      width: 5 * 25 - 1,
      height: 4 * 25 - 1,
      columns: 5,
      rows: 4,
      plane: { width: 24, height: 24, count: 20 },
    })
    const weights = rows!.filter(({ kind }) => kind === 'weights')
    expect(weights.map(({ blob }) => blob)).toEqual([
      'conv1[0]',
      'conv1[1]',
      'conv2[0]',
      'conv2[1]',
      'ip1[0]',
      'ip1[1]',
      'ip2[0]',
      'ip2[1]',
    ])
    expect(weights[0]).toMatchObject({ shape: [20, 1, 5, 5], ...statisticsOf(net.params['conv1'][0].dataArray) })
  })

  test('weights are counted once a snapshot; rows come as they are ready, and no row unless asked for', async () => {
    const seen: LayerRow[] = []
    const first = await testOne(
      project.context,
      LENET,
      { picture: item, details: true },
      { onRow: row => seen.push(row) },
    )
    expect(seen).toEqual(first.rows)
    const again = await testOne(project.context, LENET, { picture: item, details: true })
    const weights = (rows: readonly LayerRow[] | undefined) => rows!.find(({ kind }) => kind === 'weights')
    expect(weights(again.rows)).toBe(weights(first.rows))
    const other = await testOne(project.context, LENET, { picture: item, details: true, iter: 5 })
    expect(weights(other.rows)!.mean).not.toBe(weights(first.rows)!.mean)
    const without = await testOne(project.context, LENET, { picture: item, details: true, weights: false })
    expect(without.rows!.every(({ kind }) => kind === 'activation')).toBe(true)
    expect((await testOne(project.context, LENET, { picture: item })).rows).toBeUndefined()
  })

  test('a file, a pad and an item of the same picture are answered alike; sizes and colours are brought to the dataset’s', async () => {
    const { data } = readDatum(await readRecord(project.context, DATASET, 'val', 2))
    const one = await testOne(project.context, LENET, { picture: item })
    const file = writePng({ channels: 1, height: 28, width: 28, data }, await importDeflate())
    expect((await testOne(project.context, LENET, { picture: { file } })).classes).toEqual(one.classes)
    const pad = { width: 28, height: 28, channels: 1, pixels: data } as const
    expect((await testOne(project.context, LENET, { picture: pad })).classes).toEqual(one.classes)
    const coloured = Uint8Array.from({ length: 3 * 56 * 56 }, (_, i) => {
      const at = Math.floor(i / 3)
      return data[28 * Math.floor(at / 56 / 2) + Math.floor((at % 56) / 2)]
    })
    const large = await testOne(project.context, LENET, {
      picture: { width: 56, height: 56, channels: 3, pixels: coloured },
    })
    expect(large.classes[0].label).toBe(one.classes[0].label)
    await expect(testOne(project.context, LENET, { picture: { ...pad, width: 27 } })).rejects.toMatchObject({
      status: 400,
    })
  })

  test('stages: a custom layer of the training blanks its square in the data, labels and losses have their rows', async () => {
    const deploy = await testOne(project.context, BLANK, { picture: item, details: true, weights: false })
    const train = await testOne(project.context, BLANK, {
      picture: item,
      details: true,
      weights: false,
      stage: 'train',
    })
    const val = await testOne(project.context, BLANK, { picture: item, stage: 'val' })
    const data = (rows: readonly LayerRow[] | undefined) => rows!.find(({ blob }) => blob === 'data')!
    expect(data(train.rows).type).toBe('Data')
    const zeros = (row: LayerRow) => row.picture!.pixels.filter(value => value === 0).length
    expect(zeros(data(train.rows))).toBeGreaterThanOrEqual(14 * 14)
    expect(train.rows!.map(({ blob }) => blob)).toContain('loss')
    expect(train.rows!.find(({ blob }) => blob === 'label')!.mean).toBe(
      readDatum(await readRecord(project.context, DATASET, 'val', 2)).label,
    )
    for (const { classes } of [deploy, train, val])
      expect(classes.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5)
  })

  test('a net that has run away is told by its numbers, none of which JSON cannot say', async () => {
    const WILD = '20261129-0142-wild'
    await toyModel(project, WILD, {
      net: `layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 3e38 } }
      layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "constant" value: 9e9 } } }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`,
    })
    const { classes, rows } = await testOne(project.context, WILD, { picture: item, details: true })
    expect(classes.map(({ score }) => score)).toEqual([0, 0])
    const ip = rows!.find(({ blob }) => blob === 'ip')!
    expect(ip).toMatchObject({ notFinite: 2, mean: 0, std: 0, min: 0, max: 0 })
    expect(JSON.parse(JSON.stringify(rows!.map(({ picture: _, ...row }) => row)))).toEqual(
      rows!.map(({ picture: _, ...row }) => row),
    )
  })

  test('what cannot be is said', async () => {
    await expect(testOne(project.context, LENET, { picture: item, iter: 7 })).rejects.toMatchObject({ status: 404 })
    await expect(testOne(project.context, DATASET, { picture: item })).rejects.toThrow(/is a dataset, not a model/)
    await expect(testOne(project.context, LENET, { picture: { file: new Uint8Array([1, 2, 3]) } })).rejects.toThrow(
      /no PNG, JPEG/,
    )
  })
})
