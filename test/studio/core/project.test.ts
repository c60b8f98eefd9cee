/** Jobs of a project: created, listed, changed, deleted; what of it is in the files. */
import { describe, expect, test } from 'vitest'
import { StudioError } from '../../../lib/studio/api/index.js'
import { pathsOf } from '../../../lib/studio/core/job_files.js'
import { Project } from '../../../lib/studio/core/project.js'
import { readJson, readText, writeJson } from '../../../lib/studio/core/store.js'
import { sha256 } from '../../../lib/studio/core/trust.js'
import { modelForm, putSnapshot, rig, until } from './fakes.js'

const thrown = async (promise: Promise<unknown>): Promise<StudioError> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(StudioError)
  return error as StudioError
}

describe('creating', () => {
  test('a job is a folder of plain files; job.json has the form, what it is made from and its code', async () => {
    const { project, store, model, dataset } = await rig()
    const layer = 'export class Blank {}'
    const job = await model({ layers: { 'blank.ts': layer } })
    const paths = pathsOf(job.id)
    expect(await readJson(store, paths.job)).toMatchObject({
      version: 1,
      id: job.id,
      kind: 'model',
      parents: { dataset: await dataset() },
      code: [{ file: 'blank.ts', sha256: await sha256(layer) }],
    })
    expect(await readText(store, paths.net)).toBe('net')
    expect(await readText(store, `${paths.layers}/blank.ts`)).toBe(layer)
    expect(job).toMatchObject({ kind: 'model', name: 'LeNet', state: 'queued', progress: 0, attempt: 0 })
    expect(await project.job(job.id)).toMatchObject({ form: { epochs: 2 }, children: [], snapshots: [] })
    expect((await project.job(await dataset())).result).toMatchObject({ kind: 'dataset', classes: ['0', '1'] })
  })

  test('several values make a job each, whose names say which', async () => {
    const { project, dataset } = await rig()
    const solver = {
      type: 'SGD',
      rate: [0.01, 0.001],
      policy: { policy: 'step', gamma: 0.1, share: [0.3, 0.5] },
    } as const
    const jobs = await project.create('model', modelForm(await dataset(), { solver, seed: [1] }))
    expect(jobs.map(job => job.name)).toEqual([
      'LeNet (rate 0.01, share 0.3)',
      'LeNet (rate 0.01, share 0.5)',
      'LeNet (rate 0.001, share 0.3)',
      'LeNet (rate 0.001, share 0.5)',
    ])
    const { form } = await project.clone(jobs[3].id)
    expect(form).toMatchObject({ seed: 1, solver: { rate: 0.001, policy: { share: 0.5 } } })
  })

  test('what is wrong is said where it stands, and nothing is made', async () => {
    const { project, dataset, store } = await rig({
      prepare: () => ({ faults: [{ path: 'net', message: 'unknown field', line: 3 }] }),
    }).then(async wrong => {
      const good = await rig({ store: wrong.store })
      return { ...wrong, dataset: good.dataset }
    })
    const before = (await store.list('jobs')).length
    const bad = await thrown(project.create('model', { ...modelForm('x'), epochs: 0, nett: 1 }))
    expect(bad.status).toBe(422)
    expect(bad.faults.map(({ path }) => path).sort()).toEqual(['dataset', 'epochs', 'nett'])
    const id = await dataset()
    const reopened = await Project.open({
      store,
      runner: { start: () => Promise.reject(new Error()), adopt: async () => undefined },
      prepare: () => ({ faults: [{ path: 'net', message: 'unknown field', line: 3 }] }),
    })
    const faulty = await thrown(reopened.create('model', modelForm(id)))
    expect(faulty.faults).toEqual([{ path: 'net', message: 'unknown field', line: 3 }])
    expect((await store.list('jobs')).length).toBe(before + 1)
    expect(
      (await thrown(reopened.create('dataset', { name: 'a', source: { from: 'folder', place: { path: '/etc' } } })))
        .message,
    ).toMatch("source.place.path: '/etc': no paths can be named here")
    expect(
      (
        await thrown(
          reopened.create('dataset', { name: 'a', source: { from: 'zip', place: { upload: 'a'.repeat(20) } } }),
        )
      ).message,
    ).toBe('source.place.upload: the upload is not there any more')
  })

  test('a parent must be there, of its kind, and done', async () => {
    const { project, model, dataset } = await rig()
    const { id } = await model()
    const faults = async (form: unknown, kind: 'model' | 'evaluation' = 'model') =>
      (await thrown(project.create(kind, form))).message
    expect(await faults(modelForm('20200101-0000-aaaa'))).toBe("dataset: there is no job '20200101-0000-aaaa'")
    expect(await faults(modelForm(id))).toBe("dataset: 'LeNet' is a model, not a dataset")
    expect(await faults({ model: id, on: { set: 'val' } }, 'evaluation')).toBe("model: 'LeNet' has no snapshot yet")
    expect(await faults(modelForm(await dataset(), { weights: { job: await dataset() } }))).toBe(
      "weights.job: 'digits' is a dataset, not a model or pretrained",
    )
  })

  test('an evaluation is made from a model and the dataset of the model', async () => {
    const { project, model, dataset, store } = await rig()
    const { id } = await model()
    await putSnapshot(store, id, 100)
    const [job] = await project.create('evaluation', { model: id, iter: 100, on: { set: 'val' } })
    expect(job.parents).toEqual({ model: id, dataset: await dataset() })
    expect((await thrown(project.create('evaluation', { model: id, iter: 5, on: { set: 'val' } }))).message).toBe(
      "model: 'LeNet' has no snapshot of iteration 5; it has 100",
    )
  })
})

