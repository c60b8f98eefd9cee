import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { hostEngines } from '../engines.js'

describe.each(hostEngines)('Parameter on %s', engine => {
  test('the top is the param itself, values and gradients; sharing by name keeps it so', async () => {
    const net = await Net.create(
      parseNet(`
        layer { name: "a" type: "Parameter" top: "a" param { name: "w" } parameter_param { shape { dim: 2 dim: 2 } } }
        layer { name: "b" type: "Parameter" top: "b" param { name: "w" } parameter_param { shape { dim: 2 dim: 2 } } }
        layer { name: "sum" type: "Reduction" bottom: "a" top: "sum" loss_weight: 1 }
        layer { name: "quiet" type: "Silence" bottom: "b" }`),
      { engine, phase: 'TRAIN' },
    )
    expect(net.params.a[0].shape).toEqual([2, 2])
    net.params.a[0].dataArray.set([1, 2, 3, 4])
    const { sum } = await net.forward()
    expect(sum.data[0]).toBe(10)
    expect(Array.from(net.blobs.b.dataArray)).toEqual([1, 2, 3, 4])
    await net.backward()
    expect(net.blobs.a.memory.diff).toBe(net.params.a[0].memory.diff)
    expect(net.built.learnable).toHaveLength(1)
  })

  test('starts at 0, and without a shape is a single value', async () => {
    const net = await Net.create(parseNet('layer { name: "a" type: "Parameter" top: "a" }'), { engine })
    const { a } = await net.forward()
    expect(a.shape).toEqual([])
    expect(a.data[0]).toBe(0)
  })
})
