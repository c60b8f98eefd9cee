/** A disk that is full, and jobs that cannot be told: who asked hears of it, and nothing else is lost. */
import { expect, test } from 'vitest'
import { pathsOf } from '../../../lib/studio/core/job_files.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { readJson, type Store } from '../../../lib/studio/core/store.js'
import { rig, until } from './fakes.js'

/** A store whose writes of some paths fail while it is full. */
function fillable(): { store: Store; full: RegExp | undefined } {
  const inner = memoryStore()
  const self = {
    full: undefined as RegExp | undefined,
    store: {
      ...inner,
      async write(path, contents) {
        if (self.full?.test(path)) throw new Error(`cannot write '${path}': ENOSPC: no space left on device`)
        await inner.write(path, contents)
      },
    } satisfies Store as Store,
  }
  return self
}

test('a stop that cannot be told is said to who asked; the next one ends the job at once', async () => {
  const { project, runner, model } = await rig()
  const { id } = await model()
  await until(() => runner.last().kind === 'model')
  runner.last().emit({ kind: 'start', attempt: 1, iter: 0 })
  await until(() => project.jobs({ state: 'running' }).length)
  runner.deaf = new Error('the job cannot be told')
  await expect(project.snapshot(id)).rejects.toThrow(/cannot be told/)
  await expect(project.stop(id)).rejects.toThrow(/cannot be told/)
  expect((await project.job(id)).state).toBe('running')
  await project.stop(id)
  await until(() => project.jobs({ state: 'stopped' }).length)
  await project.close()
})

test('a full disk: a job goes on, says what cannot be written, and no more once it can', async () => {
  const disk = fillable()
  const { project, runner, store, model } = await rig({ store: disk.store })
  const { id } = await model()
  await until(() => runner.last().kind === 'model')
  runner.last().emit({ kind: 'start', attempt: 1, iter: 0 })
  await until(() => project.jobs({ state: 'running' }).length)
  disk.full = /state\.json|queue\.json/
  // twice: what could not be written once is no end of reading
  for (const iter of [10, 20]) {
    runner.last().emit({ kind: 'train', iter, lr: 0.1, loss: 1 / iter })
    await until(async () => (await project.metrics(id)).series['loss']?.iters.includes(iter))
  }
  runner.last().emit({ kind: 'done' })
  runner.last().exit()
  await until(() => project.jobs({ state: 'done' }).some(job => job.id === id))
  const told = await until(() => project.jobs().find(job => job.id === id)?.error)
  expect(told).toMatch(/what it does cannot be written down: .*state\.json.*no space left/)
  disk.full = undefined
  await until(() => project.jobs().find(job => job.id === id)?.error === undefined)
  expect(await readJson(store, pathsOf(id).state)).toMatchObject({ state: 'done', iter: 20 })
  await project.close()
})

test('a full disk: a job that ends by itself, or cannot be started, is no end of the project', async () => {
  const disk = fillable()
  const { project, runner, model } = await rig({ store: disk.store })
  const { id } = await model()
  await until(() => runner.last().kind === 'model')
  runner.last().emit({ kind: 'start', attempt: 1, iter: 0 })
  await until(() => project.jobs({ state: 'running' }).length)
  disk.full = /./
  runner.refusal = new Error('no process can be started')
  runner.last().exit({ orderly: false, reason: 'it was killed' })
  const job = await until(() => project.jobs().find(one => one.id === id && one.error?.includes('it was killed')))
  expect(job.state).toBe('interrupted')
  await expect(project.pause(true)).rejects.toThrow(/no space left/)
  expect(project.paused).toBe(false)
  await expect(project.change(id, { name: 'other' })).rejects.toThrow(/no space left/)
  await expect(project.trust(['a'.repeat(64)])).rejects.toThrow(/no space left/)
  await expect(project.remove(id)).rejects.toThrow(/no space left/)
  expect((await project.job(id)).name).toBe('LeNet')
  disk.full = undefined
  await project.resume(id)
  await until(() =>
    project
      .jobs()
      .find(one => one.id === id)
      ?.error?.includes('no process can be started'),
  )
  expect((await project.job(id)).state).toBe('failed')
  await project.close()
})

test('only what a form asked for may load native libraries, whatever a job writes into its own file', async () => {
  const { project, runner, store, model, reopen } = await rig()
  await model({ name: 'plain' })
  await until(() => runner.last().kind === 'model')
  const plain = runner.last()
  expect(plain.addons).toBe(false)
  const file = await readJson<{ form: object }>(store, pathsOf(plain.id).job)
  await store.write(pathsOf(plain.id).job, JSON.stringify({ ...file, form: { ...file!.form, engine: 'native' } }))
  plain.exit({ orderly: false, reason: 'it was killed' })
  await until(() => runner.played.filter(({ id }) => id === plain.id).length === 2)
  expect(runner.last().addons).toBe(false)
  runner.last().emit({ kind: 'start', attempt: 2, iter: 0 }, { kind: 'done' })
  runner.last().exit()
  await until(() => project.jobs({ state: 'done' }).some(job => job.id === plain.id))
  const { id } = await model({ name: 'asked', engine: 'native' })
  await until(() => runner.last().id === id)
  expect(runner.last().addons).toBe(true)
  runner.last().exit({ orderly: false, reason: 'it was killed' })
  const again = await reopen()
  await until(() => runner.played.filter(job => job.id === id).length === 2)
  expect(runner.last().addons).toBe(true)
  await again.close()
})
