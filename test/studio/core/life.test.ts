/** The life of jobs: queue, stop, resume, what was interrupted, projects that are opened again. */
import { describe, expect, test } from 'vitest'
import type { StudioEvent } from '../../../lib/studio/api/index.js'
import { pathsOf } from '../../../lib/studio/core/job_files.js'
import type { Project } from '../../../lib/studio/core/project.js'
import type { StateFile } from '../../../lib/studio/core/state.js'
import { readJson } from '../../../lib/studio/core/store.js'
import { putSnapshot, rig, until } from './fakes.js'

const state = (project: Project, id: string) => project.jobs().find(job => job.id === id)!
const reaches = (project: Project, id: string, wanted: string) => until(() => state(project, id).state === wanted)
const start = (attempt: number, iter = 0) =>
  ({
    kind: 'start',
    attempt,
    iter,
    maxIter: 1000,
    iterationsPerEpoch: 100,
    watch: { output: 'accuracy', better: 'max' },
  }) as const

describe('queue', () => {
  test('so many trainings at once, one other job besides, cores shared; in the order given; pause', async () => {
    const { project, runner, model, dataset } = await rig({ trainings: 2, cores: 9 })
    await dataset()
    await project.pause(true)
    expect(project.paused).toBe(true)
    const jobs = [
      await model({ name: 'a' }),
      await model({ name: 'b' }),
      await model({ name: 'c' }),
      await model({ name: 'd' }),
    ]
    const [a, b, c, d] = jobs.map(job => job.id)
    await project.order([c, a])
    await expect(project.order(['20200101-0000-aaaa'])).rejects.toThrow(/does not wait/)
    await project.pause(false)
    await until(() => runner.played.length === 3)
    expect(runner.played.slice(1).map(job => [job.id, job.threads, job.attempt])).toEqual([
      [c, 4, 1],
      [a, 4, 1],
    ])
    const [other] = await project.create('dataset', { name: 'more', source: { from: 'folder', place: { path: '/d' } } })
    await until(() => runner.last(other.id))
    runner.last(c).emit(start(1), { kind: 'done' })
    runner.last(c).exit()
    await until(() => runner.last(b))
    expect(runner.played.some(job => job.id === d)).toBe(false)
    await project.stop(d)
    expect(state(project, d).state).toBe('stopped')
    await expect(project.stop(d)).rejects.toThrow("'d' does not run: it is stopped")
  })

  test('a job that cannot be started has failed, and the next one starts', async () => {
    const { project, runner, model, dataset } = await rig()
    await dataset()
    runner.refusal = new Error('no room for a process')
    const { id } = await model()
    await reaches(project, id, 'failed')
    expect(state(project, id).error).toBe('no room for a process')
    runner.refusal = undefined
    const next = await model()
    await until(() => runner.last(next.id))
    await expect(project.resume(next.id)).rejects.toThrow(/already/)
    await project.resume(id)
    expect(state(project, id)).toMatchObject({ state: 'queued' })
  })
})

