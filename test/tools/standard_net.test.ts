/** Standard nets, and projects to start from. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSolver, Net, NetError, parseNet, parseSolver, printNet } from '../../lib/index.js'
import { deployNet } from '../../lib/net/deploy.js'
import { makeDataset } from '../../lib/tools/make_dataset.js'
import { newProject, planProject } from '../../lib/tools/standard/project.js'
import { standardNet, standardNetNames, standardSolver, testBatchFor } from '../../lib/tools/standard/standard_net.js'
import { cli } from '../cli/helpers.js'

describe('standardNet', () => {
  test.each(standardNetNames)('%s: trains, is tested and used by one description, for small pictures', async name => {
    const param = standardNet(name, { classes: 7, channels: 1, size: 32, batch: 2 })
    expect(printNet(parseNet(printNet(param)))).toBe(printNet(param))
    const shapes = async (phase: 'TRAIN' | 'TEST', stages: string[] = []) => {
      const net = await Net.create(param, { phase, stages, engine: 'js', seed: 1 })
      const { inputs, outputs, blobs } = net
      const made = { inputs, outputs, shapes: outputs.map(output => blobs[output].shape) }
      net.dispose()
      return made
    }
    expect(await shapes('TRAIN')).toEqual({ inputs: ['data', 'label'], outputs: ['loss'], shapes: [[]] })
    expect(await shapes('TEST')).toEqual({ inputs: ['data', 'label'], outputs: ['accuracy', 'loss'], shapes: [[], []] })
    const used = await shapes('TEST', ['deploy'])
    expect(used.outputs).toEqual(['prob'])
    expect(used.shapes[0].slice(0, 2)).toEqual([2, 7])
    expect((await deployNet(param)).layer?.map(layer => layer.name)).toContain('prob')
  })

  test('large pictures get the strides of the papers', () => {
    const strides = (size: number) =>
      standardNet('resnet18', { classes: 2, size }).layer!.find(({ name }) => name === 'conv1')!.convolution_param!
        .stride
    expect([strides(32), strides(64), strides(224)]).toEqual([undefined, [2], [2]])
  })

  test('what makes no net is refused', () => {
    expect(() => standardNet('lenett' as never, { classes: 2, size: 28 })).toThrow("did you mean 'lenet'")
    expect(() => standardNet('lenet', { classes: 0, size: 28 })).toThrow('classes is 0')
    expect(() => standardNet('lenet', { classes: 2, size: [28, 9] })).toThrow('at least 16×16, not 28×9')
    expect(() => standardSolver('lenet', { net: 'n', epochs: 0, train: 5, prefix: 'p' })).toThrow(NetError)
    for (const epochs of [1e12, Number.POSITIVE_INFINITY])
      expect(() => standardSolver('lenet', { net: 'n', epochs, train: 5, prefix: 'p' })).toThrow(
        '2147483647 iterations',
      )
    expect(() => standardSolver('lenet', { net: 'n', epochs: 1, train: 5, prefix: 'p', type: 'Sgd' })).toThrow(
      'Nesterov',
    )
  })

  test('epochs become iterations: a test and a snapshot each, the rate falls after each third', () => {
    const options = { net: 'n', epochs: 3, train: 1000, val: 250, batch: 64, testBatch: 50, prefix: 'p' }
    expect(standardSolver('lenet', options)).toMatchObject({
      max_iter: 48,
      test_iter: [5],
      test_interval: 16,
      snapshot: 16,
      stepsize: 16,
      display: 2,
      base_lr: 0.01,
      momentum: 0.9,
    })
    expect(standardSolver('lenet', { ...options, type: 'Adam', val: 0 })).not.toHaveProperty('test_iter')
    expect([testBatchFor(250), testBatchFor(300), testBatchFor(97), testBatchFor(101), testBatchFor(7)]).toEqual([
      50, 100, 97, 100, 7,
    ])
  })
})

describe('a project', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'project-'))
    // two classes: bright above, bright below
    const count = 60
    const pixels = Uint8Array.from({ length: count * 256 }, (_, k) => {
      const [i, at] = [k >> 8, k & 255]
      return at < 128 === (i % 2 === 0) ? 200 + ((k * 7) % 50) : (k * 13) % 50
    })
    const source = {
      data: pixels,
      shape: [count, 1, 16, 16],
      labels: Array.from({ length: count }, (_, i) => (i % 2 ? 'below' : 'above')),
    }
    await makeDataset(source, { output: join(folder, 'data'), val: 0.5 })
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('learns its dataset as it is, and goes into an archive that knows the classes', async () => {
    const project = join(folder, 'halves')
    const made = await cli(
      'new',
      project,
      '--dataset',
      join(folder, 'data'),
      '--epochs',
      '12',
      '--batch',
      '10',
      '--seed',
      '1',
    )
    expect(made).toMatchObject({ code: 0, err: '' })
    expect(made.out).toContain(`Next: npx ristretto train --solver ${project}/solver.prototxt`)
    const param = parseSolver(readFileSync(`${project}/solver.prototxt`, 'utf8'))
    expect(param).toMatchObject({ max_iter: 36, test_iter: [1], test_interval: 3 })
    const solver = await createSolver(`${project}/solver.prototxt`, { engine: 'wasm', threads: 1 })
    await solver.solve()
    expect((await solver.test()).find(({ name }) => name === 'accuracy')!.value).toBe(1)
    const deployed = await solver.deploy()
    expect(deployed.labels).toEqual(['above', 'below'])
    expect(await deployed.preparation()).toMatchObject({ channels: 1, height: 16, width: 16, scale: 1 / 64 })
    const rgba = new Uint8ClampedArray(16 * 16 * 4).fill(255, 512)
    const [row] = await deployed.predict([{ width: 16, height: 16, data: rgba }])
    expect(row[1]).toBeGreaterThan(0.5)
    deployed.dispose()
    solver.dispose()
    const again = await cli('new', project, '--dataset', join(folder, 'data'))
    expect(again.err).toContain('is there already: --overwrite replaces it')
  })

  test('crop, mirror, rate and solver are as they are asked for; no summary is no dataset', async () => {
    const options = {
      folder: 'p',
      dataset: join(folder, 'data'),
      net: 'cifar10_quick' as const,
      crop: 12,
      mirror: true,
      rate: 0.5,
      solver: 'Adam',
    }
    const { net, solver } = await planProject(options)
    const [train, val, input] = net.layer!
    expect(train.transform_param).toMatchObject({ crop_size: 12, mirror: true })
    expect(val.transform_param).not.toHaveProperty('mirror')
    expect(input.input_param?.shape?.[0].dim).toEqual([1, 1, 12, 12])
    expect(solver).toMatchObject({ base_lr: 0.5, type: 'Adam' })
    await expect(planProject({ ...options, crop: 17 })).rejects.toThrow('does not fit')
    await expect(newProject({ ...options, dataset: folder })).rejects.toThrow('file not found')
    const wrong = { read: () => new TextEncoder().encode('{"classes": []}') }
    await expect(planProject(options, { files: wrong })).rejects.toThrow('no summary of a dataset')
    const whole = JSON.parse(readFileSync(join(folder, 'data', 'summary.json'), 'utf8'))
    const told = (change: object) => ({ read: () => new TextEncoder().encode(JSON.stringify({ ...whole, ...change })) })
    for (const change of [
      { sets: { train: { records: 'many' } } },
      { sets: { train: { records: 1.5 } } },
      { sets: { train: null } },
      { mean: [] },
      { mean: [1, 2] },
    ])
      await expect(planProject(options, { files: told(change) })).rejects.toThrow('no summary of a dataset')
    const lost = told({ sets: { train: { records: 3 }, val: { records: 0 } } })
    const untested = await planProject(options, { files: lost })
    expect(untested.solver).not.toHaveProperty('test_iter')
    expect(untested.notes).toEqual([expect.stringMatching(/no val_db: nothing will be tested/)])
    const alone = await planProject(options, { files: told({ classes: ['only'] }) })
    expect(alone.notes).toEqual([expect.stringMatching(/has one class: .* nothing will be learned/)])
    expect((await planProject(options)).notes).toEqual([])
  })
})
