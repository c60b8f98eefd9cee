import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Net, parseNet, printNet } from '../../../lib/index.js'
import type { ModelForm, PretrainedForm } from '../../../lib/studio/api/index.js'
import { readFacts } from '../../../lib/studio/core/facts.js'
import type { JobFile } from '../../../lib/studio/core/job_files.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { unpackProject } from '../../../lib/studio/core/project_archive.js'
import { newState } from '../../../lib/studio/core/state.js'
import { readJson } from '../../../lib/studio/core/store.js'
import { codeFiles, Trust } from '../../../lib/studio/core/trust.js'
import { looking } from '../../../lib/studio/jobs/looking.js'
import { pretrainedJob } from '../../../lib/studio/jobs/pretrained.js'
import { tar } from '../../tar.js'
import { contextOf, DATASET, jobContext, toyModel, toyProject } from '../toy_project.js'

const MODEL = '20261129-0140-lene'
const item = { dataset: DATASET, set: 'val', item: 2 } as const
const blankSquare = readFileSync('docs/examples/occlusion/blank_square.ts', 'utf8')
let project: Awaited<ReturnType<typeof toyProject>>
let net: string

beforeAll(async () => {
  project = await toyProject({ size: 20 })
  ;({ net } = await looking.standardNet(project.context, 'lenet', DATASET))
  const blanked = net.replace(
    /layer \{\s+name: "conv1"/,
    found =>
      `layer { name: "blank" type: "BlankSquareLayer" bottom: "data" top: "data" include { phase: TRAIN } }\n${found}`,
  )
  await toyModel(
    project,
    MODEL,
    { net: blanked, mean: 'image', layers: { 'blank_square.ts': blankSquare } },
    { iters: [5, 9] },
  )
})

const form = (more: Partial<ModelForm> = {}): ModelForm => ({
  ...{ name: 'm', dataset: DATASET, net, epochs: 4 },
  solver: { type: 'SGD', rate: 0.1, policy: { policy: 'step', gamma: 0.1, share: 0.5 } },
  ...more,
})

describe('What a person looks at before there is a model', () => {
  test('a net with layers of its own; the same text is answered from memory', async () => {
    const { context } = project
    const own = net
      .replace('bottom: "data"', 'bottom: "blank"')
      .replace(
        /layer \{\s+name: "conv1"/,
        found => `layer { name: "blank" type: "BlankSquareLayer" bottom: "data" top: "blank" }\n${found}`,
      )
    const layers = { 'blank_square.ts': blankSquare }
    const request = { net: own, stage: 'train', dataset: DATASET } as const
    expect((await looking.inspect(context, request)).marks).toMatchObject([
      { severity: 'error', message: expect.stringContaining("unknown type 'BlankSquareLayer'") },
    ])
    const found = await looking.inspect(context, { ...request, layers })
    expect(found.marks).toEqual([])
    expect(found.graph!.nodes.find(({ layer }) => layer === 'blank')).toMatchObject({
      tops: [{ shape: [64, 1, 20, 20] }],
    })
    expect(await looking.inspect(context, { ...request, layers: { ...layers } })).toBe(found)
    const broken = await looking.inspect(context, { ...request, layers: { 'blank_square.ts': 'class {' } })
    expect(broken.marks.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^blank_square\.ts:1: /),
      expect.stringContaining('unknown type'),
    ])
  })

  test('the rates of a solver, of the first value of each field, and its text', async () => {
    const { context } = project
    const preview = await looking.previewSolver(
      context,
      form({ batch: 10, solver: { ...form().solver, rate: [0.1, 0.01] } }),
    )
    expect(preview).toMatchObject({ maxIter: 12, testInterval: 3, iters: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] })
    expect(preview.rates[5]).toBeCloseTo(0.1)
    expect(preview.rates[6]).toBeCloseTo(0.01)
    expect(preview.solver).toContain('max_iter: 12')
    await expect(looking.previewSolver(context, form({ epochs: -1 }))).rejects.toMatchObject({
      status: 422,
      faults: [{ path: 'epochs' }],
    })
  })

  test('standard nets that fit, and what does not', async () => {
    const { context } = project
    // a small set gets a smaller batch than LeNet's 64
    expect((await looking.standardNet(context, 'lenet', DATASET)).form).toMatchObject({
      batch: 16,
      solver: { rate: 0.01 },
    })
    await expect(looking.standardNet(context, 'lenett', DATASET)).rejects.toMatchObject({ status: 422 })
    await expect(looking.standardNet(context, 'lenet', MODEL)).rejects.toMatchObject({ status: 409 })
  })

  test('what a source would become', async () => {
    const { context, store } = project
    const idx = (type: number[], bytes: Uint8Array) =>
      Uint8Array.from([0, 0, 8, type.length, ...type.flatMap(n => [0, 0, n >> 8, n & 255]), ...bytes])
    await store.write('uploads/i/files/train-images-idx3-ubyte', idx([20, 6, 4], new Uint8Array(480).fill(9)))
    await store.write(
      'uploads/i/files/train-labels-idx1-ubyte',
      idx(
        [20],
        Uint8Array.from({ length: 20 }, (_, i) => i % 3),
      ),
    )
    const preview = await looking.previewDataset(context, {
      name: 'd',
      source: { from: 'idx', place: { upload: 'i' } },
      height: 8,
    })
    expect(preview).toMatchObject({ pictures: 20, classes: ['0', '1', '2'], skipped: [] })
    expect(preview.examples).toHaveLength(8)
    const sizeOf = (png: Uint8Array) => [png[19], png[23], png[25]]
    expect(sizeOf(preview.examples[0].before).slice(0, 2)).toEqual([4, 6])
    // grey as the source is
    expect(sizeOf(preview.examples[0].after)).toEqual([8, 8, 0])
    await store.write('uploads/l/files/db/data.mdb', (await store.read(`jobs/${DATASET}/val_db/data.mdb`))!)
    const lmdb = await looking.previewDataset(context, {
      name: 'd',
      source: { from: 'lmdb', place: { upload: 'l' }, train: 'db' },
    })
    expect(lmdb.pictures).toBe(10)
    expect(lmdb.examples).toHaveLength(8)
  })
})

