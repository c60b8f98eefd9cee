import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSolver, Net, parseNet, parseSolver } from '../../../lib/index.js'
import { fieldFindings, solverFindings } from '../../../lib/net/findings.js'
import type { ModelForm, RateForm } from '../../../lib/studio/api/index.js'
import { epochAt, epochsOf } from '../../../lib/studio/core/epochs.js'
import type { DatasetFacts } from '../../../lib/studio/core/facts.js'
import { planModel, prepare } from '../../../lib/studio/core/forms.js'
import { ratesOf } from '../../../lib/studio/core/solver_form.js'
import { standardList, standardModel } from '../../../lib/studio/core/standard.js'
import { makeDataset } from '../../../lib/tools/make_dataset.js'

const mnist: DatasetFacts = {
  classes: [...'0123456789'],
  ...{ channels: 1, height: 28, width: 28, mean: [33.4567] },
  sets: { train: { records: 45_000, histogram: [] }, val: { records: 15_000, histogram: [] } },
}
const folder = '../20261129-0131-k7f3'

const digitsNet = `# as DIGITS has it
layer { name: "train-data" type: "Data" top: "data" top: "label" include { stage: "train" } data_param { batch_size: 50 } }
layer { name: "val-data" type: "Data" top: "data" top: "label" include { stage: "val" } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } } # own words
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" exclude { stage: "deploy" } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { stage: "val" } }
layer { name: "softmax" type: "Softmax" bottom: "ip" top: "softmax" include { stage: "deploy" } }
`
const form = (more: Partial<ModelForm> = {}): ModelForm => ({
  ...{ name: 'm', dataset: '20261129-0131-k7f3', net: digitsNet, epochs: 10 },
  solver: { type: 'SGD', rate: 0.01, policy: { policy: 'step', gamma: 0.1, share: 1 / 3 } },
  ...more,
})
const planned = (more: Partial<ModelForm> = {}, facts = mnist) => {
  const { files } = planModel(form(more), facts, folder)
  return {
    text: files['net.prototxt'],
    net: parseNet(files['net.prototxt']),
    solver: parseSolver(files['solver.prototxt']),
  }
}
const layer = (net: ReturnType<typeof parseNet>, name: string) => net.layer!.find(layer => layer.name === name)!

