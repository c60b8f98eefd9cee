import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundled } from '../bundled.js'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const folder = temporaryFolder()
const { solver, prefix } = tinyProblem(folder)
const long = join(folder, 'long_solver.prototxt')
writeFileSync(
  long,
  readFileSync(solver, 'utf8').replace('max_iter: 30', 'max_iter: 1000000000').replace('display: 10', 'display: 100'),
)

const main = await bundled('lib/cli/main.ts')

/** Train without end in a process of its own; resolves when the first displayed iterations are over. */
async function startTraining(
  ...extra: string[]
): Promise<{ child: ChildProcess; log: () => string; ended: Promise<number | null> }> {
  const argv = [main, 'train', '--solver', long, '--engine', 'js', ...extra]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', chunk => (text += chunk))
  const log = () => text
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  await until(() => /Iteration [1-9]\d*, lr/.test(text))
  return { child, log, ended }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

// Windows has no signals
describe.skipIf(process.platform === 'win32')('signals', () => {
  it('SIGINT stops after the iteration, saves, says how to go on, and going on works', async () => {
    const { child, log, ended } = await startTraining()
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    const [, state] = /--snapshot (\S+)\n/.exec(log())!
    const [, stopped] = /Stopped at iteration (\d+) of 1000000000/.exec(log())!
    expect(state).toBe(`${prefix}_iter_${stopped}.solverstate`)
    expect(existsSync(state) && existsSync(state.replace('solverstate', 'caffemodel'))).toBe(true)
    const next = join(folder, 'next_solver.prototxt')
    writeFileSync(next, readFileSync(long, 'utf8').replace('1000000000', String(Number(stopped) + 5)))
    const { code } = await cli('train', '--solver', next, '--snapshot', state, '--engine', 'js')
    expect(code).toBe(0)
    expect(existsSync(`${prefix}_iter_${Number(stopped) + 5}.caffemodel`)).toBe(true)
  })

  it('SIGHUP saves and goes on; sigint_effect none leaves Ctrl-C without effect', async () => {
    const { child, log, ended } = await startTraining('-sigint_effect', 'none')
    child.kill('SIGHUP')
    await until(() => log().includes('Snapshotting solver state'))
    const state = /Snapshotting solver state to binary proto file (\S+)/.exec(log())![1]
    child.kill('SIGINT')
    const length = log().length
    await until(() => /Iteration \d+, lr/.test(log().slice(length)))
    expect(existsSync(state)).toBe(true)
    expect(log()).not.toContain('Stopping')
    child.kill('SIGKILL')
    expect(await ended).toBe(null)
  })

  it('sigint_effect snapshot saves and goes on, sighup_effect stop stops', async () => {
    const { child, log, ended } = await startTraining('--sigint_effect=snapshot', '--sighup_effect=stop')
    child.kill('SIGINT')
    await until(() => log().includes('Snapshotting solver state'))
    const length = log().length
    await until(() => /Iteration \d+, lr/.test(log().slice(length)))
    child.kill('SIGHUP')
    expect(await ended).toBe(0)
    expect(log()).toContain('Optimization stopped early.')
  })

  it('a training that is stopped and continued (SIGSTOP, SIGCONT) goes on, threads and all', async () => {
    const { child, log, ended } = await startTraining('--engine', 'wasm', '--threads', '2')
    for (let times = 0; times < 3; times++) {
      child.kill('SIGSTOP')
      await new Promise(resolve => setTimeout(resolve, 50))
      const length = log().length
      child.kill('SIGCONT')
      await until(() => /Iteration \d+, lr/.test(log().slice(length)))
    }
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(log()).toContain('Snapshotting solver state')
  })
})
