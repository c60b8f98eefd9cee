/** "Train 80" and "train 40, save, start anew, load, train 40" end in the same bits, whatever is trained how. */
import { describe, expect, test } from 'vitest'
import { solverTypes } from '../../lib/solver/rules/index.js'
import { hostEngines } from '../engines.js'
import { bits, expectSame, formats, HALF, sources, start } from './resume.js'

for (const engine of hostEngines)
  describe(`train ${2 * HALF} = train ${HALF}, save, load, train ${HALF}, on ${engine}`, {
    tags: engine === 'js' ? 'ci' : [],
  }, () => {
    const lmdb = Object.values(sources)[0]
    for (const type of solverTypes()) {
      test(`${type}, seed given`, () => expectSame(type, lmdb, { engine, seed: 5 }, { engine, seed: 5 }))
      test(`${type}, no seed given: the state brings it along`, () => expectSame(type, lmdb, { engine }, { engine }))
    }
    for (const [name, source] of Object.entries(sources).slice(1))
      test(name, () => expectSame('SGD', source, { engine }, { engine }))
    for (const format of formats)
      test(`stored as ${format}, and random_seed in the solver`, () =>
        expectSame('Adam', lmdb, { engine }, { engine }, `random_seed: 3 snapshot_format: ${format}`))
  })

if (hostEngines.includes('wasm'))
  test('the number of threads changes nothing, and may change on resuming', async () => {
    const source = Object.values(sources)[0]
    await expectSame('Adam', source, { engine: 'wasm', threads: 1 }, { engine: 'wasm', threads: 2 })
    const [one, two] = await Promise.all(
      [1, 2].map(threads => start('Nesterov', source, { engine: 'wasm', seed: 9, threads })),
    )
    await one.solver.step(HALF)
    await two.solver.step(HALF)
    expect(bits(two)).toEqual(bits(one))
  })