describe('The net of a model', () => {
  test('has the dataset in its data layers and an input of its size; everything else stays as it was written', () => {
    const { text, net } = planned()
    expect(text).toContain('# as DIGITS has it\n')
    expect(text).toContain(digitsNet.split('\n')[3])
    expect(layer(net, 'train-data')).toEqual({
      ...{ name: 'train-data', type: 'Data', top: ['data', 'label'], include: [{ stage: ['train'] }] },
      transform_param: { mean_value: [33.46] },
      data_param: { source: `${folder}/train_db`, batch_size: 50, backend: 'LMDB' },
    })
    expect(layer(net, 'val-data').data_param).toEqual({ source: `${folder}/val_db`, batch_size: 100, backend: 'LMDB' })
    expect(layer(net, 'data')).toMatchObject({
      type: 'Input',
      include: [{ stage: ['deploy'] }],
      input_param: { shape: [{ dim: [1, 1, 28, 28] }] },
    })
  })

  test('takes mean, crop, mirror and batch of the form; tests are neither mirrored nor do they see an item twice', () => {
    const { net } = planned({ mean: 'image', crop: 24, mirror: true, batch: 32 })
    expect(layer(net, 'train-data').transform_param).toEqual({
      mirror: true,
      crop_size: 24,
      mean_file: `${folder}/mean.binaryproto`,
    })
    expect(layer(net, 'val-data').transform_param).toEqual({ crop_size: 24, mean_file: `${folder}/mean.binaryproto` })
    expect(layer(net, 'train-data').data_param!.batch_size).toBe(32)
    expect(layer(net, 'data').input_param!.shape![0].dim).toEqual([1, 1, 24, 24])
    expect(layer(planned({ mean: 'none' }).net, 'train-data').transform_param).toEqual({})
  })

  test('what the text says of pictures counts where the form says nothing', () => {
    const net = digitsNet.replace(
      'data_param {',
      'transform_param { scale: 0.5 mean_value: 7 crop_size: 20 mirror: true } data_param { rand_skip: 3',
    )
    expect(layer(planned({ net }).net, 'train-data').transform_param).toEqual({
      scale: 0.5,
      mirror: true,
      crop_size: 20,
      mean_value: [7],
    })
    expect(layer(planned({ net }).net, 'train-data').data_param!.rand_skip).toBe(3)
    expect(layer(planned({ net }).net, 'data').input_param!.shape![0].dim).toEqual([1, 1, 20, 20])
  })

  test('one data layer for both becomes two, and those of tests go where nothing is tested', () => {
    const net = `layer { name: "data" type: "ImageData" top: "data" top: "label" image_data_param { source: "x" batch_size: 8 } }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" }`
    const both = planned({ net }).net.layer!
    expect(both.map(({ name, type, include }) => ({ name, type, include }))).toEqual([
      { name: 'train-data', type: 'Data', include: [{ phase: 'TRAIN' }] },
      { name: 'val-data', type: 'Data', include: [{ phase: 'TEST', not_stage: ['deploy'] }] },
      { name: 'loss', type: 'SoftmaxWithLoss', include: undefined },
    ])
    expect(both[0].image_data_param).toBeUndefined()
    const facts = { ...mnist, sets: { train: mnist.sets.train } }
    const { text, solver } = planned({}, facts)
    expect(text).not.toContain('val-data')
    expect(solver.test_iter).toBeUndefined()
  })

  test('old forms are brought up to date; a net made for pictures of another size gets an input of this one', () => {
    const old = `layers { name: "d" type: DATA top: "data" top: "label" data_param { batch_size: 5 } }
      layers { name: "loss" type: SOFTMAX_LOSS bottom: "data" bottom: "label" }`
    expect(planned({ net: old }).net.layer!.map(({ name }) => name)).toEqual(['train-d', 'val-d', 'loss'])
    const { net } = standardModel('lenet', { ...mnist, height: 32, width: 32 })
    expect(net).toContain('dim: 32')
    expect(planned({ net }).text).not.toContain('dim: 32')
  })

  test('what cannot be is said at its field, and its line', () => {
    const faults = (more: Partial<ModelForm>) => {
      const answer = prepare('model', form(more), {
        dataset: { kind: 'dataset', leftOut: [], notes: [], bytes: 0, ...mnist } as never,
        datasetFolder: folder,
      })
      return 'faults' in answer ? answer.faults : []
    }
    expect(faults({})).toEqual([])
    expect(faults({ net: digitsNet.replace('num_output', 'num_otput') })).toMatchObject(
      [{ path: 'net', line: 4, message: /did you mean/ }].map(fault => ({
        ...fault,
        message: expect.stringMatching(fault.message),
      })),
    )
    expect(faults({ net: 'layer { name: "a" type: "ReLU" bottom: "x" top: "x" }' })).toMatchObject([
      { path: 'net', message: expect.stringContaining('no data layer') },
    ])
    expect(faults({ net: digitsNet.replace(/^.*val-data.*\n/m, '') })).toMatchObject([{ path: 'net', line: 2 }])
    expect(faults({ crop: 29 })).toMatchObject([{ path: 'crop' }])
    expect(faults({ epochs: 0 })).toMatchObject([{ path: 'epochs' }])
    expect(faults({ epochs: 1e9 })).toMatchObject([{ path: 'epochs' }])
    expect(
      faults({ solver: { type: 'SGD', rate: 0.01, policy: { policy: 'step', gamma: 0.1, share: 0 } } }),
    ).toMatchObject([{ path: 'solver.policy.share' }])
  })
})