describe('looking', () => {
  test('jobs are listed newest first, by kind, state, group and words', async () => {
    const { project, model, dataset } = await rig()
    const a = await model({ name: 'Alpha', group: 'night' })
    const b = await model({ name: 'Beta' })
    await project.change(b.id, { notes: 'with Gabor filters', starred: true })
    const names = (query: Parameters<Project['jobs']>[0]) => project.jobs(query).map(job => job.name)
    expect(new Set(names({}))).toEqual(new Set(['Alpha', 'Beta', 'digits']))
    expect(names({ kind: 'dataset' })).toEqual(['digits'])
    expect(names({ state: 'done' })).toEqual(['digits'])
    expect(names({ group: 'night' })).toEqual(['Alpha'])
    expect(names({ text: 'gabor FILT' })).toEqual(['Beta'])
    expect(names({ text: a.id.slice(-4) })).toContain('Alpha')
    expect(project.jobs({ text: 'Beta' })[0]).toMatchObject({ starred: true, notes: 'with Gabor filters' })
    expect((await project.job(await dataset())).children.map(child => child.name).sort()).toEqual(['Alpha', 'Beta'])
  })

  test('2,000 jobs are opened and filtered', async () => {
    const { store, dataset, reopen } = await rig()
    const id = await dataset()
    const base = (await readJson<object>(store, pathsOf(id).job))!
    for (let i = 0; i < 2000; i++) {
      const other = `20260101-0000-${i.toString(36).padStart(4, '0')}`
      await writeJson(store, pathsOf(other).job, { ...base, id: other, created: i, form: { name: `job ${i}` } })
    }
    const project = await reopen()
    expect(project.jobs()).toHaveLength(2001)
    expect(project.jobs({ text: 'job 1999' }).map(job => job.created)).toEqual([1999])
  })

  test('a file is one of the list, text is text', async () => {
    const { project, model, store } = await rig()
    const { id } = await model()
    await store.write(`${pathsOf(id).folder}/log.txt`, 'one\ntwo\nthr')
    expect((await project.files(id)).map(file => file.path)).toContain('net.prototxt')
    expect(await project.text(id, 'net.prototxt')).toBe('net')
    for (const path of ['../../trust.json', '/etc/passwd', 'net.prototxt/', 'nothing'])
      expect((await thrown(project.text(id, path))).status).toBe(404)
    await store.write(`${pathsOf(id).folder}/bytes`, new Uint8Array([255, 254, 0]))
    expect((await thrown(project.text(id, 'bytes'))).message).toBe("'bytes' is no file of text")
    expect(await project.log(id)).toEqual({ lines: ['one', 'two'], next: 2 })
    await store.write(`${pathsOf(id).folder}/log.txt`, 'one\ntwo\nthree\nfour\n')
    expect(await project.log(id, 2)).toEqual({ lines: ['three', 'four'], next: 4 })
    expect(await project.log(id, 4)).toEqual({ lines: [], next: 4 })
    expect(await project.log(id, 3)).toEqual({ lines: ['four'], next: 4 })
  })
})

