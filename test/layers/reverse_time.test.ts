import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) =>
  `type: "ReverseTime" reverse_time_param { ${fields} } propagate_down: true propagate_down: false`
/** Three steps of two streams: 1, 2, 3 and 10, 20, 30. */
const steps = { shape: [3, 2, 1], values: [1, 10, 2, 20, 3, 30] }

describe.each(hostEngines)('ReverseTime on %s', engine => {
  test.each([
    ['', [2, 30, 1, 20, 0, 10]],
    ['copy_remaining: true', [2, 30, 1, 20, 3, 10]],
  ])('hand-worked: two steps of one stream, three of the other; back the same way: %s', async (fields, y) => {
    const run = await handPass(layer(fields), [steps, { shape: [2], values: [2, 3] }], {
      engine,
      force: false,
      dy: [steps.values],
    })
    expect(run.y[0]).toEqual(y)
  })

  test('its gradient goes back to where the values came from', async () => {
    const run = await handPass('type: "ReverseTime"', [steps, { shape: [2], values: [1, 3] }], {
      engine,
      dy: [[7, 1, 8, 2, 9, 3]],
    })
    expect(run.dx[0]).toEqual([7, 3, 0, 2, 0, 1])
  })
})

test('refuses lengths for other streams, and those beyond the steps', async () => {
  await expect(handNet(layer(''), [[3, 2, 1], [3]])).rejects.toThrow(/one length for each stream/)
  const long = handPass(layer(''), [steps, { shape: [2], values: [4, 1] }], { force: false })
  await expect(long).rejects.toThrow(/length 0 of 'in1' is 4: 'in0' has 3 steps/)
})
