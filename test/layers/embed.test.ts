import { describe, expect, test } from 'vitest'
import { EmbedLayer } from '../../lib/layers/embed.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = 'type: "Embed" embed_param { num_output: 2 input_dim: 3 }'

describe.each(hostEngines)('Embed on %s', engine => {
  test('hand-worked: rows of the table plus the bias; gradients of equal indices add up', async () => {
    const run = await handPass(layer, [{ shape: [3], values: [2, 0, 2] }], {
      engine,
      params: [
        [1, 2, 3, 4, 5, 6],
        [10, 20],
      ],
      dy: [[1, 2, 3, 4, 5, 6]],
    })
    expect(run.y[0]).toEqual([15, 26, 11, 22, 15, 26])
    expect(run.dw).toEqual([
      [3, 4, 0, 0, 6, 8],
      [9, 12],
    ])
  })

  test('checks', async () => {
    const param = 'embed_param { num_output: 3 input_dim: 5 }'
    await checkLayer(EmbedLayer, { param, bottoms: [{ shape: [2, 3], labels: 5 }], engine })
    await checkLayer(EmbedLayer, {
      param: param.replace('5 }', '5 bias_term: false }'),
      bottoms: [{ shape: [7], labels: 5 }],
      engine,
    })
  })
})

test('refuses indices outside the table, and a table without size', async () => {
  await expect(handPass(layer, [{ shape: [1], values: [3] }])).rejects.toThrow(/is 3: .* from 0 to 2/)
  await expect(handNet('type: "Embed" embed_param { num_output: 2 }', [[3]])).rejects.toThrow(/they are 2 and 0/)
})