describe('deleting', () => {
  test('a job that others are made from stays, and the error names them; else it lies in the trash for a day', async () => {
    const { project, model, dataset, store, runner, reopen } = await rig()
    const { id } = await model()
    await until(() => runner.last(id))
    const parent = await dataset()
    const refused = await thrown(project.remove(parent))
    expect(refused.status).toBe(409)
    expect(refused.message).toBe("'digits' is used by 'LeNet': delete these first")
    expect(refused.faults).toEqual([{ path: id, message: 'LeNet' }])
    expect((await thrown(project.remove(id))).message).toBe("'LeNet' is running: stop it first")
    await project.stop(id)
    runner.last(id).emit({ kind: 'start', attempt: 1, iter: 0 }, { kind: 'stopped', iter: 0 })
    runner.last(id).exit()
    await until(() => project.jobs({ state: 'stopped' })[0])
    await until(() =>
      project.remove(id).then(
        () => true,
        () => false,
      ),
    )
    await project.remove(parent)
    expect(project.jobs()).toEqual([])
    expect((await thrown(project.job(id))).message).toBe("the job 'LeNet' was deleted")
    expect((await thrown(project.restore(id))).message).toMatch(/restore that one first/)
    const later = await reopen()
    expect(later.jobs()).toEqual([])
    await later.restore(parent)
    await later.restore(id)
    expect(later.jobs()).toHaveLength(2)
    await later.remove(id)
    await writeJson(store, pathsOf(id).removed, { at: Date.now() - 25 * 3600 * 1000 })
    await later.close()
    await reopen()
    expect(await store.list(pathsOf(id).folder)).toEqual([])
  })
})

describe('code', () => {
  test('what is typed here runs; what came from elsewhere waits until somebody agrees to its SHA-256', async () => {
    const { project, model, store, dataset, runner } = await rig({ trainings: 3 })
    const typed = await model({ layers: { 'a.ts': 'typed' } })
    expect(typed.untrusted).toBeUndefined()
    // a project's archive is unpacked into a folder of its own
    const foreign = '20200101-0000-aaaa'
    const code = [{ file: 'b.ts', sha256: await sha256('foreign') }]
    const form = modelForm(await dataset(), { layers: { 'b.ts': 'foreign' } })
    const parents = { dataset: await dataset() }
    await writeJson(store, pathsOf(foreign).job, {
      version: 1,
      id: foreign,
      kind: 'model',
      form,
      parents,
      created: 1,
      code,
    })
    await writeJson(store, pathsOf(foreign).state, {
      version: 1,
      state: 'running',
      attempt: 1,
      progress: 0,
      seconds: 0,
    })
    const [taken] = await project.take([foreign])
    expect(taken).toMatchObject({ state: 'stopped', untrusted: code })
    expect((await thrown(project.resume(foreign))).status).toBe(403)
    // a copy of it is no less a stranger's
    const copy = await project.clone(foreign)
    const [cloned] = await project.create('model', copy.form)
    expect(cloned.untrusted).toEqual(code)
    expect(project.jobs({ state: 'queued' }).map(job => job.id)).toEqual([cloned.id])
    await expect(project.mustTrustTyped(code)).rejects.toThrow(/came from elsewhere/)
    await project.trust([code[0].sha256])
    await until(() => runner.played.some(job => job.id === cloned.id))
    await project.resume(foreign)
    expect((await thrown(project.trust(['abc']))).message).toBe("'abc' is no SHA-256")
  })

  test('--layers never: none at all', async () => {
    const { model } = await rig({ layers: 'never' })
    expect((await thrown(model({ layers: { 'a.ts': 'typed' } }))).message).toMatch(/--layers never/)
  })
})
