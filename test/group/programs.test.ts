/** Training by threads and by both MPIs, with layers in TypeScript, as users start it. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli } from '../cli/helpers.js'
import { temporaryFolder } from './groups.js'
import { main, mpiLaunchers, processesOf, start, train, until, writeSolver } from './programs.js'

const folder = temporaryFolder()
const bytesOf = (name: string) => readFileSync(join(folder, name))
/** The log without its times and names of snapshots. */
const storyOf = (log: string): string[] =>
  log
    .split('\n')
    .filter(line => /Iteration|net output|loss/.test(line))
    .map(line => line.replace(/^\S+ \S+ +\d+ /, '').replace(/ \(.* iter\/s.*iters\)/, ''))

const extra = 'max_iter: 12 display: 4 test_iter: 5 test_interval: 6'
const one = await train('threads', 1, ['--solver', writeSolver(folder, 'one', `${extra} iter_size: 4`)])

describe('the model and the log of one worker with iter_size 4', () => {
  for (const [launcher, members] of [
    ['threads', 2],
    ['threads', 4],
    ...mpiLaunchers.flatMap(launcher => [[launcher, 2] as const, [launcher, 4] as const]),
  ] as const)
    it(`are those of ${members} workers with iter_size ${4 / members}: ${launcher}`, {
      tags: members === 2 ? 'ci' : [],
    }, async () => {
      const name = `${launcher}${members}`
      const solver = writeSolver(folder, name, `${extra} iter_size: ${4 / members}`)
      const log = await train(launcher, members, ['--solver', solver], 'wasm')
      expect(bytesOf(`${name}_iter_12.caffemodel`).equals(bytesOf('one_iter_12.caffemodel'))).toBe(true)
      expect(storyOf(log)).toEqual(storyOf(one))
      expect(log).toContain(
        `${members} workers × batch 7 × iter_size ${4 / members} = 28 items an iteration: as one worker with iter_size: 4`,
      )
    })

  it('are those of workers that share it', async () => {
    const log = await train('threads', 4, ['--solver', join(folder, 'one.prototxt'), '--share'])
    expect(storyOf(log)).toEqual(storyOf(one))
  })
})

const longSolver = writeSolver(folder, 'long', 'max_iter: 100000 display: 1000')

describe.skipIf(process.platform === 'win32')('a stop', () => {
  for (const launcher of ['threads', ...mpiLaunchers] as const)
    it(`by Ctrl-C leaves one snapshot that one worker goes on from to the same end: ${launcher}`, {
      tags: launcher === 'threads' ? [] : 'ci',
    }, async () => {
      const run = start(launcher, 2, ['--solver', longSolver])
      await until(() => /Iteration 0, lr/.test(run.out()) || run.child.exitCode !== null)
      run.child.kill('SIGINT')
      const code = await run.ended
      // Open MPI says that it was interrupted
      expect([0, 1, 130]).toContain(code)
      const [, stopped] = /Stopped at iteration (\d+) of 100000/.exec(run.out())!
      const end = Number(stopped) + 5
      const through = writeSolver(folder, `through-${launcher}`, `max_iter: ${end} iter_size: 2`)
      await train('threads', 1, ['--solver', through])
      const next = writeSolver(folder, `next-${launcher}`, `max_iter: ${end} iter_size: 2`)
      await train('threads', 1, ['--solver', next, '--snapshot', join(folder, `long_iter_${stopped}.solverstate`)])
      expect(
        bytesOf(`next-${launcher}_iter_${end}.caffemodel`).equals(
          bytesOf(`through-${launcher}_iter_${end}.caffemodel`),
        ),
      ).toBe(true)
      expect(processesOf(folder)).toEqual([])
    })
})

