import { describe, expect, test } from 'vitest'
import { TransposeLayer } from '../../lib/layers/transpose.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = (dims: string) => `type: "Transpose" transpose_param { ${dims} }`

describe.each(hostEngines)('Transpose on %s', engine => {
  test('hand-worked: columns become steps', async () => {
    const x = [{ shape: [1, 2, 3], values: [1, 2, 3, 4, 5, 6] }]
    const run = await handPass(layer('dim: 2 dim: 0 dim: 1'), x, { engine, dy: [[1, 4, 2, 5, 3, 6]] })
    expect(run.shapes[0]).toEqual([3, 1, 2])
    expect(run.y[0]).toEqual([1, 4, 2, 5, 3, 6])
    expect(run.dx[0]).toEqual(x[0].values)
  })

  test('checks', async () => {
    await checkLayer(TransposeLayer, {
      param: 'transpose_param { dim: 3 dim: 1 dim: 0 dim: 2 }',
      bottoms: [[2, 3, 2, 4]],
      engine,
    })
  })
})

test.each([
  ['dim: 1 dim: 0', /names 2 axes, 'in0' has 3/],
  ['dim: 1 dim: 0 dim: 1', /names axis 1 twice/],
  ['dim: 1 dim: 0 dim: -2', /order -2 is no axis/],
])('refuses %s', async (dims, message) => {
  await expect(handNet(layer(dims), [[1, 2, 3]])).rejects.toThrow(message)
})
