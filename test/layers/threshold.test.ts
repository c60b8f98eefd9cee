import { describe, expect, test } from 'vitest'
import { ThresholdLayer } from '../../lib/layers/threshold.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('Threshold on %s', engine => {
  test('hand-worked: a value equal to the threshold is not above it', async () => {
    const x = [{ shape: [4], values: [-1, 0.5, 0.6, 9] }]
    const { y } = await handPass('type: "Threshold" threshold_param { threshold: 0.5 }', x, { engine })
    expect(y[0]).toEqual([0, 0, 1, 1])
  })

  test('checks', async () => {
    await checkLayer(ThresholdLayer, { bottoms: [[2, 3, 5]], engine, backward: false, inPlace: true })
  })
})

test('has no gradient', async () => {
  await expect(handPass('type: "Threshold"', [{ shape: [2], values: [0, 1] }], { dy: [[1, 1]] })).rejects.toThrow(
    /has no backward pass/,
  )
})