describe('The solver of a model', () => {
  test('counts epochs in whole updates, tests and keeps every epoch, and names the stages of DIGITS', () => {
    expect(planned().solver).toEqual({
      net: 'net.prototxt',
      ...{ train_state: { stage: ['train'] }, test_state: [{ stage: ['val'] }] },
      ...{ test_iter: [150], test_interval: 900, base_lr: 0.01, display: 28, max_iter: 9000 },
      ...{ lr_policy: 'step', gamma: 0.1, stepsize: 3000, momentum: 0.9, weight_decay: 0.0005 },
      ...{ snapshot: 900, snapshot_prefix: 'snapshots/model', random_seed: 1 },
    })
  })

  test('epochs: exact numbers', () => {
    expect(epochsOf({ epochs: 3, records: 1000, batch: 64 })).toEqual({
      updates: 16,
      maxIter: 48,
      testInterval: 16,
      snapshotInterval: 16,
      testIter: 0,
    })
    expect(
      epochsOf({
        epochs: 0.5,
        records: 1000,
        batch: 25,
        accumulate: 4,
        testEvery: 0.1,
        snapshotEvery: 2,
        testRecords: 301,
        testBatch: 100,
      }),
    ).toEqual({
      ...{ updates: 10, maxIter: 5, testInterval: 1, snapshotInterval: 20, testIter: 4 },
    })
    expect(epochsOf({ epochs: 0.1, records: 30, batch: 1 }).maxIter).toBe(3)
    expect(epochsOf({ epochs: 1, records: 5, batch: 64 }).maxIter).toBe(1)
    expect(epochAt(16, 1000, 64)).toBe(1.024)
    expect(epochAt(10, 1000, 25, 4)).toBe(1)
  })

  const policies: [RateForm, object][] = [
    [{ policy: 'fixed' }, { lr_policy: 'fixed' }],
    [
      { policy: 'multistep', gamma: 0.5, shares: [0.75, 0.5] },
      { lr_policy: 'multistep', gamma: 0.5, stepvalue: [4500, 6750] },
    ],
    [
      { policy: 'exp', gamma: 0.999 },
      { lr_policy: 'exp', gamma: 0.999 },
    ],
    [
      { policy: 'inv', gamma: 0.0001, power: 0.75 },
      { lr_policy: 'inv', gamma: 0.0001, power: 0.75 },
    ],
    [
      { policy: 'poly', power: 2 },
      { lr_policy: 'poly', power: 2 },
    ],
    [
      { policy: 'sigmoid', gamma: 0.01, share: 0.5 },
      { lr_policy: 'sigmoid', gamma: -0.01, stepsize: 4500 },
    ],
    [{ policy: 'cosine' }, { lr_policy: 'cosine' }],
    [
      { policy: 'plateau', gamma: 0.1, tests: 2 },
      { lr_policy: 'plateau', plateau_winsize: expect.arrayContaining([1800]) },
    ],
  ]
  test.each(policies)('%j', (policy, expected) => {
    const { solver } = planned({ solver: { type: 'SGD', rate: 0.1, policy } })
    expect(solver).toMatchObject(expected)
    const { iters, rates } = ratesOf(solver)
    expect(iters).toHaveLength(500)
    expect([iters[0], iters[499]]).toEqual([0, 8999])
    expect(rates.every((rate, i) => Number.isFinite(rate) && (i === 0 || rate <= rates[i - 1] + 1e-12))).toBe(true)
    if (policy.policy !== 'sigmoid') expect(rates[0]).toBeCloseTo(0.1, 6)
    if (policy.policy !== 'fixed' && policy.policy !== 'plateau') expect(rates[499]).toBeLessThan(rates[0])
  })

  test('rates of steps fall where they should, however few points there are', () => {
    const { solver } = planned({
      solver: { type: 'SGD', rate: 1, policy: { policy: 'multistep', gamma: 0.1, shares: [0.5, 0.51] } },
    })
    const { iters, rates } = ratesOf(solver)
    for (const [i, iter] of iters.entries()) expect(rates[i]).toBeCloseTo(iter < 4500 ? 1 : iter < 4590 ? 0.1 : 0.01, 9)
  })

  test('other solvers, accumulation, and one value of several', () => {
    const { solver } = planned({
      accumulate: 2,
      seed: [7],
      solver: {
        type: 'Adam',
        rate: 0.001,
        policy: { policy: 'fixed' },
        momentum2: 0.99,
        delta: 1e-8,
        decay: 0,
        clip: 5,
      },
    })
    expect(solver).toMatchObject({
      type: 'Adam',
      iter_size: 2,
      max_iter: 4500,
      momentum: 0.9,
      weight_decay: 0,
      clip_gradients: 5,
      random_seed: 7,
    })
    expect(solver.momentum2).toBeCloseTo(0.99)
    const { solver: rms } = planned({
      solver: { type: 'RMSProp', rate: 0.001, policy: { policy: 'fixed' }, momentum2: 0.98 },
    })
    expect(rms).toMatchObject({ type: 'RMSProp', rms_decay: 0.98 })
    expect(rms.momentum).toBeUndefined()
    expect(() => planned({ batch: [1, 2] })).toThrow(/batch has 2 values/)
  })
})

