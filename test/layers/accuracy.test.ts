import { describe, expect, test } from 'vitest'
import { AccuracyLayer } from '../../lib/layers/accuracy.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = (param = '', tops = 'top: "a"') =>
  `layer { name: "a" type: "Accuracy" bottom: "in0" bottom: "in1" ${tops} accuracy_param { ${param} } propagate_down: false propagate_down: false }`

/** force_backward would ask for a gradient, so these nets only run forward. */
describe.each(hostEngines)('Accuracy on %s', engine => {
  const scores = [3, 1, 2, /**/ 1, 2, 3, /**/ 2, 2, 1, /**/ 0, 5, 1]
  const labels = [0, 1, 0, 1]

  test.each([
    ['top_k: 1', 2 / 4],
    ['top_k: 2', 4 / 4],
    ['ignore_label: 0', 1 / 2],
    ['ignore_label: 1', 1 / 2],
  ])('hand-worked: %s gives %f; a tie counts against the label', async (param, expected) => {
    const net = await netOf([[4, 3], [4]], layer(param), { engine })
    await net.forward({ in0: scores, in1: labels })
    expect(net.blobs.a.shape).toEqual([])
    expect(net.blobs.a.dataArray[0]).toBeCloseTo(expected, 6)
  })

  test('hand-worked: per class, 0 for an absent one', async () => {
    const net = await netOf([[4, 3], [4]], layer('', 'top: "a" top: "c"'), { engine })
    await net.forward({ in0: scores, in1: labels })
    expect([...net.blobs.c.dataArray]).toEqual([0.5, 0.5, 0])
  })

  test('a net that has diverged scores 0', async () => {
    const net = await netOf([[2, 3], [2]], layer(), { engine })
    await net.forward({ in0: new Float32Array(6).fill(Number.NaN), in1: [0, 2] })
    expect(net.blobs.a.dataArray[0]).toBe(0)
  })

  test('a label that is no class is an error', async () => {
    const net = await netOf([[2, 3], [2]], layer(), { engine })
    await expect(net.forward({ in0: [1, 2, 3, 4, 5, 6], in1: [0, 3] })).rejects.toThrow(
      /layer 'a' \(Accuracy\): label 1 of 'in1' is 3/,
    )
  })

  test('checks', async () => {
    await checkLayer(AccuracyLayer, {
      bottoms: [[2, 5, 3], { shape: [2, 3], labels: 5 }],
      tops: 2,
      engine,
      backward: false,
    })
    await checkLayer(AccuracyLayer, {
      param: 'accuracy_param { axis: -1 top_k: 2 }',
      bottoms: [[3, 7], { shape: [3], labels: 7 }],
      engine,
      backward: false,
    })
  })
})

test('what is refused', async () => {
  await expect(netOf([[2, 3], [3]], layer())).rejects.toThrow(
    /layer 'a' \(Accuracy\): label 'in1' \(3\) must hold 2 values/,
  )
  await expect(netOf([[2, 3], [2]], layer('top_k: 4'))).rejects.toThrow(
    /top_k: 4 is larger than the number of classes, 3/,
  )
  const net = await netOf([[2, 3], [2]], 'layer { name: "a" type: "Accuracy" bottom: "in0" bottom: "in1" top: "a" }')
  await net.forward({ in0: [1, 2, 3, 4, 5, 6], in1: [0, 1] })
  await expect(net.backward()).rejects.toThrow(/layer 'a' \(Accuracy\): .*no gradient/)
})
