import { expect, test } from 'vitest'
import { crash } from './crash.js'

/** The long version, with 50 kills, is test/crash/main.ts (npm run test:crash). */
test('a training process that is killed resumes from a whole snapshot', { tags: 'ci' }, async () => {
  const report = await crash({ kills: 3, seed: 1 })
  expect(report.problems).toEqual([])
  expect(report.iterations.at(-1)).toBeGreaterThan(0)
  expect(report.checked).toBeGreaterThan(0)
})
