import { describe, expect, test } from 'vitest'
import { InnerProductLayer } from '../../lib/layers/inner_product.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = (param: string) =>
  `layer { name: "ip" type: "InnerProduct" bottom: "in0" top: "ip" inner_product_param { ${param} } }`

describe.each(hostEngines)('InnerProduct on %s', engine => {
  test.each([
    ['', [1, 2, 3, 10, 20, 30], [2, 3]],
    ['transpose: true', [1, 10, 2, 20, 3, 30], [3, 2]],
  ])('hand-worked: %s', async (param, weights, shape) => {
    const net = await netOf([[2, 3]], layer(`num_output: 2 ${param}`), { engine })
    const [w, b] = net.params.ip
    expect([w.shape, b.shape]).toEqual([shape, [2]])
    w.dataArray.set(weights)
    b.dataArray.set([100, 200])
    await net.forward({ in0: [1, 1, 1, 1, 0, -1] })
    expect([...net.blobs.ip.dataArray]).toEqual([106, 260, 98, 180])
    net.blobs.ip.diffArray.set([1, 0, 0, 1])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([1, 2, 3, 10, 20, 30])
    expect([...w.diffArray]).toEqual(param ? [1, 1, 1, 0, 1, -1] : [1, 1, 1, 1, 0, -1])
    expect([...b.diffArray]).toEqual([1, 1])
    await net.backward()
    expect([...b.diffArray]).toEqual([2, 2])
  })

  test.each([
    ['num_output: 4', [3, 5], true],
    ['num_output: 3', [2, 3, 1, 5], true],
    ['num_output: 3 bias_term: false transpose: true', [1, 7], true],
    ['num_output: 2 axis: 2', [2, 3, 5], true],
    ['num_output: 2 axis: -1 transpose: true', [2, 3, 5], true],
    ['num_output: 5 axis: 0', [2, 3], false],
    ['num_output: 1', [1, 1], true],
    ['num_output: 9', [17, 33], true],
  ] as const)('checks: %s %j', { tags: 'long' }, async (param, shape, grows) => {
    await checkLayer(InnerProductLayer, {
      param: `inner_product_param { ${param} }`,
      bottoms: [shape],
      engine,
      mode: shape[0] > 10 ? 'projected' : 'exhaustive',
      reshapeTo: grows ? undefined : false,
    })
  })

  test('an empty batch', async () => {
    const net = await netOf([[0, 3]], layer('num_output: 2'), { engine })
    await net.forward()
    expect(net.blobs.ip.shape).toEqual([0, 2])
    await net.backward()
    expect([...net.params.ip[0].diffArray]).toEqual([0, 0, 0, 0, 0, 0])
  })
})

test('what is refused', async () => {
  await expect(netOf([[2, 3]], layer(''))).rejects.toThrow(/layer 'ip' \(InnerProduct\): num_output/)
  await expect(netOf([[2, 3]], layer('num_output: 2 axis: 2'))).rejects.toThrow(/axis: 2 is out of range/)
  const net = await netOf([[2, 3]], layer('num_output: 2'))
  net.blobs.in0.reshape([2, 4])
  expect(() => net.reshape()).toThrow(
    /layer 'ip' \(InnerProduct\): 'in0' is 2×4 now, but the weights were made for 3 values/,
  )
})
