/** Kills a training process at random points, again and again, and looks at what it leaves behind. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RandomStream, type Solver } from '../../lib/index.js'
import { readMessage } from '../../lib/proto/wire.js'
import { bundled } from '../bundled.js'
import { trainer } from './trainer.js'

export interface CrashReport {
  readonly kills: number
  /** Iteration of the newest snapshot after each kill. */
  readonly iterations: number[]
  /** How many kills came in the middle of writing a file. */
  readonly torn: number
  readonly checked: number
  readonly problems: string[]
}

export async function crash({
  kills,
  seed,
  log = () => {},
}: {
  kills: number
  seed: number
  log?: (line: string) => void
}): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-crash-'))
  const prefix = join(folder, 'run')
  const script = await bundled('test/crash/train.ts')
  const random = new RandomStream(seed, 'crash')
  const report = { kills, iterations: [] as number[], torn: 0, checked: 0, problems: [] as string[] }
  const problem = (text: string) => {
    report.problems.push(text)
    log(text)
  }
  try {
    let state = ''
    for (let kill = 0; kill < kills; kill++) {
      const torn = partial(folder)
      await trainAndKill(script, prefix, state, 200 * random.uniform())
      if (partial(folder) > torn) report.torn++
      const found = states(folder)
      for (const { iter, file } of found) {
        await check(join(folder, file), iter).catch(error => problem(`after kill ${kill}: ${file}: ${error.message}`))
        report.checked++
      }
      const newest = found.at(-1)
      const before = report.iterations.at(-1) ?? 0
      if ((newest?.iter ?? 0) < before)
        problem(`after kill ${kill}: the newest snapshot is of iteration ${newest?.iter}, before it was ${before}`)
      report.iterations.push(newest?.iter ?? 0)
      if (newest) state = join(folder, newest.file)
      log(`kill ${kill + 1} of ${kills}: resumes from iteration ${newest?.iter ?? 0}`)
    }
    if (state) await sameAsUninterrupted(state, report.iterations.at(-1)!).catch(error => problem(error.message))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return report
}

async function trainAndKill(script: string, prefix: string, state: string, delay: number): Promise<void> {
  const child = spawn(process.execPath, [script, prefix, state], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', data => (output += data))
  const ended = new Promise<string>(resolve => child.on('close', (code, signal) => resolve(String(signal ?? code))))
  const training = new Promise<void>(resolve => child.stdout.once('data', () => resolve()))
  await Promise.race([training, ended])
  await new Promise(resolve => setTimeout(resolve, delay))
  child.kill('SIGKILL')
  const end = await ended
  if (end !== 'SIGKILL') throw new Error(`the training process ended by itself (${end}): ${output}`)
}

/** Snapshots by iteration, and how many files were left half-written under their temporary names. */
function states(folder: string): { iter: number; file: string }[] {
  return readdirSync(folder)
    .map(file => ({ file, iter: Number(/_iter_(\d+)\.solverstate$/.exec(file)?.[1] ?? Number.NaN) }))
    .filter(({ iter }) => !Number.isNaN(iter))
    .sort((a, b) => a.iter - b.iter)
}
const partial = (folder: string): number => readdirSync(folder).filter(file => file.includes('.tmp-')).length

/** State and model load, and belong to the iteration that the name says. */
async function check(file: string, iter: number): Promise<void> {
  const saved = readMessage('SolverState', new Uint8Array(readFileSync(file)))
  if (saved.iter !== iter) throw new Error(`it is of iteration ${saved.iter}`)
  if (saved.learned_net !== file.replace('solverstate', 'caffemodel'))
    throw new Error(`it names the model ${saved.learned_net}`)
  const solver = await trainer(undefined)
  await solver.restore(file)
  if (solver.iter !== iter) throw new Error(`it restores iteration ${solver.iter}`)
  solver.dispose()
}

/** All the pieces together arrive at the bits of a run that nobody killed. */
async function sameAsUninterrupted(state: string, iter: number): Promise<void> {
  const [resumed, whole] = [await trainer(undefined), await trainer(undefined)]
  await resumed.restore(state)
  await whole.step(iter)
  const bytes = async (solver: Solver) => {
    const { model, state } = await solver.snapshot()
    return [model, state] as Uint8Array[]
  }
  const [a, b] = [await bytes(resumed), await bytes(whole)]
  if (Buffer.compare(a[0], b[0]))
    throw new Error(`after ${iter} iterations the weights differ from those of a run without kills`)
  if (Buffer.compare(a[1], b[1]))
    throw new Error(`after ${iter} iterations the solver state differs from that of a run without kills`)
}
