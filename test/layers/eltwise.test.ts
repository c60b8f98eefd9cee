import { describe, expect, test } from 'vitest'
import { EltwiseLayer } from '../../lib/layers/eltwise.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { netOf } from './run.js'

const layer = (param = '', bottoms = 2) =>
  `layer { name: "e" type: "Eltwise" ${Array.from({ length: bottoms }, (_, i) => `bottom: "in${i}"`).join(' ')} top: "e" eltwise_param { ${param} } }`

describe.each(hostEngines)('Eltwise on %s', engine => {
  test.each([
    ['', [5, 7], [1, 10], [1, 10]],
    ['coeff: 2 coeff: -1', [1, -1], [2, 20], [-1, -10]],
    ['operation: PROD', [6, 10], [3, 50], [2, 20]],
    ['operation: MAX', [3, 5], [0, 0], [1, 10]],
  ])('hand-worked: %s', async (param, y, da, db) => {
    const net = await netOf([[2], [2]], layer(param), { engine })
    await net.forward({ in0: [2, 2], in1: [3, 5] })
    expect([...net.blobs.e.dataArray]).toEqual(y)
    net.blobs.e.diffArray.set([1, 10])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual(da)
    expect([...net.blobs.in1.diffArray]).toEqual(db)
  })

  test('MAX: of the first two the second wins a tie, a later one must be larger', async () => {
    const net = await netOf([[3], [3], [3]], layer('operation: MAX', 3), { engine })
    await net.forward({ in0: [1, 2, 1], in1: [1, 1, 1], in2: [1, 2, 3] })
    expect([...net.blobs.e.dataArray]).toEqual([1, 2, 3])
    net.blobs.e.diffArray.fill(1)
    await net.backward()
    expect(['in0', 'in1', 'in2'].map(name => [...net.blobs[name].diffArray])).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ])
  })

  test('PROD: the gradient is right where a factor is 0, also with stable_prod_grad: false', async () => {
    const net = await netOf([[2], [2]], layer('operation: PROD stable_prod_grad: false'), { engine })
    await net.forward({ in0: [0, 2], in1: [3, 4] })
    net.blobs.e.diffArray.fill(1)
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([3, 4])
  })

  test.each(['', 'coeff: 0.5 coeff: -2 coeff: 1', 'operation: PROD', 'operation: MAX'])('checks: %s', async param => {
    const bottoms = [0, 1, 2].map(() => [3, 7])
    await checkLayer(EltwiseLayer, {
      param: `eltwise_param { ${param} }`,
      bottoms,
      engine,
      mode: 'elementwise',
      rtol: 1e-5,
    })
  })
})

test('what is refused', async () => {
  await expect(netOf(shapesOf('2×4 2×3'), layer())).rejects.toThrow(
    /layer 'e' \(Eltwise\): 'in1' \(2×3\) and 'in0' \(2×4\) must have the same shape/,
  )
  await expect(netOf([[2], [2]], layer('coeff: 1'))).rejects.toThrow(/coeff is given 1 times for 2 bottoms/)
  await expect(netOf([[2], [2]], layer('operation: PROD coeff: 1 coeff: 1'))).rejects.toThrow(
    /coeff goes with operation: SUM only/,
  )
  await expect(netOf([[2]], layer('', 1))).rejects.toThrow(/takes at least 2 bottoms/)
  await expect(netOf([[2], [2]], layer().replace('top: "e"', 'top: "in0"'))).rejects.toThrow(/may not be its bottom/)
})