describe('a training', () => {
  test('its events become its state: progress, epoch, loss, the best test', async () => {
    const { project, runner, model, store } = await rig()
    const { id } = await model()
    const job = await until(() => runner.last(id))
    job.emit(
      start(1),
      { kind: 'test', iter: 0, outputs: { accuracy: 0.99 } },
      { kind: 'train', iter: 100, lr: 0.01, loss: 0.5 },
      { kind: 'snapshot', iter: 200, best: false, bytes: 1 },
      { kind: 'test', iter: 200, outputs: { accuracy: 0.9, loss: 0.3 } },
      { kind: 'test', iter: 300, outputs: { accuracy: 0.8, loss: 0.4 } },
      { kind: 'train', iter: 400, lr: 0.01, loss: 0.25 },
    )
    await putSnapshot(store, id, 200)
    await until(() => state(project, id).iter === 400)
    expect(state(project, id)).toMatchObject({
      state: 'running',
      attempt: 1,
      progress: 0.4,
      epoch: 4,
      epochs: 10,
      loss: 0.25,
      outputs: { accuracy: 0.8, loss: 0.4 },
      // what an untrained net guesses is no result
      best: { output: 'accuracy', value: 0.9, iter: 200, epoch: 2 },
    })
    expect((await project.job(id)).snapshots).toEqual([
      { iter: 200, epoch: 2, best: true, starred: false, outputs: { accuracy: 0.9, loss: 0.3 }, bytes: 1 },
    ])
    await project.star(id, 200, true)
    await expect(project.star(id, 250, true)).rejects.toThrow('no snapshot of iteration 250')
    await project.snapshot(id)
    expect(job.commands).toEqual(['stars', 'snapshot'])
    expect((await project.job(id)).snapshots[0].starred).toBe(true)
    job.emit({ kind: 'done' })
    job.exit()
    await reaches(project, id, 'done')
    expect(state(project, id)).toMatchObject({ progress: 1 })
    expect(state(project, id).eta).toBeUndefined()
    await expect(project.resume(id)).rejects.toThrow(/is done/)
    await expect(project.snapshot(id)).rejects.toThrow(/does not run/)
  })

  test('of equal accuracies the one with the lower loss is the best, where a loss is tested', async () => {
    const { project, runner, model } = await rig()
    const { id } = await model()
    const job = await until(() => runner.last(id))
    const { watch, ...rest } = start(1)
    job.emit(
      { ...rest, watch: { ...watch, loss: 'val_loss' } },
      { kind: 'test', iter: 100, outputs: { accuracy: 1, val_loss: 0.7 } },
      { kind: 'test', iter: 200, outputs: { accuracy: 1, val_loss: 0.1 } },
      { kind: 'test', iter: 300, outputs: { accuracy: 1, val_loss: 0.2 } },
      { kind: 'test', iter: 400, outputs: { accuracy: 0.9, val_loss: 0.05 } },
      { kind: 'train', iter: 500, lr: 0.01, loss: 0.25 },
    )
    await until(() => state(project, id).iter === 500)
    expect(state(project, id).best).toEqual({ output: 'accuracy', value: 1, loss: 0.1, iter: 200, epoch: 2 })
  })

  test('stop: once, it comes to its end; twice, it is ended; resume goes on with the next attempt', async () => {
    const { project, runner, model } = await rig()
    const { id } = await model()
    const first = await until(() => runner.last(id))
    first.emit(start(1), { kind: 'train', iter: 100, lr: 0.01, loss: 1 })
    await until(() => state(project, id).iter === 100)
    await project.stop(id)
    expect(first.commands).toEqual(['stop'])
    await project.stop(id)
    await reaches(project, id, 'stopped')
    await until(() =>
      project.resume(id).then(
        () => true,
        () => false,
      ),
    )
    const second = await until(() => runner.played.filter(job => job.id === id)[1])
    expect(second.attempt).toBe(2)
    second.emit(start(2, 50), { kind: 'stopped', iter: 50 })
    second.exit()
    await reaches(project, id, 'stopped')
    expect(state(project, id)).toMatchObject({ iter: 50, attempt: 2 })
  })

  test('an attempt that ends without a word starts again, before all that wait; after two in vain a person must say so', async () => {
    const { project, runner, model } = await rig()
    const { id } = await model()
    await model({ name: 'next' })
    const attempts = () => runner.played.filter(job => job.id === id)
    const ends = async (n: number, ...events: Parameters<(typeof runner.played)[0]['emit']>) => {
      const job = await until(() => attempts()[n - 1])
      job.emit(start(n), ...events)
      job.exit({ orderly: false, reason: `ended ${n}` })
    }
    await ends(1, { kind: 'train', iter: 100, lr: 1, loss: 1 })
    // further than the one before; then no further, but with a snapshot; then twice in vain
    await ends(2, { kind: 'train', iter: 200, lr: 1, loss: 1 })
    await ends(3, { kind: 'snapshot', iter: 100, best: false, bytes: 1 })
    await ends(4, { kind: 'train', iter: 200, lr: 1, loss: 1 })
    const last = await until(() => attempts()[4])
    last.exit({ orderly: false, reason: 'out of memory' })
    await reaches(project, id, 'interrupted')
    await until(() => /waits until you resume/.test(state(project, id).error ?? ''))
    expect(state(project, id).error).toMatch(/^out of memory\nIt was ended 2 times in a row/)
    await until(() => runner.last().id !== id)
    expect(attempts()).toHaveLength(5)
    await project.resume(id)
    expect(state(project, id)).toMatchObject({ state: 'queued' })
    expect(state(project, id).error).toBeUndefined()
  })

  test('a job that says why it failed has failed', async () => {
    const { project, runner, model } = await rig()
    const { id } = await model()
    const job = await until(() => runner.last(id))
    job.emit(start(1), { kind: 'failed', error: "layer 'ip1': …" })
    job.exit()
    await reaches(project, id, 'failed')
    expect(state(project, id).error).toBe("layer 'ip1': …")
  })
})

