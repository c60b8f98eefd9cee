import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundled } from '../bundled.js'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const folder = temporaryFolder()
const { solver, model, prefix } = tinyProblem(folder)
const main = await bundled('lib/cli/main.ts')

/** Run a command whose output nobody reads; resolves to its exit code. */
function unread(...argv: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [main, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.destroy()
  return new Promise(resolve => child.on('close', resolve))
}

describe.skipIf(process.platform === 'win32')('when the reader of the output goes away', () => {
  it('training goes on and saves', async () => {
    expect(await unread('train', '--solver', solver, '--engine', 'js')).toBe(0)
    expect(existsSync(`${prefix}_iter_30.caffemodel`)).toBe(true)
  })

  it('a command whose result is the output ends with a code that says so', async () => {
    const weights = join(folder, 'w.caffemodel')
    expect((await cli('train', '--solver', solver, '--engine', 'js')).code).toBe(0)
    writeFileSync(weights, readFileSync(`${prefix}_iter_30.caffemodel`))
    const options = ['--model', model, '--weights', weights, '--engine', 'js', '--iterations', '100000']
    expect(await unread('test', ...options)).toBe(141)
  })

  it('a command whose result is a file writes it', async () => {
    const file = join(folder, 'upgraded.prototxt')
    expect(await unread('upgrade-net', model, file)).toBe(0)
    expect(readFileSync(file, 'utf8')).toContain('Tiny')
  })

  it.skipIf(process.platform !== 'linux')('a full disk under the log ends no training, and one line says so', () => {
    const full = openSync('/dev/full', 'w')
    const run = (...argv: string[]) =>
      spawnSync(process.execPath, [main, ...argv], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    rmSync(`${prefix}_iter_30.caffemodel`, { force: true })
    const training = run('train', '--solver', solver, '--engine', 'js')
    expect({ code: training.status, err: training.stderr }).toEqual({
      code: 0,
      err: expect.stringMatching(/^ristretto: cannot write to standard output: ENOSPC.*; the work goes on unheard\n$/),
    })
    expect(existsSync(`${prefix}_iter_30.caffemodel`)).toBe(true)
    const printing = run('upgrade-net', model)
    expect(printing.status).toBe(1)
    expect(printing.stderr).toMatch(/^ristretto: cannot write to standard output: ENOSPC[^;]*\n$/)
  })

  it('SIGTERM stops training as Ctrl-C does', async () => {
    const long = join(folder, 'long_solver.prototxt')
    writeFileSync(long, readFileSync(solver, 'utf8').replace('max_iter: 30', 'max_iter: 1000000000'))
    const argv = [main, 'train', '--solver', long, '--engine', 'js']
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
      if (!child.killed && /Iteration [1-9]\d*, lr/.test(text)) child.kill('SIGTERM')
    })
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(0)
    const state = /--snapshot (\S+)\n/.exec(text)?.[1] ?? ''
    expect(existsSync(state) && existsSync(state.replace('solverstate', 'caffemodel'))).toBe(true)
  })
})

describe('a place that cannot be written', () => {
  const file = join(folder, 'a_file')
  writeFileSync(file, 'x')
  const inside = join(file, 'sub', 'out')

  it('is found before training', async () => {
    const bad = join(folder, 'bad_solver.prototxt')
    writeFileSync(
      bad,
      readFileSync(solver, 'utf8').replace(`snapshot_prefix: "${prefix}"`, `snapshot_prefix: "${inside}"`),
    )
    const { code, out, err } = await cli('train', '--solver', bad, '--engine', 'js')
    expect(code).toBe(1)
    expect(err).toMatch(/cannot write '.*out_iter_30\.caffemodel': .*is a file, not a folder/)
    expect(out).not.toContain('Iteration 0')
  })

  it.each([
    ['upgrade-net', model, inside],
    ['upgrade-solver', solver, inside],
    ['draw', model, `${inside}.svg`],
    ['convert-imageset', folder, file, inside],
    ['extract-features', 'none.caffemodel', model, 'ip', inside, '1'],
  ])('is found before %s works', async (...argv) => {
    const { code, err } = await cli(...argv)
    expect(code).toBe(1)
    expect(err).toMatch(/cannot write '/)
  })

  it('leaves nothing behind where it can', async () => {
    const free = join(folder, 'free')
    mkdirSync(free)
    expect((await cli('upgrade-net', model, join(free, 'deep', 'x.prototxt'))).code).toBe(0)
    expect(existsSync(join(free, 'deep', 'x.prototxt'))).toBe(true)
  })
})
