import { describe, expect, test } from 'vitest'
import { GroupNormLayer } from '../../lib/layers/group_norm.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('GroupNorm on %s', engine => {
  test('hand-worked: two groups of two channels', async () => {
    const x = { shape: [1, 4, 1], values: [1, 3, 10, 30] }
    const run = await handPass('type: "GroupNorm" group_norm_param { group: 2 eps: 0 }', [x], {
      engine,
      params: [
        [1, 1, 2, 1],
        [0, 0, 0, 5],
      ],
    })
    expect(run.y[0]).toEqual([-1, 1, -2, 6])
  })

  test.each(['group: 1', 'group: 2', 'group: 4 affine: false'])('checks with %s', async fields => {
    await checkLayer(GroupNormLayer, { param: `group_norm_param { ${fields} }`, bottoms: [[2, 4, 3, 5]], engine })
  })
})

test('refuses', async () => {
  await expect(handNet('type: "GroupNorm" group_norm_param { group: 3 }', [[1, 4, 2]])).rejects.toThrow(
    /group: 3 does not divide 4 channels/,
  )
  await expect(handNet('type: "GroupNorm"', [[4]])).rejects.toThrow(/needs at least 2 axes/)
})
