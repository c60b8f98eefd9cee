/** Datasets and trainings as processes: their files, events and snapshots; exact resume. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pathsOf } from '../../../lib/studio/core/job_files.js'
import { builtStudio, temporaryFolder } from '../built.js'
import { eventsOf, makeDigits, openProject, reached, smallModel } from './rig.js'

const studio = await builtStudio()
const weights = (root: string, id: string, iter: number) =>
  readFile(join(root, 'project', pathsOf(id).snapshots, `model_iter_${iter}.caffemodel`))

test('a dataset, a training, and one that is stopped and goes on: the same weights to the last byte', async () => {
  const root = await temporaryFolder()
  const project = await openProject(root, studio)
  const dataset = await makeDigits(root, project)
  const made = await project.job(dataset)
  expect(made.result).toMatchObject({
    classes: ['0', '1', '2', '3', '4'],
    channels: 1,
    height: 8,
    sets: { train: { records: 187 }, val: { records: 63 } },
  })

  const [whole, parted] = [
    ...(await project.create('model', smallModel(dataset, { name: 'whole', keep: 1 }))),
    ...(await project.create('model', smallModel(dataset, { name: 'parted' }))),
  ]
  const done = await reached(project, whole.id, 'done')
  expect(done).toMatchObject({ iter: 76, maxIter: 76, epoch: 4, attempt: 1, progress: 1 })
  expect(done.best!.output).toBe('accuracy')
  expect(done.snapshots.map(({ iter }) => iter)).toEqual([...new Set([done.best!.iter, 76])].sort((a, b) => a - b))
  expect(done.snapshots.filter(({ best }) => best).map(({ iter }) => iter)).toEqual([done.best!.iter])
  const events = await eventsOf(root, whole.id)
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
  expect(events.filter(({ kind }) => kind === 'test').map(event => 'iter' in event && event.iter)).toEqual([
    0, 19, 38, 57, 76,
  ])
  const { series, iterationsPerEpoch } = await project.metrics(whole.id)
  expect(iterationsPerEpoch).toBe(19)
  expect(series['val accuracy'].iters).toEqual([0, 19, 38, 57, 76])
  expect((await project.log(whole.id)).lines.join('\n')).toMatch(/Iteration 0, Testing net \(#0\)/)

  await reached(project, parted.id, 'running')
  while (!(await eventsOf(root, parted.id)).some(event => event.kind === 'train' && event.iter >= 8))
    await new Promise(resolve => setTimeout(resolve, 5))
  await project.stop(parted.id)
  await reached(project, parted.id, 'stopped', 'done')
  if ((await project.job(parted.id)).state === 'stopped') await project.resume(parted.id)
  await reached(project, parted.id, 'done')
  expect(await weights(root, parted.id, 76)).toEqual(await weights(root, whole.id, 76))
  await project.close()
})

test('patience ends a training that gets no better, weights come from another model, code is loaded', {
  tags: 'ci',
}, async () => {
  const root = await temporaryFolder()
  const project = await openProject(root, studio)
  const dataset = await makeDigits(root, project)
  const [first] = await project.create('model', smallModel(dataset, { epochs: 1 }))
  await reached(project, first.id, 'done')
  const layer = `import { Layer, type Blob } from 'ristretto'
export class TwiceLayer extends Layer {
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }
  override reshape(bottom: Blob[], top: Blob[]): void { top[0].reshape(bottom[0].shape) }
  override forward(bottom: Blob[], top: Blob[]): void { top[0].dataArray.set(bottom[0].dataArray.map(x => 2 * x)) }
  override backward(top: Blob[], propagate: boolean[], bottom: Blob[]): void { bottom[0].diffArray.set(top[0].diffArray.map(x => 2 * x)) }
}
`
  const net = smallModel('').net.replace(
    'layer { name: "ip" type: "InnerProduct" bottom: "conv"',
    'layer { name: "twice" type: "TwiceLayer" bottom: "conv" top: "twice" }\nlayer { name: "ip" type: "InnerProduct" bottom: "twice"',
  )
  const solver = { type: 'SGD', rate: 1e-12, policy: { policy: 'fixed' } } as const
  const more = { epochs: 20, patience: 2, layers: { 'twice.ts': layer }, net, solver, weights: { job: first.id } }
  const [second] = await project.create('model', smallModel(dataset, more))
  const job = await reached(project, second.id, 'done')
  expect(job.parents).toEqual({ dataset, model: first.id })
  // nothing is learnt at that rate: the first test is the best, and two more are enough
  expect(job).toMatchObject({ iter: 57, maxIter: 380, best: { iter: 19 } })
  expect((await project.log(second.id)).lines.join('\n')).toMatch(/Copying source layer conv/)
  await project.close()
})
