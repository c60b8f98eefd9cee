import { describe, expect, test } from 'vitest'
import { Correlation1DLayer } from '../../lib/layers/correlation1d.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) => `type: "Correlation1D" correlation_param { ${fields} }`
const pictures = [
  { shape: [1, 2, 1, 3], values: [1, 2, 3, 1, 1, 1] },
  { shape: [1, 2, 1, 3], values: [4, 5, 6, 2, 0, 2] },
]

describe.each(hostEngines)('Correlation1D on %s', engine => {
  test('hand-worked: one step to each side, zeros beyond, the mean of two channels', async () => {
    const run = await handPass(layer('kernel_size: 1 max_displacement: 1 pad: 1'), pictures, { engine })
    expect(run.shapes[0]).toEqual([1, 3, 1, 3])
    // b one to the left of a, at its place, one to the right
    expect(run.y[0]).toEqual([...[0, 5, 7.5], ...[3, 5, 10], ...[2.5, 7, 0]])
  })

  test('hand-worked: to the right alone, with gradients', async () => {
    const run = await handPass(layer('kernel_size: 1 max_displacement: 1 pad: 1 single_direction: 1'), pictures, {
      engine,
      dy: [[0, 0, 0, 2, 0, 0]],
    })
    expect(run.y[0]).toEqual([...[3, 5, 10], ...[2.5, 7, 0]])
    // the first place of a with the second of b
    expect(run.dx).toEqual([
      [5, 0, 0, 0, 0, 0],
      [0, 1, 0, 0, 1, 0],
    ])
  })

  test('hand-worked: to the left, from a step beyond max_displacement to a step before 0', async () => {
    const run = await handPass(layer('kernel_size: 1 max_displacement: 1 pad: 1 single_direction: -1'), pictures, {
      engine,
      dy: [[0, 0, 0, 0, 2, 0]],
    })
    expect(run.shapes[0]).toEqual([1, 2, 1, 3])
    expect(run.y[0]).toEqual([...[0, 0, 7], ...[0, 5, 7.5]])
    // the second place of a with the first of b
    expect(run.dx).toEqual([
      [0, 4, 0, 0, 2, 0],
      [2, 0, 0, 1, 0, 0],
    ])
  })

  test.each([
    'kernel_size: 3 max_displacement: 2 pad: 2 stride_2: 2',
    'kernel_size: 1 max_displacement: 2 pad: 1 stride_1: 2 single_direction: 1',
    'kernel_size: 1 max_displacement: 4 pad: 4 stride_2: 2 single_direction: -1',
  ])('checks: %s', { tags: 'long' }, async fields => {
    const param = `correlation_param { ${fields} }`
    await checkLayer(Correlation1DLayer, { param, bottoms: [2, 2].map(n => [n, 2, 4, 7]), engine })
  })
})

test.each([
  ['kernel_size: 1 max_displacement: 1 single_direction: 2', /must be 0 .*, 1 .* or -1/],
  ['kernel_size: 1 max_displacement: 9', /leave nothing/],
])('refuses %s', async (fields, message) => {
  const shape = [1, 2, 3, 3]
  await expect(handNet(layer(fields), [shape, shape])).rejects.toThrow(message)
})
