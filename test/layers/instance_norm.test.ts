import { describe, expect, test } from 'vitest'
import { InstanceNormLayer } from '../../lib/layers/instance_norm.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('InstanceNorm on %s', engine => {
  test('hand-worked: each channel of each item', async () => {
    const x = { shape: [2, 1, 2], values: [1, 3, 10, 30] }
    const run = await handPass('type: "InstanceNorm" group_norm_param { eps: 0 }', [x], { engine })
    expect(run.y[0]).toEqual([-1, 1, -1, 1])
  })

  test('checks', async () => {
    await checkLayer(InstanceNormLayer, { param: '', bottoms: [[2, 3, 4, 5]], engine })
  })
})

test('refuses groups', async () => {
  await expect(handNet('type: "InstanceNorm" group_norm_param { group: 2 }', [[1, 4, 2]])).rejects.toThrow(
    /group: 2 is GroupNorm's/,
  )
})