describe('In its folder', () => {
  let root: string
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'studio-forms-'))
    const data = Uint8Array.from({ length: 60 * 256 }, (_, i) =>
      i % 256 < 128 === Math.floor(i / 256) % 2 > 0 ? 255 : i % 7,
    )
    await makeDataset(
      { data, shape: [60, 16, 16], labels: Array.from({ length: 60 }, (_, i) => (i % 2 ? 'top' : 'rest')) },
      { output: join(root, 'set'), val: 0.2 },
    )
  })
  afterAll(() => rmSync(root, { recursive: true }))

  test.each(['digits', ...standardList.map(({ name }) => name)].filter(name => ['digits', 'lenet'].includes(name)))(
    '%s learns, and is deployed',
    async name => {
      const { readFile } = await import('node:fs/promises')
      const facts = JSON.parse(await readFile(join(root, 'set/summary.json'), 'utf8')) as DatasetFacts
      const standard =
        name === 'digits'
          ? { net: digitsNet.replace('num_output: 10', 'num_output: 2'), form: {} }
          : standardModel(name, facts)
      const { files } = planModel(form({ ...standard.form, net: standard.net, epochs: 2, batch: 12 }), facts, '../set')
      mkdirSync(join(root, name, 'snapshots'), { recursive: true })
      for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text)
      const [net, solverText] = [parseNet(files['net.prototxt']), parseSolver(files['solver.prototxt'])]
      // nothing that Caffe 1.0 does not know
      expect([...fieldFindings(net), ...solverFindings(solverText)]).toEqual([])
      const before = process.cwd()
      process.chdir(join(root, name))
      try {
        const solver = await createSolver('solver.prototxt', { engine: 'js' })
        await solver.solve()
        expect(solver.iter).toBe(8)
        const [[{ value }]] = (await solver.testAll()).map(outputs => outputs.filter(({ name }) => name === 'accuracy'))
        expect(value).toBeGreaterThanOrEqual(name === 'digits' ? 1 : 0.4)
        using deployed = await Net.deploy('net.prototxt', { engine: 'js' })
        expect(deployed.blobs['data'].shape).toEqual([1, 1, 16, 16])
        expect(deployed.labels).toEqual(['rest', 'top'])
        solver.dispose()
      } finally {
        process.chdir(before)
      }
    },
  )

  test('every standard net has a text and a form for a dataset', () => {
    expect(standardList.length).toBeGreaterThanOrEqual(7)
    for (const { name } of standardList) {
      const { net, form: settings } = standardModel(name, mnist)
      expect(net).not.toMatch(/source|backend|mean_value/)
      const { solver } = planned({ ...settings, net })
      expect(solver.base_lr).toBe((settings.solver as { rate: number }).rate)
    }
  })
})
