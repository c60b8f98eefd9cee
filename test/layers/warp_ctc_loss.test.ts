import { describe, expect, test } from 'vitest'
import { WarpCTCLossLayer } from '../../lib/layers/warp_ctc_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const scores = { shape: [4, 2, 3], values: Array.from({ length: 24 }, (_, i) => 2 * Math.sin(1 + 3 * i)) }
const padded = { shape: [2, 2], values: [1, 2, 2, 0] }
const loss = async (layer: string, bottoms: Parameters<typeof handPass>[1], engine: 'js' | 'wasm') =>
  (await handPass(layer, bottoms, { engine })).y[0][0]

describe.each(hostEngines as readonly ('js' | 'wasm')[])('WarpCTCLoss on %s', engine => {
  test('two bottoms as CTCLoss has them; the blank is 0 unless blank_index names another, −1 the last', async () => {
    const two = await loss('type: "CTCLoss"', [scores, padded], engine)
    expect(await loss('type: "WarpCTCLoss"', [scores, padded], engine)).toBe(two)
    const last = { shape: [2, 2], values: [1, 0, 0, 2] }
    const wanted = await loss('type: "CTCLoss" ctc_loss_param { blank_label: 2 }', [scores, last], engine)
    for (const index of [2, -1]) {
      const layer = `type: "WarpCTCLoss" ctc_loss_param { blank_index: ${index} }`
      expect(await loss(layer, [scores, last], engine)).toBe(wanted)
    }
  })

  test('three bottoms count labels without the blank, four have the lengths', async () => {
    const two = await loss('type: "WarpCTCLoss"', [scores, padded], engine)
    const indicators = { shape: [4, 2], values: [0, 0, 1, 1, 1, 1, 1, 1] }
    const labels = { shape: [4, 2], values: [0, 1, 1, -1, -1, -1, -1, -1] }
    expect(await loss('type: "WarpCTCLoss"', [scores, indicators, labels], engine)).toBe(two)
    const four = [scores, { shape: [2], values: [4, 4] }, { shape: [2], values: [2, 1] }]
    const byLength = { shape: [2, 2], values: [1, 2, 2, 1] }
    expect(await loss('type: "WarpCTCLoss"', [...four, byLength], engine)).toBe(two)
  })

  test('gradients against differences', async () => {
    await checkLayer(WarpCTCLossLayer, {
      bottoms: [[5, 2, 3], { ...padded, gradient: false }],
      reshapeTo: [[4, 2, 3], { ...padded, gradient: false }],
      engine,
    })
  })
})

test('refuses', async () => {
  const layer = 'type: "WarpCTCLoss"'
  await expect(handNet(layer, shapesOf('4×2×3 3 2 2×2'))).rejects.toThrow(/'in1' \(3\) must have one value for each/)
  await expect(handNet(layer, shapesOf('4×2×3 2 2 2×3'))).rejects.toThrow(/'in3' \(2×3\) must be L × 2/)
  const long = [scores, { shape: [2], values: [5, 4] }, { shape: [2], values: [1, 1] }, padded]
  await expect(handPass(layer, long)).rejects.toThrow(/item 0 of 'in1' has 5 steps/)
})
