import { describe, expect, test } from 'vitest'
import { MeanLayer } from '../../lib/layers/mean.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const values = 'operation: SUBTRACT input_scale: 0.5 mean_scale: 2 output_scale: 4 value: 1 value: 2'

describe.each(hostEngines)('Mean on %s', engine => {
  test('hand-worked: two pictures; means are used again', async () => {
    const x = { shape: [1, 2, 1, 2], values: [2, 4, 6, 8] }
    const more = { shape: [2, 4], values: [0, 0, 0, 0, 2, 2, 2, 2] }
    const { y, dx } = await handPass(`type: "Mean" mean_param { ${values} }`, [x, more], {
      engine,
      tops: 2,
      dy: [
        [1, 2, 3, 4],
        [1, 1, 1, 1, 1, 1, 1, 1],
      ],
    })
    expect(y).toEqual([
      [-4, 0, -4, 0],
      [-8, -16, -8, -16, -4, -12, -4, -12],
    ])
    expect(dx[0]).toEqual([2, 4, 6, 8])
  })

  test('from a file: one picture for all', async () => {
    const mean = writeMessage('BlobProto', { shape: { dim: [1, 1, 1, 2] }, data: Float32Array.of(10, 20) })
    const text = `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: [1, 2, 1, 2] } } }
      layer { name: "y" type: "Mean" bottom: "x" top: "y" mean_param { operation: ADD file: "mean.binaryproto" } }`
    const net = await Net.create(parseNet(text), { engine, files: async () => mean })
    const { y } = await net.forward({ x: Float32Array.of(1, 2, 3, 4) })
    expect([...(y.data as Float32Array)]).toEqual([11, 22, 13, 24])
    net.blobs['x'].reshape([1, 2, 2, 1])
    expect(() => net.reshape()).toThrow(/pictures of 1×2/)
    net.dispose()
  })

  test('checks', () =>
    checkLayer(MeanLayer, {
      param: 'mean_param { operation: ADD input_scale: 0.7 value: 1 value: 2 value: 3 }',
      bottoms: [[2, 3, 3, 5]],
      reshapeTo: [[1, 6, 1, 2]],
      engine,
    }))
})

test('refuses', async () => {
  const shape = [1, 3, 1, 2]
  await expect(handNet(`type: "Mean" mean_param { ${values} }`, [shape])).rejects.toThrow(/2 means do not fit 'in0'/)
  await expect(handNet('type: "Mean" mean_param { operation: ADD }', [shape])).rejects.toThrow(/needs values/)
  await expect(handNet('type: "Mean"', [shape])).rejects.toThrow(/ADD or SUBTRACT/)
  const two = `type: "Mean" mean_param { operation: ADD value: 1 }`
  await expect(handNet(two, [shape, shape])).rejects.toThrow(/2 bottoms and 1 tops/)
})
