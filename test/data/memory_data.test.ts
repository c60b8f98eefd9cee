import { describe, expect, it } from 'vitest'
import { NetError } from '../../lib/errors.js'
import type { MemoryDataLayer } from '../../lib/layers/memory_data.js'
import { parseSolver } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { arrayOf, golden, netOf } from './golden_io.js'

const { prototxt, data, labels, shapes_before_forward, forwards } = golden.memory_data

describe('MemoryData', () => {
  it('hands out what the program gave it, in Caffe’s shapes', async () => {
    const net = await netOf(prototxt)
    for (const [name, shape] of Object.entries(shapes_before_forward)) expect(net.blobs[name].shape).toEqual(shape)
    ;(net.layers[0] as MemoryDataLayer).reset(arrayOf(data), arrayOf(labels))
    for (const expected of forwards) {
      await net.forward()
      for (const name of ['data', 'label']) {
        expect(net.blobs[name].shape).toEqual(expected[name].shape)
        expect([...net.blobs[name].dataArray]).toEqual([...arrayOf(expected[name])])
      }
    }
    net.dispose()
  })

  it('transforms Datum messages, and wants them used up before more come', async () => {
    const text = prototxt
      .replace(' }', ' } transform_param { crop_size: 1 scale: 2 mean_value: 1 }')
      .replace('height: 3', 'height: 1')
    const net = await netOf(text)
    const layer = net.layers[0] as MemoryDataLayer
    const datum = (i: number) => ({
      channels: 2,
      height: 3,
      width: 3,
      data: Uint8Array.from({ length: 18 }, (_, k) => k + i),
      label: i,
    })
    layer.addDatumVector([0, 1, 2, 3].map(datum))
    await net.forward()
    // the centres of the two planes: 4 and 13
    expect([...net.blobs.data.dataArray]).toEqual([6, 24, 8, 26])
    expect(() => layer.addDatumVector([datum(0), datum(1)])).toThrow(/has not been used up/)
    await net.forward()
    expect([...net.blobs.label.dataArray]).toEqual([2, 3])
    layer.addDatumVector([
      { ...datum(5), data: undefined, float_data: Float32Array.from({ length: 18 }, (_, k) => k / 2) },
      datum(6),
    ])
    await net.forward()
    expect([...net.blobs.data.dataArray]).toEqual([2, 11, 18, 36])
    net.dispose()
  })

  it('is fed by name like an Input, array by array', async () => {
    const net = await netOf(prototxt)
    net.feed('data', arrayOf(data))
    net.feed('label', arrayOf(labels))
    for (const expected of forwards) {
      await net.forward()
      for (const name of ['data', 'label']) {
        expect(net.blobs[name].shape).toEqual(expected[name].shape)
        expect([...net.blobs[name].dataArray]).toEqual([...arrayOf(expected[name])])
      }
    }
    net.dispose()
  })

  it('is fed pairs or objects, one after the other or as batches, untransformed', async () => {
    const net = await netOf(prototxt.replace(' }', ' } transform_param { scale: 100 }'))
    const size = net.blobs.data.size(1)
    const item = (i: number) => new Float32Array(size).fill(i)
    const seen = async () => {
      await net.forward()
      expect(net.blobs.label.shape).toEqual([2, 1, 1, 1])
      return [net.blobs.data.dataArray[0], net.blobs.data.dataArray[size], ...net.blobs.label.dataArray]
    }
    net.feed(
      ['data', 'label'],
      [1, 2, 3].map(i => [item(i), 10 * i]),
    )
    expect([await seen(), await seen()]).toEqual([
      [1, 2, 10, 20],
      [3, 1, 30, 10],
    ])
    const stream = async function* () {
      for (let i = 5; ; i++) yield { label: i, data: item(i) }
    }
    net.feed(['data', 'label'], stream())
    expect(await seen()).toEqual([5, 6, 5, 6])
    // what was handed over last counts
    ;(net.layers[0] as MemoryDataLayer).reset(new Float32Array(2 * size).fill(7), [8, 9])
    expect(await seen()).toEqual([7, 7, 8, 9])
    net.feed('label', [3, 4])
    expect((await seen()).slice(2)).toEqual([3, 4])
    expect(() => net.feed('ip', [1])).toThrow(/no blob 'ip'/)
    net.dispose()
  })

  it('trains from a feed', async () => {
    const solver = await createSolver(
      parseSolver(`base_lr: 0.5 lr_policy: "fixed" net_param { ${golden.memory_data.prototxt.replace(/batch_size: \d+/, 'batch_size: 4')}
        layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" } }`),
      { seed: 1 },
    )
    const size = solver.net.blobs.data.size(1)
    const random = new RandomStream(5, 'memory data')
    solver.net.feed(
      ['data', 'label'],
      Array.from(
        { length: 40 },
        (_, i) => [Float32Array.from({ length: size }, () => (i % 2) + 0.1 * random.gaussian()), i % 2] as const,
      ),
    )
    await solver.step(100)
    expect(await solver.loss()).toBeLessThan(0.05)
    solver.dispose()
  })

  it('says what is wrong', async () => {
    await expect(netOf(prototxt.replace('channels: 2', ''))).rejects.toThrow(
      /needs batch_size, channels, height and width .* not 2, 0, 3, 1/,
    )
    const net = await netOf(prototxt)
    const layer = net.layers[0] as MemoryDataLayer
    await expect(net.forward()).rejects.toThrow(/layer 'mem' \(MemoryData\): it has no data yet/)
    expect(() => layer.reset(new Float32Array(18), [1, 2, 3])).toThrow(/3 items: it must be a multiple of batch_size 2/)
    expect(() => layer.reset(new Float32Array(10), [1, 2])).toThrow(NetError)
    expect(() => layer.addDatumVector([])).toThrow(/0 items/)
    const small = { channels: 1, height: 3, width: 1, data: new Uint8Array(3) }
    expect(() => layer.addDatumVector([small, small])).toThrow(
      /datum 0 is 1×3×1 after the transformation, memory_data_param says 2×3×1/,
    )
    net.dispose()
  })
})
