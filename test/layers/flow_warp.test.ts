import { describe, expect, test } from 'vitest'
import { FlowWarpLayer } from '../../lib/layers/flow_warp.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const picture = { shape: [1, 1, 2, 2], values: [1, 2, 3, 4] }
const flow = (...values: number[]) => ({ shape: [1, 2, 2, 2], values })

describe.each(hostEngines)('FlowWarp on %s', engine => {
  test('hand-worked: between pixels, past an edge, and within the last one', async () => {
    // to (0.25, 0.5), (1.5, 0), (−1, 1), (1, 1.5)
    const run = await handPass('type: "FlowWarp"', [picture, flow(0.25, 0.5, -1, 0, 0.5, 0, 0, 0.5)], {
      engine,
      dy: [[4, 1, 1, 1]],
    })
    expect(run.y[0]).toEqual([2.25, 2, 0, 4])
    expect(run.dx[0]).toEqual([1.5, 0.5 + 1, 1.5, 0.5 + 1])
    expect(run.dx[1]).toEqual([4, 0, 0, 0, 8, 2, 0, 0])
  })

  test('NOT_A_NUMBER outside', async () => {
    const fill = 'type: "FlowWarp" flow_warp_param { fill_value: NOT_A_NUMBER }'
    const run = await handPass(fill, [picture, flow(-1, 0, 0, 0, 0, 0, 0, 0)], { engine })
    expect(run.y[0]).toEqual([Number.NaN, 2, 3, 4])
  })

  test('checks', async () => {
    const steps = Array.from({ length: 2 * 2 * 3 * 4 }, (_, i) => 0.3 + 0.4 * Math.abs(Math.sin(i)))
    await checkLayer(FlowWarpLayer, {
      bottoms: [[2, 2, 3, 4], { shape: [2, 2, 3, 4], values: steps }],
      reshapeTo: [[1, 1, 2, 2], { shape: [1, 2, 2, 2], values: [0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4] }],
      engine,
    })
  })
})

test('refuses', async () => {
  await expect(handNet('type: "FlowWarp"', shapesOf('1×1×2×2 1×1×2×2'))).rejects.toThrow(/N × 2 × H × W/)
  await expect(handNet('type: "FlowWarp"', shapesOf('1×2 1×2'))).rejects.toThrow(/must be N × C × H × W/)
})
