import { describe, expect, test } from 'vitest'
import { SoftmaxWithLossLayer } from '../../lib/layers/softmax_with_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { netOf, numbers } from './run.js'

const layer = (param = '', tops = 'top: "l"') =>
  `layer { name: "l" type: "SoftmaxWithLoss" bottom: "in0" bottom: "in1" ${tops} ${param} }`

describe.each(hostEngines)('SoftmaxWithLoss on %s', engine => {
  test('hand-worked: p = 1/2 and 3/4 cost (ln 2 − ln 3/4) / 2', async () => {
    const net = await netOf([[2, 2], [2]], layer(), { engine })
    await net.forward({ in0: [0, 0, 0, Math.log(3)], in1: [0, 1] })
    expect(net.blobs.l.shape).toEqual([])
    expect(net.blobs.l.dataArray[0]).toBeCloseTo((Math.log(2) - Math.log(0.75)) / 2, 6)
    await net.backward()
    expect(numbers(net.blobs.in0.diffArray)).toEqual([-0.25, 0.25, 0.125, -0.125])
  })

  test.each([
    ['', 2],
    ['loss_param { normalization: FULL ignore_label: 1 }', 4],
    ['loss_param { normalization: VALID ignore_label: 1 }', 2],
    ['loss_param { normalization: BATCH_SIZE ignore_label: 1 }', 2],
    ['loss_param { normalization: NONE ignore_label: 1 }', 1],
    ['loss_param { ignore_label: 1 }', 2],
    ['loss_param { normalize: false ignore_label: 1 }', 2],
    ['loss_param { normalize: true normalization: NONE ignore_label: 1 }', 1],
  ])('hand-worked: two of four labels ignored; %s divides by %i', async (param, divisor) => {
    const labels = param ? [0, 1, 1, 0] : [0, 0]
    const shapes = param ? shapesOf('2×2×2 2×2') : [[2, 2], [2]]
    const net = await netOf(shapes, layer(param), { engine })
    await net.forward({ in0: new Float32Array(param ? 8 : 4), in1: labels })
    expect(net.blobs.l.dataArray[0]).toBeCloseTo((2 * Math.log(2)) / divisor, 6)
    await net.backward()
    const half = 0.5 / divisor
    expect(numbers(net.blobs.in0.diffArray)).toEqual(
      numbers(Float32Array.from(param ? [-half, 0, half, 0, 0, -half, 0, half] : [-half, half, -half, half])),
    )
  })

  test('all labels ignored: loss 0, gradient 0, divisor 1', async () => {
    const net = await netOf([[2, 3], [2]], layer('loss_param { ignore_label: 7 }'), { engine })
    await net.forward({ in0: [1, 2, 3, 4, 5, 6], in1: [7, 7] })
    expect(net.blobs.l.dataArray[0]).toBe(0)
    await net.backward()
    expect(net.blobs.in0.diffArray.every(value => value === 0)).toBe(true)
  })

  test('a hopeless probability costs 87.3365', async () => {
    const net = await netOf([[1, 2], [1]], layer(), { engine })
    await net.forward({ in0: [1000, -1000], in1: [1] })
    expect(net.blobs.l.dataArray[0]).toBeCloseTo(87.3365, 3)
  })

  test('a label that is no class is an error that names it', async () => {
    for (const [label, text] of [
      [3, '3'],
      [-1, '-1'],
      [Number.NaN, 'NaN'],
    ] as const) {
      const net = await netOf([[2, 3], [2]], layer('loss_param { ignore_label: 255 }'), { engine })
      await expect(net.forward({ in0: [1, 2, 3, 4, 5, 6], in1: [255, label] })).rejects.toThrow(
        new RegExp(`layer 'l' \\(SoftmaxWithLoss\\): label 1 of 'in1' is ${text}`),
      )
    }
  })

  test.each([
    ['', [[4, 5], { shape: [4], labels: 5 }]],
    ['softmax_param { axis: -1 } loss_param { normalization: FULL }', [[2, 3, 4], { shape: [2, 3], labels: 4 }]],
    ['loss_param { ignore_label: 0 }', [[2, 3, 2, 3], { shape: [2, 1, 2, 3], labels: 3 }]],
  ])('checks: %s', async (param, bottoms) => {
    await checkLayer(SoftmaxWithLossLayer, { param, bottoms: bottoms as never, engine })
  })
})

test('what Caffe refuses', async () => {
  await expect(netOf([[2, 4], [3]], layer())).rejects.toThrow(/layer 'l' \(SoftmaxWithLoss\)/)
  await expect(netOf(shapesOf('2×4 2×2'), layer())).rejects.toThrow(
    /label 'in1' .* must hold|'in1' .* must hold 2 values/,
  )
  await expect(netOf([[2, 4], [2]], layer('', 'top: "l" top: "p"'))).rejects.toThrow(/takes exactly 1 top/)
})

test('a label that something learns has no gradient to give', async () => {
  const net = await netOf(
    shapesOf('2×4 2×3'),
    `layer { name: "ip" type: "InnerProduct" bottom: "in1" top: "ip" inner_product_param { num_output: 1 weight_filler { value: 0 } } }
     layer { name: "l" type: "SoftmaxWithLoss" bottom: "in0" bottom: "ip" top: "l" }`,
  )
  await net.forward({ in0: new Float32Array(8), in1: new Float32Array(6) })
  await expect(net.backward()).rejects.toThrow(/layer 'l' \(SoftmaxWithLoss\): .*'ip'/)
})

test('a label is a class, not a number near one', async () => {
  const net = await netOf([[2, 4], [2]], layer())
  const pass = (label: number) => net.forward({ in0: new Float32Array(8), in1: [0, label] })
  await expect(pass(0.9)).rejects.toThrow(
    "label 1 of 'in1' is 0.8999999761581421: labels are whole numbers and count from",
  )
  await expect(pass(-0.5)).rejects.toThrow(/whole numbers/)
  await expect(pass(4)).rejects.toThrow("label 1 of 'in1' is 4: labels count from 0 to 3")
})
