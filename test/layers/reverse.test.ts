import { describe, expect, test } from 'vitest'
import { ReverseLayer } from '../../lib/layers/reverse.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const x = [{ shape: [3, 2], values: [1, 2, 3, 4, 5, 6] }]

describe.each(hostEngines)('Reverse on %s', engine => {
  test.each([
    ['', [5, 6, 3, 4, 1, 2]],
    ['axis: 1', [2, 1, 4, 3, 6, 5]],
    ['axis: 0 axis: 1', [6, 5, 4, 3, 2, 1]],
  ])('hand-worked, and the same way back: %s', async (fields, y) => {
    const run = await handPass(`type: "Reverse" reverse_param { ${fields} }`, x, { engine, dy: [x[0].values] })
    expect(run.y[0]).toEqual(y)
    expect(run.dx[0]).toEqual(y)
  })

  test('checks', async () => {
    await checkLayer(ReverseLayer, { param: 'reverse_param { axis: 1 }', bottoms: [[2, 3, 2]], engine })
  })
})

test('refuses an axis that is not there', async () => {
  await expect(handNet('type: "Reverse" reverse_param { axis: 2 }', [[3, 2]])).rejects.toThrow(
    /axis: 2 is none of 'in0'/,
  )
})