describe('failures', () => {
  const solver = writeSolver(folder, 'bad', 'max_iter: 100000 snapshot: 2 test_iter: 2 test_interval: 4')

  /** The run ends by itself, badly, and whole files are left. */
  const endsWith = async (run: ReturnType<typeof start>, what: RegExp) => {
    const code = await run.ended
    expect(code).not.toBe(0)
    expect(run.err() + run.out()).toMatch(what)
    await until(() => processesOf(folder).length === 0)
    const states = /Snapshotting solver state to binary proto file (\S+)/g
    const last = [...run.out().matchAll(states)].at(-1)?.[1]
    if (last) {
      const after = writeSolver(folder, 'after', 'max_iter: 0')
      await train('threads', 1, ['--solver', after, '--snapshot', last])
    }
  }

  const troubles: Record<string, RegExp> = {
    throw: /worker 1 of 2: layer 'trouble' \(Trouble\): no more of this/,
    reject: /worker 1 of 2: .*too late/,
    exit: /worker 1 of 2: it ended before the others/,
    'exit 3': /worker 1 of 2: it ended with code 3/,
    heap: /heap|memory/i,
    weights: /worker 1's weights differ from worker 0's at iteration/,
  }
  // where a process runs out of memory Node ends it, and its launcher the others
  for (const launcher of ['threads', ...mpiLaunchers] as const)
    for (const [trouble, what] of Object.entries(troubles))
      it.skipIf(trouble === 'heap' && launcher !== 'threads')(
        `${launcher}: ${trouble}`,
        { tags: trouble === 'throw' ? [] : 'ci' },
        () => endsWith(start(launcher, 2, ['--solver', solver], trouble), what),
      )

  it('threads: a layer without end ends the others where that is asked for', { tags: 'ci' }, () =>
    endsWith(
      start('threads', 2, ['--solver', solver, '--group-timeout', '2'], 'stop'),
      /worker 1 of 2 has not come for 2 s/,
    ),
  )

  for (const launcher of mpiLaunchers)
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
      it(`${launcher}: a member that gets ${signal}`, { tags: 'ci' }, async () => {
        const args = ['--solver', solver, ...(signal === 'SIGSTOP' ? ['--group-timeout', '2'] : [])]
        const run = start(launcher, 2, args)
        await until(() => /Iteration 4, Testing/.test(run.out()) || run.child.exitCode !== null)
        process.kill(processesOf(folder)[1], signal)
        await endsWith(run, signal === 'SIGSTOP' ? /not come for 2 s/ : /./)
      })

  it('koffi that is missing is told, with what is to be done, and nothing is trained', () => {
    const without = join(folder, 'without.cjs')
    writeFileSync(
      without,
      `const Module = require('node:module')
       const load = Module._load
       Module._load = (name, ...rest) => {
         if (name === 'koffi') throw Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' })
         return load(name, ...rest)
       }`,
    )
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--require', without, main, 'train', '--solver', solver],
      {
        encoding: 'utf8',
        env: { ...process.env, PMI_SIZE: '2', PMI_RANK: '0' },
      },
    )
    expect(stderr).toMatch(
      /^ristretto: MPICH's mpirun has started 2 members, and the package koffi.* is missing: npm install koffi/,
    )
    expect([status, stdout]).toEqual([1, ''])
  })

  it('members that an MPI launcher has started are not multiplied, and a library that is not its own is told', {
    tags: 'ci',
  }, async () => {
    for (const launcher of mpiLaunchers) {
      const many = start(launcher, 2, ['--solver', solver, '--workers', '2'])
      await many.ended
      expect(many.err() + many.out()).toMatch(/--workers 2: .* has started 2 members already/)
    }
    if (mpiLaunchers.length === 2) {
      process.env.RISTRETTO_MPI = 'libmpich.so.12'
      const strange = start('openmpi', 2, ['--solver', solver])
      delete process.env.RISTRETTO_MPI
      expect(await strange.ended).not.toBe(0)
      expect(strange.err() + strange.out()).toMatch(
        /has started 2 members, MPICH .* sees 1: it is not the launcher's own/,
      )
    }
    const { code, err } = await cli('train', '--solver', solver, '--workers', '0')
    expect([code, err]).toEqual([2, expect.stringContaining('whole number from 1')])
  })
})