test('jobs are compared by the settings in which they differ, code by its hash', async () => {
  const OTHER = '20261129-0141-othe'
  await toyModel(
    project,
    OTHER,
    { net, mean: 'image', solver: { ...form().solver, rate: 0.02, policy: { policy: 'fixed' } } },
    { iters: [] },
  )
  const { differing, nets, jobs } = await looking.compare(project.context, [MODEL, OTHER])
  expect(jobs).toEqual([MODEL, OTHER])
  expect(differing).toEqual([
    { path: 'solver.rate', values: ['0.01', '0.02'] },
    { path: 'layers.blank_square.ts', values: [(await codeFiles({ a: blankSquare }))[0].sha256.slice(0, 8), '–'] },
  ])
  expect(nets.map(({ job }) => job)).toEqual([OTHER])
  expect(nets[0].text).toMatch(/^-.*BlankSquareLayer/m)
  expect((await looking.compare(project.context, [MODEL, MODEL])).nets).toEqual([])
  await expect(looking.compare(project.context, ['20261129-0141-none'])).rejects.toMatchObject({ status: 404 })
})

describe('The archive of a model', () => {
  let files: Record<string, Uint8Array>
  let zip: Uint8Array
  beforeEach(async () => {
    await looking.archive(project.context, MODEL, 5, 'downloads/model.zip')
    zip = (await project.store.read('downloads/model.zip'))!
    files = unzipSync(zip)
  })

  test('has all that a use needs, and the library answers with it as Studio does', async () => {
    expect(Object.keys(files).sort()).toEqual(
      [
        'deploy.prototxt',
        'info.json',
        'labels.txt',
        'layers/blank_square.ts',
        'mean.binaryproto',
        'model.caffemodel',
        'solver.prototxt',
        'train_val.prototxt',
      ].sort(),
    )
    const text = (name: string) => new TextDecoder().decode(files[name])
    expect(text('solver.prototxt')).toContain('net: "train_val.prototxt"')
    expect(text('train_val.prototxt')).toContain('mean_file: "mean.binaryproto"')
    expect(text('deploy.prototxt')).not.toContain('Blank')
    using loaded = await Net.load(zip, { engine: 'js' })
    const png = await looking.picture(project.context, DATASET, 'val', 2)
    const [row] = await loaded.predict([png])
    const { classes } = await looking.testOne(project.context, MODEL, { picture: item, iter: 5 })
    for (const { label, score } of classes) expect(row[label]).toBeCloseTo(score, 5)
  })

  const pretrain = async (id: string, source: PretrainedForm['source']) => {
    const file = {
      version: 1,
      id,
      kind: 'pretrained',
      form: { name: 'taken', source },
      parents: {},
      created: 1,
      code: [],
    } as JobFile<'pretrained'>
    await project.store.write(`jobs/${id}/job.json`, JSON.stringify(file))
    expect(await pretrainedJob(file, jobContext(project.context, id).job)).toBe('done')
    return (await readJson<JobFile>(project.store, `jobs/${id}/job.json`))!
  }

  test('comes in again as a pretrained model, whose code is asked for by its hash', async () => {
    const ID = '20261129-0160-pret'
    await project.store.write('uploads/a/files/model.zip', zip)
    const strange = strToU8(blankSquare.replace('/** Passed', '/** Whole, passed'))
    await project.store.write('uploads/b/files/model.zip', zipSync({ ...files, 'layers/blank_square.ts': strange }))
    const { code } = await pretrain(ID, { archive: { upload: 'a' } })
    expect(code).toEqual(await codeFiles({ 'blank_square.ts': blankSquare }))
    const { classes } = await looking.testOne(project.context, ID, { picture: item })
    const own = await looking.testOne(project.context, MODEL, { picture: item, iter: 5 })
    expect(classes).toEqual(own.classes.map(one => ({ ...one, score: expect.closeTo(one.score, 5) })))
    const OTHER = '20261129-0161-pret'
    const { code: unknown } = await pretrain(OTHER, { archive: { upload: 'b' } })
    await expect(looking.testOne(project.context, OTHER, { picture: item })).rejects.toMatchObject({
      status: 403,
      faults: [{ path: 'layers/blank_square.ts', message: `SHA-256 ${unknown[0].sha256}` }],
    })
    await (await Trust.open(project.store, 'ask')).add(unknown.map(({ sha256 }) => sha256))
    await looking.testOne(project.context, OTHER, { picture: item })
    // and goes out again
    await looking.archive(project.context, OTHER, undefined, 'downloads/again.zip')
    expect(Object.keys(unzipSync((await project.store.read('downloads/again.zip'))!))).toContain(
      'layers/blank_square.ts',
    )
  })

  test("of DIGITS's own form, a .tar.gz, is a pretrained model as well", async () => {
    const ID = '20261129-0165-pret'
    const text = (name: string) => new TextDecoder().decode(files[name])
    const info = {
      ...{
        'deploy file': 'deploy.prototxt',
        framework: 'caffe',
        'image dimensions': [20, 20, 1],
        'image resize mode': 'squash',
      },
      ...{
        'labels file': 'labels.txt',
        'mean file': 'mean.binaryproto',
        'snapshot file': 'snapshot_iter_5.caffemodel',
      },
      'mean subtraction': 'image',
    }
    // what its data layers scale, its nets scale themselves
    const [input, ...others] = parseNet(text('deploy.prototxt')).layer!
    const power = { name: 'scale', type: 'Power', bottom: ['data'], top: ['data'], power_param: { scale: 1 / 64 } }
    const deploy = printNet({ layer: [input, power, ...others] })
    const contents = {
      ...{ 'deploy.prototxt': deploy, 'labels.txt': text('labels.txt'), 'mean.binaryproto': files['mean.binaryproto'] },
      ...{ 'snapshot_iter_5.caffemodel': files['model.caffemodel'], 'info.json': JSON.stringify(info) },
    }
    await project.store.write(
      'uploads/digits/files/20160101-lenet_epoch_5.tar.gz',
      new Uint8Array(gzipSync(tar(contents))),
    )
    expect((await pretrain(ID, { archive: { upload: 'digits' } })).code).toEqual([])
    const { classes } = await looking.testOne(project.context, ID, { picture: item })
    const own = await looking.testOne(project.context, MODEL, { picture: item, iter: 5 })
    expect(classes).toEqual(own.classes.map(one => ({ ...one, score: expect.closeTo(one.score, 4) })))
    await expect(looking.testOne(project.context, ID, { picture: item, stage: 'train' })).rejects.toMatchObject({
      status: 400,
    })
  })

  test('of another snapshot, by the job itself, and from loose files', async () => {
    await pretrain('20261129-0162-pret', { model: MODEL, iter: 9 })
    const nine = await looking.testOne(project.context, MODEL, { picture: item, iter: 9 })
    const taken = await looking.testOne(project.context, '20261129-0162-pret', { picture: item })
    expect(taken.classes[0].score).toBeCloseTo(nine.classes[0].score, 5)
    for (const [name, path] of [
      ['w', 'model.caffemodel'],
      ['m', 'mean.binaryproto'],
    ])
      await project.store.write(`uploads/${name}/files/${path}`, files[path])
    const text = (name: string) => new TextDecoder().decode(files[name])
    await pretrain('20261129-0163-pret', {
      net: text('train_val.prototxt'),
      weights: { upload: 'w' },
      mean: { upload: 'm' },
      labels: text('labels.txt'),
    })
    const loose = await looking.testOne(project.context, '20261129-0163-pret', { picture: item })
    const five = await looking.testOne(project.context, MODEL, { picture: item, iter: 5 })
    expect(loose.classes).toEqual(five.classes.map(one => ({ ...one, score: expect.closeTo(one.score, 4) })))
    await expect(pretrain('20261129-0164-pret', { archive: { upload: 'w' } })).rejects.toThrow(/no archive/)
  })
})

