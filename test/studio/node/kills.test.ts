/**
 * SIGKILL at random moments, of the job, of the server, of both: nothing is lost. RISTRETTO_KILLS=30 does it thirty times.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Job, Studio } from '../../../lib/studio/api/index.js'
import { folderOf, pathsOf } from '../../../lib/studio/core/job_files.js'
import { connectStudio } from '../../../lib/studio/index.js'
import { livingMark } from '../../../lib/studio/node/process_mark.js'
import { builtStudio, temporaryFolder } from '../built.js'
import { eventsOf, smallModel, writeDigits } from './rig.js'

const kills = Number(process.env['RISTRETTO_KILLS'] ?? 3)

interface Served {
  readonly studio: Studio
  readonly process: ChildProcess
}

async function serve(main: string, root: string): Promise<Served> {
  const words = ['studio', join(root, 'project'), '--port', '0', '--data', root, '--threads', '1']
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const address = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', piece => {
      said += String(piece)
      const found = /https?:\S+#token=\S+/.exec(said)?.[0]
      if (found) resolve(found)
    })
    child.once('exit', code => reject(new Error(`the server ended with code ${code}`)))
  })
  return { studio: connectStudio(address), process: child }
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

async function reached(studio: Studio, id: string, ...states: Job['state'][]): Promise<Job> {
  for (;;) {
    const job = await studio.job(id)
    if (states.includes(job.state)) return job
    if (job.state === 'failed') throw new Error(`the job failed: ${job.error}`)
    // killed twice before it could save anything
    if (job.state === 'interrupted' && /waits until you resume/.test(job.error ?? '')) await studio.resume(id)
    await pause(50)
  }
}

test(`${kills} random kills of job and server: events without a gap, the same weights to the last byte`, {
  tags: 'ci',
}, async () => {
  const root = await temporaryFolder()
  const main = fileURLToPath(new URL('../cli/main.js', await builtStudio()))
  let served = await serve(main, root)
  onTestFinished(() => void served.process.kill('SIGKILL'))
  await writeDigits(join(root, 'digits'))
  const source = { from: 'idx', place: { path: join(root, 'digits') } } as const
  const [{ id: dataset }] = await served.studio.create('dataset', { name: 'digits', source })
  await reached(served.studio, dataset, 'done')
  const form = smallModel(dataset, { epochs: 150 * kills, snapshotEvery: 20, testEvery: 40 })
  const [{ id: whole }] = await served.studio.create('model', { ...form, name: 'undisturbed' })
  const { maxIter } = await reached(served.studio, whole, 'done')

  const [{ id }] = await served.studio.create('model', { ...form, name: 'killed' })
  const mark = join(root, 'project', folderOf(id), 'process.json')
  let survived = 0
  for (let kill = 0; kill < kills; kill++) {
    const job = await reached(served.studio, id, 'running', 'done')
    if (job.state === 'done') break
    // in the middle of its work; every third time at its birth
    const before = job.iter
    const works = async () => {
      const now = await served.studio.job(id)
      return now.iter !== before || now.state !== 'running'
    }
    if (kill % 3 !== 2) while (!(await works())) await pause(20)
    await pause(Math.random() * 700)
    const whom = Math.floor(Math.random() * 3)
    if (whom !== 1) {
      const living = livingMark(mark)
      if (living) process.kill(living.pid, 'SIGKILL')
    }
    if (whom !== 0) {
      const gone = new Promise(resolve => served.process.once('exit', resolve))
      served.process.kill('SIGKILL')
      await gone
      await pause(Math.random() * 500)
      served = await serve(main, root)
    }
    survived++
  }
  const done = await reached(served.studio, id, 'done')
  expect(survived).toBeGreaterThan(0)
  expect(done.iter).toBe(maxIter)

  const events = await eventsOf(root, id)
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
  const points = (of: Studio, job: string) => of.metrics(job, { points: 100_000 }).then(({ series }) => series)
  const [mine, other] = [await points(served.studio, id), await points(served.studio, whole)]
  expect(mine).toEqual(other)
  const weights = (job: string) =>
    readFile(join(root, 'project', pathsOf(job).snapshots, `model_iter_${maxIter}.caffemodel`))
  expect(await weights(id)).toEqual(await weights(whole))
  expect(done.best).toEqual((await served.studio.job(whole)).best)
  const line = `${survived} kills, ${events.filter(({ kind }) => kind === 'start').length} starts, ${events.length} events`
  if (process.env['RISTRETTO_KILLS']) process.stdout.write(`${line}\n`)
})
