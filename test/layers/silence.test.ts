import { describe, expect, test } from 'vitest'
import { SilenceLayer } from '../../lib/layers/silence.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

describe.each(hostEngines)('Silence on %s', engine => {
  test('takes blobs off the outputs and gives them gradient 0', async () => {
    const net = await netOf([[2], [3]], 'layer { name: "s" type: "Silence" bottom: "in0" bottom: "in1" }', { engine })
    expect(net.outputs).toEqual([])
    net.blobs.in1.diffArray.fill(5)
    await net.forward({ in0: [1, 2], in1: [3, 4, 5] })
    await net.backward()
    expect([...net.blobs.in1.diffArray]).toEqual([0, 0, 0])
    expect([...net.blobs.in1.dataArray]).toEqual([3, 4, 5])
  })

  test('checks', async () => {
    await checkLayer(SilenceLayer, { bottoms: [[3], [2, 5]], engine })
  })
})
