import { describe, expect, it } from 'vitest'
import { NetError } from '../../lib/errors.js'
import type { MemoryDataLayer } from '../../lib/layers/memory_data.js'
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
    const text = prototxt.replace(' }', ' } transform_param { crop_size: 1 scale: 2 mean_value: 1 }').replace('height: 3', 'height: 1')
    const net = await netOf(text)
    const layer = net.layers[0] as MemoryDataLayer
    const datum = (i: number) => ({ channels: 2, height: 3, width: 3, data: Uint8Array.from({ length: 18 }, (_, k) => k + i), label: i })
    layer.addDatumVector([0, 1, 2, 3].map(datum))
    await net.forward()
    // the centres of the two planes: 4 and 13
    expect([...net.blobs.data.dataArray]).toEqual([6, 24, 8, 26])
    expect(() => layer.addDatumVector([datum(0), datum(1)])).toThrow(/has not been used up/)
    await net.forward()
    expect([...net.blobs.label.dataArray]).toEqual([2, 3])
    layer.addDatumVector([{ ...datum(5), data: undefined, float_data: Float32Array.from({ length: 18 }, (_, k) => k / 2) }, datum(6)])
    await net.forward()
    expect([...net.blobs.data.dataArray]).toEqual([2, 11, 18, 36])
    net.dispose()
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
    expect(() => layer.addDatumVector([small, small])).toThrow(/datum 0 is 1×3×1 after the transformation, memory_data_param says 2×3×1/)
    net.dispose()
  })
})