describe('A zip of a project', () => {
  test('brings whole jobs to another project, byte for byte; what ran has stopped', async () => {
    const { store, context } = project
    await store.write(`jobs/${MODEL}/state.json`, JSON.stringify({ ...newState('running'), attempt: 1 }))
    await store.write(`jobs/${MODEL}/process.json`, '{"pid":7,"at":1}')
    await store.write(`jobs/${MODEL}/control.jsonl`, '{}')
    await looking.project(context, [DATASET, MODEL], 'downloads/project.zip')
    const zip = (await store.read('downloads/project.zip'))!
    // any other program reads it, too
    expect(unzipSync(zip)[`jobs/${DATASET}/labels.txt`]).toEqual(await store.read(`jobs/${DATASET}/labels.txt`))
    const other = memoryStore(new Map([['uploads/p/files/p.zip', zip]]))
    expect(await unpackProject(other, 'uploads/p/files/p.zip')).toEqual([DATASET, MODEL])
    expect(await other.read(`jobs/${DATASET}/train_db/data.mdb`)).toEqual(
      await store.read(`jobs/${DATASET}/train_db/data.mdb`),
    )
    expect(await readJson(other, `jobs/${MODEL}/state.json`)).toMatchObject({ state: 'stopped' })
    for (const own of ['control.jsonl', 'process.json'])
      expect(await other.size(`jobs/${MODEL}/${own}`)).toBeUndefined()
    // its code is nobody's friend there
    await expect(looking.testOne(contextOf(other), MODEL, { picture: item })).rejects.toMatchObject({ status: 403 })
    expect((await looking.items(contextOf(other), DATASET, { set: 'val' })).total).toBe(10)
    expect(await unpackProject(other, 'uploads/p/files/p.zip')).toEqual([])
    for (const name of ['state.json', 'process.json']) await store.remove(`jobs/${MODEL}/${name}`)
  })

  const mark = strToU8('{"format":"ristretto project","version":1}')
  const job = (id: string, more = {}) =>
    strToU8(JSON.stringify({ version: 1, id, kind: 'dataset', form: {}, parents: {}, created: 1, code: [], ...more }))
  const A = '20261129-0131-aaaa'
  const hostile: [string, Record<string, Uint8Array>, RegExp][] = [
    ['a name that leads out', { 'project.json': mark, [`jobs/${A}/../../x`]: mark }, /no path within/],
    ['a name with a drive', { 'project.json': mark, 'C:/x': mark }, /no path within/],
    ['a name from the root', { 'project.json': mark, '/etc/x': mark }, /no path within/],
    ['a name with backslashes', { 'project.json': mark, [`jobs\\${A}\\..\\x`]: mark }, /no path within/],
    ['a name with a NUL', { 'project.json': mark, [`jobs/${A}/a\0b`]: mark }, /no path within/],
    ['what is no job', { 'project.json': mark, 'trust.json': mark }, /belongs to no job/],
    ['a job without job.json', { 'project.json': mark, [`jobs/${A}/net.prototxt`]: mark }, /has no job.json/],
    ['a job that is another', { 'project.json': mark, [`jobs/${A}/job.json`]: job('20261129-0131-bbbb') }, /is none/],
    [
      'parents that are none',
      { 'project.json': mark, [`jobs/${A}/job.json`]: job(A, { parents: null }) },
      /job.json .*is none/,
    ],
    [
      'code that is no list',
      { 'project.json': mark, [`jobs/${A}/job.json`]: job(A, { code: { length: 1 } }) },
      /is none/,
    ],
    [
      'a state that is none',
      { 'project.json': mark, [`jobs/${A}/job.json`]: job(A), [`jobs/${A}/state.json`]: strToU8('{"state":7}') },
      /state.json .*is none/,
    ],
    ['no mark', { [`jobs/${A}/job.json`]: job(A) }, /no project of Studio/],
  ]
  test.each(hostile)('with %s is refused, and nothing of it stays', async (_, files, message) => {
    const store = memoryStore(new Map([['p.zip', zipSync(files)]]))
    await expect(unpackProject(store, 'p.zip')).rejects.toThrow(message)
    expect(await store.list('jobs')).toEqual([])
    expect(await store.size('trust.json')).toBeUndefined()
  })

  test('that is damaged is refused, packed or stored', async () => {
    for (const level of [0, 9] as const) {
      const zip = zipSync({
        'project.json': mark,
        [`jobs/${A}/job.json`]: job(A),
        [`jobs/${A}/x`]: [new Uint8Array(3000).fill(5), { level }],
      })
      const broken = zip.slice()
      // behind the name in its local header
      const start = new TextDecoder('latin1').decode(zip).indexOf(`jobs/${A}/x`) + `jobs/${A}/x`.length
      broken[start + (level ? 5 : 500)] ^= 0xff
      const store = memoryStore(new Map([['p.zip', broken]]))
      await expect(unpackProject(store, 'p.zip')).rejects.toThrow()
      expect(await store.list('jobs')).toEqual([])
    }
  })
})

test('facts of a dataset are checked', () => {
  expect(() => readFacts('{}')).toThrow(/no summary/)
  expect(() => readFacts('[')).toThrow(/no JSON/)
})
