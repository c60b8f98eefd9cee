import { describe, expect, test } from 'vitest'
import { InfogainLossLayer } from '../../lib/layers/infogain_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { goldenPath } from '../golden.js'
import { handNet, handPass } from './hand.js'

const LN3 = Math.log(3)
const source = `infogain_loss_param { source: "${goldenPath('layers/files/infogain_4x4.binaryproto')}" }`

describe.each(hostEngines)('InfogainLoss on %s', engine => {
  test('hand-worked: probabilities 3/4 and 1/4, H from bottom 2', async () => {
    const bottoms = [
      { shape: [1, 2], values: [LN3, 0] },
      { shape: [1], values: [1] },
      { shape: [2, 2], values: [1, 0, 0.5, 2] },
    ]
    const run = await handPass('type: "InfogainLoss"', bottoms, { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo(-(0.5 * Math.log(0.75) + 2 * Math.log(0.25)), 5)
    expect(run.dx[0][0]).toBeCloseTo(0.75 * 2.5 - 0.5, 5)
    expect(run.dx[0][1]).toBeCloseTo(0.25 * 2.5 - 2, 5)
  })

  test('the second top is the softmax', async () => {
    const bottoms = [
      { shape: [1, 2], values: [LN3, 0] },
      { shape: [1], values: [1] },
      { shape: [2, 2], values: [1, 0, 0, 1] },
    ]
    const run = await handPass('type: "InfogainLoss" loss_weight: 1 loss_weight: 0', bottoms, { engine, tops: 2 })
    expect(run.y[1]).toEqual([0.75, 0.25])
  })

  test('checks with H from a file', { tags: 'long' }, async () => {
    for (const param of ['', 'loss_param { ignore_label: 1 }', 'loss_param { normalization: BATCH_SIZE }'])
      await checkLayer(InfogainLossLayer, {
        param: `${source} ${param}`,
        bottoms: [[3, 4, 2], { shape: [3, 2], labels: 4 }],
        engine,
      })
  })

  test('checks with H from bottom 2, along another axis', async () => {
    const bottoms = [[3, 2, 5], { shape: [3, 2], labels: 5 }, { shape: [5, 5], gradient: false }]
    const reshapeTo = [[1, 3, 5], { shape: [1, 3], labels: 5 }, { shape: [5, 5], gradient: false }]
    await checkLayer(InfogainLossLayer, { param: 'infogain_loss_param { axis: -1 }', bottoms, engine, reshapeTo })
  })
})

test('refuses a missing or wrong H, the deprecated normalize, and labels that do not fit', async () => {
  const net = (param: string, ...shapes: number[][]) => handNet(`type: "InfogainLoss" ${param}`, shapes)
  await expect(net('', [2, 4], [2])).rejects.toThrow(/matrix is missing/)
  await expect(net(source, [2, 3], [2])).rejects.toThrow(/has 16 values, but 3 classes need 3×3 = 9/)
  await expect(net('', [2, 4], [2], [4, 3])).rejects.toThrow(/has 12 values/)
  await expect(net(`${source} loss_param { normalize: true }`, [2, 4], [2])).rejects.toThrow(/normalization: VALID/)
  await expect(net(source, [2, 4, 3], [2])).rejects.toThrow(/must hold 6 values/)
})
