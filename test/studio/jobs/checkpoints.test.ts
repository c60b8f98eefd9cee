/** A training that may end at any moment loses no more than lies between two checkpoints, and goes on to the same weights. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JobEvent } from '../../../lib/studio/api/index.js'
import { browserProject } from '../../../lib/studio/browser/project_context.js'
import { parseEvents } from '../../../lib/studio/core/events.js'
import { prepare } from '../../../lib/studio/core/forms.js'
import type { ProjectContext } from '../../../lib/studio/core/job_context.js'
import { pathsOf } from '../../../lib/studio/core/job_files.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { Project } from '../../../lib/studio/core/project.js'
import type { Command, Exit, Runner, Start } from '../../../lib/studio/core/runner.js'
import type { Store } from '../../../lib/studio/core/store.js'
import { jobFunction } from '../../../lib/studio/jobs/index.js'
import { runJob } from '../../../lib/studio/jobs/run_job.js'
import { temporaryFolder } from '../built.js'
import { until } from '../core/fakes.js'
import { smallModel, writeDigits } from '../node/rig.js'

/** Runs jobs here, as a worker does. */
const here = (project: ProjectContext): Runner => ({
  async start(job: Start) {
    const listeners: ((command: Command) => void)[] = []
    const exited = runJob(job, jobFunction, { project, onCommand: listener => listeners.push(listener) }).then(
      (): Exit => ({ orderly: true, reason: 'it is over' }),
      (error: Error): Exit => ({ orderly: false, reason: error.message }),
    )
    return {
      exited,
      kill() {},
      async command(command) {
        for (const listener of listeners) listener(command)
      },
    }
  },
  adopt: async () => undefined,
})

/** A store in which a job that tells of an iteration from `at` on is at its end, once. */
function mortal(store: Store): { store: Store; at: number } {
  const self = {
    at: Number.POSITIVE_INFINITY,
    store: {
      ...store,
      async appender(path: string) {
        const file = await store.appender(path)
        let dead = false
        return {
          close: () => file.close(),
          append(line: string) {
            const iter = Number(/"kind":"train","iter":(\d+)/.exec(line)?.[1] ?? -1)
            if (iter >= self.at) dead = true
            if (!dead) return file.append(line)
            self.at = Number.POSITIVE_INFINITY
            throw new Error('the tab was closed')
          },
        }
      },
    } satisfies Store,
  }
  return self
}

test('it goes on from the newest checkpoint, and none stays beside a newer snapshot', async () => {
  const inner = memoryStore()
  const disk = mortal(inner)
  const upload = 'a'.repeat(24)
  const folder = await temporaryFolder()
  await writeDigits(folder)
  const context = { ...browserProject(disk.store, 'data'), checkpointEvery: 0 }
  const project = await Project.open({ store: inner, runner: here(context), prepare, poll: 5 })
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'])
    await inner.write(`uploads/${upload}/files/${name}`, new Uint8Array(await readFile(join(folder, name))))
  const done = (id: string) =>
    until(async () => {
      const { state, error } = await project.job(id)
      if (state === 'failed') throw new Error(error)
      return state === 'done'
    })
  const [dataset] = await project.create('dataset', { name: 'digits', source: { from: 'idx', place: { upload } } })
  await done(dataset.id)
  const form = smallModel(dataset.id, { engine: 'js', epochs: 3, net: smallModel('').net })
  const [whole] = await project.create('model', { ...form, name: 'whole' })
  await done(whole.id)
  disk.at = 30
  const [parted] = await project.create('model', { ...form, name: 'parted' })
  await done(parted.id)

  const { events } = parseEvents((await inner.read(pathsOf(parted.id).events))!)
  const starts = events.filter((event): event is JobEvent & { kind: 'start' } => event.kind === 'start')
  expect(starts).toHaveLength(2)
  // the snapshots are those of 19 and 38
  const [, { iter, resumedFrom }] = starts
  expect(iter).toBeGreaterThanOrEqual(30)
  expect(iter).toBeLessThan(38)
  expect(resumedFrom).toBe(`model_checkpoint_${iter}.solverstate`)
  const weights = (id: string) => inner.read(`${pathsOf(id).snapshots}/model_iter_57.caffemodel`)
  expect(await weights(parted.id)).toEqual(await weights(whole.id))
  expect(await weights(whole.id)).toBeDefined()
  const names = (await inner.list(pathsOf(parted.id).snapshots)).map(({ name }) => name)
  expect(names.filter(name => name.includes('checkpoint'))).toEqual([])
  await project.close()
})
