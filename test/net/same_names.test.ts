/** Caffe lets several layers have one name: they are kept apart by their place. */
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

const text = `
  layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "a" inner_product_param {
    num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "drop" type: "Dropout" bottom: "a" top: "b" }
  layer { name: "drop" type: "Dropout" bottom: "a" top: "c" }
  layer { name: "ip" type: "InnerProduct" bottom: "b" top: "d" inner_product_param {
    num_output: 3 weight_filler { type: "xavier" } } }`
const make = (seed: number, phase: 'TRAIN' | 'TEST' = 'TEST') =>
  Net.create(parseNet(text), { engine: 'js', seed, phase })

describe('layers that share a name', () => {
  test('have params, places and fillers of their own', async () => {
    using net = await make(1)
    expect(Object.keys(net.params)).toEqual(['ip', 'ip#2'])
    expect(net.layerNames.filter(name => name.startsWith('drop'))).toEqual(['drop', 'drop#2'])
    expect(net.params['ip#2'][0]).toBe(net.layerDict['ip#2'].blobs[0])
    expect([...net.params['ip'][0].dataArray]).not.toEqual([...net.params['ip#2'][0].dataArray])
  })

  test('come back each with its own weights', async () => {
    using net = await make(1)
    using other = await make(2)
    const before = await net.forward({ x: [1, 2, 3] })
    for (const format of ['caffemodel', 'hdf5'] as const) {
      using again = await make(3)
      const report = await again.copyFrom(await net.toBytes({ format }))
      expect(report.loaded).toEqual(['ip', 'ip#2'])
      expect([...(await again.forward({ x: [1, 2, 3] }))['d'].data]).toEqual([...before['d'].data])
    }
    await other.copyFrom(net)
    expect([...(await other.forward({ x: [1, 2, 3] }))['d'].data]).toEqual([...before['d'].data])
    using shares = await make(4)
    shares.shareWith(net)
    expect([...(await shares.forward({ x: [1, 2, 3] }))['d'].data]).toEqual([...before['d'].data])
  })

  test('draw random numbers of their own', async () => {
    using net = await Net.create(parseNet(text.replace(/dim: 1 dim: 3/, 'dim: 64 dim: 3')), {
      engine: 'js',
      seed: 1,
      phase: 'TRAIN',
    })
    const { c } = await net.forward({ x: new Float32Array(192).fill(1) }, { blobs: ['b', 'c'] })
    const zeros = (values: ArrayLike<number>) => Array.from(values, value => value === 0)
    expect(zeros(net.blobs['b'].dataArray)).not.toEqual(zeros(c.data))
  })
})
