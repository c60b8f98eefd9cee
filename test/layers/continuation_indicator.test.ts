import { expect, test } from 'vitest'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) => `type: "ContinuationIndicator" continuation_indicator_param { ${fields} }`

test('0 in the first step and 1 after it', async () => {
  const run = await handPass(layer('time_step: 3 batch_size: 2'), [], { force: false })
  expect(run.shapes[0]).toEqual([3, 2])
  expect(run.y[0]).toEqual([0, 0, 1, 1, 1, 1])
})

test('items whose value is 1 go on', async () => {
  const given = [{ shape: [3], values: [1, 0, 0.995] }]
  const run = await handPass(layer('time_step: 2 batch_size: 3'), given, { force: false })
  expect(run.y[0]).toEqual([1, 0, 1, 1, 1, 1])
})

test('refuses sizes of 0 and too few values', async () => {
  await expect(handNet(layer('batch_size: 2'), [])).rejects.toThrow(/time_step: 0 must be 1 or more/)
  await expect(handNet(layer('time_step: 2'), [])).rejects.toThrow(/batch_size: 0 must be 1 or more/)
  await expect(handNet(layer('time_step: 2 batch_size: 3'), [[2]])).rejects.toThrow(/'in0' has 2 values/)
})