describe('a project that is opened again', () => {
  test('follows what still runs, from where the file was read', async () => {
    const { runner, model, reopen, project } = await rig()
    const { id } = await model()
    const job = await until(() => runner.last(id))
    job.emit(start(1), { kind: 'train', iter: 100, lr: 0.01, loss: 1 })
    await until(() => state(project, id).iter === 100)
    const later = await reopen()
    job.emit({ kind: 'train', iter: 300, lr: 0.01, loss: 0.5 })
    await until(() => state(later, id).iter === 300)
    expect(runner.played.filter(played => played.id === id)).toHaveLength(1)
    job.emit({ kind: 'done' })
    job.exit()
    await reaches(later, id, 'done')
    expect(state(project, id).state).toBe('running')
  })

  test('starts again what died meanwhile; what came to its end meanwhile is done', async () => {
    const { runner, model, reopen, project } = await rig({ trainings: 2 })
    const died = await model({ name: 'died' })
    const ended = await model({ name: 'ended' })
    await until(() => runner.last(died.id) && runner.last(ended.id))
    await reaches(project, died.id, 'running')
    await reaches(project, ended.id, 'running')
    await project.close()
    runner.last(died.id).emit(start(1), { kind: 'train', iter: 100, lr: 0.01, loss: 1 })
    runner.last(ended.id).emit(start(1), { kind: 'done' })
    runner.last(died.id).exit()
    runner.last(ended.id).exit()
    const later = await reopen()
    await until(() => runner.last(died.id).attempt === 2)
    expect(state(later, ended.id).state).toBe('done')
    expect(state(later, died.id).iter).toBe(100)
  })

  test('keeps order and pause of what waits', async () => {
    const { model, reopen, project, dataset, runner } = await rig()
    await dataset()
    await project.pause(true)
    const a = await model({ name: 'a' })
    const b = await model({ name: 'b' })
    await project.order([b.id, a.id])
    const later = await reopen()
    expect(later.paused).toBe(true)
    await later.pause(false)
    await until(() => runner.played.length === 2)
    expect(runner.last().id).toBe(b.id)
    expect(state(later, a.id).state).toBe('queued')
  })

  test('its state file tells all that the events told', async () => {
    const { project, runner, model, store } = await rig()
    const { id } = await model()
    const job = await until(() => runner.last(id))
    job.emit(start(1), { kind: 'train', iter: 100, lr: 0.01, loss: 1 }, { kind: 'done' })
    job.exit()
    await reaches(project, id, 'done')
    await project.close()
    const file = (await readJson<StateFile>(store, pathsOf(id).state))!
    expect(file).toMatchObject({ version: 1, state: 'done', iter: 100, read: await store.size(pathsOf(id).events) })
  })
})

describe('the stream', () => {
  test('tells jobs and their events in order; goes on after what was seen, or says that too much was missed', async () => {
    const { project, runner, model } = await rig()
    const seen: StudioEvent[] = []
    const ended = new AbortController()
    project.listen(event => seen.push(event), { signal: ended.signal })
    const { id } = await model()
    const job = await until(() => runner.last(id))
    job.emit(start(1), { kind: 'train', iter: 1, lr: 1, loss: 1 }, { kind: 'done' })
    job.exit()
    await until(() => seen.some(event => event.kind === 'job' && event.job.id === id && event.job.state === 'done'))
    const events = seen.filter(event => event.kind === 'event' && event.job === id)
    expect(events.map(event => event.kind === 'event' && event.event.seq)).toEqual([1, 2, 3])
    expect(seen.map(event => event.id)).toEqual(seen.map((_, i) => seen[0].id + i))
    ended.abort()
    const again: StudioEvent[] = []
    const { signal } = new AbortController()
    project.listen(event => again.push(event), { signal, after: seen[2].id })
    expect(again.slice(0, seen.length - 3)).toEqual(seen.slice(3))
    const late: StudioEvent[] = []
    project.listen(event => late.push(event), { signal, after: 5 })
    expect(late).toMatchObject([{ kind: 'reset' }])
  })
})
