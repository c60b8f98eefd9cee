/** Files of a job may say anything: its own code writes there, and archives bring them. A project lives with all of it. */
import { describe, expect, test } from 'vitest'
import { EventTail } from '../../../lib/studio/core/events.js'
import { isOwnFile, pathsOf } from '../../../lib/studio/core/job_files.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { readJson, type Store } from '../../../lib/studio/core/store.js'
import { rig, until } from './fakes.js'

const id = '20261129-0131-k7f3'

async function append(store: Store, job: string, ...lines: string[]): Promise<void> {
  const file = await store.appender(pathsOf(job).events)
  for (const line of lines) file.append(`${line}\n`)
  file.close()
}

test('lines that are no events are left out, and the next one is read', async () => {
  const { project, runner, store, model } = await rig()
  const job = await model()
  await until(() => runner.last().kind === 'model')
  runner.last().emit({ kind: 'start', attempt: 1, iter: 0, watch: { output: 'accuracy', better: 'max' } })
  await until(() => project.jobs({ state: 'running' }).length)
  const at = { seq: 90, t: 1 }
  const hostile = [
    { ...at, kind: 'test', iter: 5 },
    { ...at, kind: 'test', iter: 5, outputs: null },
    { ...at, kind: 'test', iter: 5, outputs: { accuracy: { toString: 1 } } },
    { ...at, kind: 'train', iter: 'x', lr: 1, loss: 1 },
    { ...at, kind: 'train', iter: 1, lr: 1, loss: {} },
    { ...at, kind: 'start', attempt: 1, iter: 0, watch: 'accuracy' },
    { ...at, kind: 'failed', error: { constructor: null } },
    { ...at, kind: '__proto__' },
    { ...at, kind: ['done'] },
    { ...at, t: null, kind: 'done' },
    [at],
    null,
  ]
  await append(store, job.id, ...hostile.map(line => JSON.stringify(line)), '{"seq":91,"t":1,"kind":"done"', '\u0000')
  await append(store, job.id, '{"seq":92,"t":2,"kind":"train","iter":7,"lr":0.1,"loss":null}')
  await until(async () => (await project.metrics(job.id)).series['loss']?.iters.includes(7))
  await until(() => project.jobs().find(one => one.id === job.id)?.iter === 7)
  expect(project.jobs({ state: 'running' })).toHaveLength(1)
  expect(await project.job(job.id)).not.toHaveProperty('error')
  await project.close()
})

test('a line without an end is not held in memory, and what follows it is read', async () => {
  const store = memoryStore()
  const long = new Uint8Array(2 ** 24 + 2 ** 20).fill(120)
  const more = new TextEncoder().encode('\n{"seq":2,"t":1,"kind":"done"}\n')
  const all = new Uint8Array(long.length + more.length)
  all.set(long)
  all.set(more, long.length)
  await store.write('events.jsonl', all)
  let most = 0
  const watched: Store = {
    ...store,
    async read(path, from, length) {
      const bytes = await store.read(path, from, length)
      most = Math.max(most, bytes?.length ?? 0)
      return bytes
    },
  }
  const tail = new EventTail(watched, 'events.jsonl')
  expect(await tail.next()).toMatchObject([{ seq: 2, kind: 'done' }])
  expect(tail.position).toBe(all.length)
  expect(most).toBe(2 ** 24)
})

describe('a project with a job whose files say', () => {
  const state = (more: object) => ({
    ...{ version: 1, state: 'done', attempt: 1, progress: 1, seconds: 0, fruitless: 0, read: 0 },
    ...{ farthest: 0, before: 0, snapshots: 0, snapshotsBefore: 0, ...more },
  })
  let deep: unknown = 'end'
  for (let i = 0; i < 500; i++) deep = { inner: deep }
  const file = (more: object) => ({
    ...{ version: 1, id, kind: 'model', form: { name: 'x' }, parents: {}, created: 1, code: [], ...more },
  })
  test.each([
    ['parents that are none', 'job', file({ parents: null })],
    ['a parent that is a path', 'job', file({ parents: { dataset: '../../x' } })],
    ['code without a hash', 'job', file({ code: [{ file: 'a.ts' }] })],
    ['a form without an end', 'job', file({ form: deep })],
    ['another kind', 'job', file({ kind: 'constructor' })],
  ])('%s: it is no job', async (_, name, contents) => {
    const store = memoryStore()
    await store.write(pathsOf(id).job, JSON.stringify(file({})))
    await store.write(pathsOf(id)[name as 'job'], JSON.stringify(contents))
    const { project } = await rig({ store })
    expect(project.jobs({ text: 'x' })).toEqual([])
    expect(
      (await project.create('dataset', { name: 'other', source: { from: 'folder', place: { path: '/data' } } })).length,
    ).toBe(1)
    await project.close()
  })

  test.each([
    [
      'a name that is no text',
      'meta',
      { name: {}, notes: '', group: '', starred: false },
      { name: 'x', state: 'done' },
    ],
    [
      'a state of its own',
      'state',
      state({ state: 'winning' }),
      { state: 'stopped', error: expect.stringMatching(/no state/) },
    ],
    ['an error that is a thing', 'state', state({ error: { a: 1 } }), { state: 'stopped' }],
    ['a best value that is none', 'state', state({ best: 7 }), { state: 'stopped' }],
  ])('%s: it is shown without that', async (_, name, contents, shown) => {
    const store = memoryStore()
    await store.write(pathsOf(id).state, JSON.stringify(state({})))
    await store.write(pathsOf(id)[name as 'meta'], JSON.stringify(contents))
    await store.write(pathsOf(id).job, JSON.stringify(file({})))
    const { project } = await rig({ store })
    expect(project.jobs({ text: 'x' })).toMatchObject([shown])
    await project.close()
  })
})

test('a job from elsewhere may not name what this Studio would not let it read', async () => {
  const { project, store, runner } = await rig({
    checkPath: async path => {
      if (path !== '/data') throw new Error(`'${path}' lies outside`)
    },
  })
  const form = { name: 'x', source: { from: 'folder', place: { path: '/etc' } } }
  const job = { version: 1, id, kind: 'dataset', form, parents: {}, created: 1, code: [] }
  await store.write(pathsOf(id).job, JSON.stringify(job))
  await project.take([id])
  await expect(project.resume(id)).rejects.toThrow(/lies outside/)
  expect(runner.played).toEqual([])
  expect(await readJson(store, pathsOf(id).state)).toMatchObject({ state: 'stopped' })
  await project.close()
})

test('what says of a job what it is and whose is not its own to write', () => {
  const own = ['events.jsonl', 'log.txt', 'snapshots/model_iter_1.caffemodel', 'predictions.bin', 'layers.txt']
  const others = [
    'job.json',
    'meta.json',
    'state.json',
    'removed.json',
    'stars.json',
    'control.jsonl',
    'layers',
    'layers/a.ts',
  ]
  for (const path of own) expect(isOwnFile(id, `jobs/${id}/${path}`), path).toBe(true)
  for (const path of [...others, 'JOB.JSON']) expect(isOwnFile(id, `jobs/${id}/${path}`), path).toBe(false)
  for (const path of [`jobs/${id}`, 'jobs/20261129-0131-k7f4/log.txt', 'trust.json', `jobs/${id}x/log.txt`])
    expect(isOwnFile(id, path), path).toBe(false)
})
