import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const js = ['--engine', 'js']

describe('train, options beyond those of Caffe', () => {
  it('keeps the newest snapshots and the best model', async () => {
    const tiny = tinyProblem(temporaryFolder(), 'snapshot: 5')
    const { code } = await cli('train', '--solver', tiny.solver, '--keep-last', '2', '--keep-best', 'loss', ...js)
    expect(code).toBe(0)
    const models = readdirSync(dirname(tiny.prefix)).filter(file => file.endsWith('.caffemodel'))
    expect(models.sort()).toEqual(['tiny_best.caffemodel', 'tiny_iter_25.caffemodel', 'tiny_iter_30.caffemodel'])
  })

  it('stops when patience has run out', async () => {
    const tiny = tinyProblem(temporaryFolder(), 'test_initialization: false')
    const solver = ['train', '--solver', tiny.solver, '--keep-best', 'accuracy', ...js]
    const { code, out } = await cli(...solver, '--patience', '1')
    expect(code).toBe(0)
    // the accuracy is 1 at iteration 15 and cannot get better
    expect(out).toMatch(/Stopping early: accuracy has not improved on 1 for 1 tests/)
    expect(existsSync(`${tiny.prefix}_best.caffemodel`)).toBe(true)
  })

  it('needs an output to be patient for', async () => {
    const { code, err } = await cli('train', '--solver', 'x', '--patience', '2')
    expect(code).toBe(2)
    expect(err).toMatch(/--patience needs --keep-best/)
  })
})
