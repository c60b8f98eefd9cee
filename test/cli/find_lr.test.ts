import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const js = ['--engine', 'js', '--seed', '1']

test('find-lr draws the loss against the rate, says what to start with, and saves nothing', async () => {
  const folder = temporaryFolder()
  const { solver, prefix } = tinyProblem(folder, 'snapshot: 5')
  const drawn = await cli('find-lr', '--solver', solver, '--from', '1e-4', '--to', '0.5', '--iterations', '40', ...js)
  expect(drawn).toMatchObject({ code: 0, err: '' })
  expect(drawn.out).toContain('learning rate')
  expect(drawn.out).toMatch(/1e-4|0\.0001/)
  expect(drawn.out).toMatch(/Falls fastest at 0\.\d+: a base_lr to start with\./)
  expect(existsSync(`${prefix}_iter_5.caffemodel`)).toBe(false)

  const file = join(folder, 'rates.svg')
  const written = await cli('find-lr', '--solver', solver, '--iterations', '10', '--output', file, ...js)
  expect(written.out.split('\n')[0]).toBe(`${file}: 10 iterations`)
  expect(readFileSync(file, 'utf8')).toContain('smoothed')

  const { out } = await cli('find-lr', '--solver', solver, '--iterations', '10', '--json', ...js)
  expect(JSON.parse(out)).toMatchObject({ end: 'done', points: { length: 10, 0: { rate: 1e-6 } } })
})

test('find-lr refuses rates that do not rise', async () => {
  const { solver } = tinyProblem(temporaryFolder())
  const { code, err } = await cli('find-lr', '--solver', solver, '--from', '2', ...js)
  expect(code).toBe(1)
  expect(err).toContain('the rates go up from above 0, not from 2 to 1')
})
