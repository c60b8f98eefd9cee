import { describe, expect, test } from 'vitest'
import { ConcatLayer } from '../../lib/layers/concat.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { netOf } from './run.js'

const layer = (param = '') =>
  `layer { name: "c" type: "Concat" bottom: "in0" bottom: "in1" top: "c" concat_param { ${param} } }`

describe.each(hostEngines)('Concat on %s', engine => {
  test('hand-worked: along the last axis and back', async () => {
    const net = await netOf(shapesOf('2×1 2×2'), layer(), { engine })
    await net.forward({ in0: [1, 4], in1: [2, 3, 5, 6] })
    expect(net.blobs.c.shape).toEqual([2, 3])
    expect([...net.blobs.c.dataArray]).toEqual([1, 2, 3, 4, 5, 6])
    net.blobs.c.diffArray.set([10, 20, 30, 40, 50, 60])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([10, 40])
    expect([...net.blobs.in1.diffArray]).toEqual([20, 30, 50, 60])
  })

  test.each([
    ['concat_param { axis: 0 }', shapesOf('2×3 1×3 5×3')],
    ['concat_param { axis: -1 }', shapesOf('2×3×1 2×3×7')],
    ['concat_param { concat_dim: 1 }', shapesOf('2×3×2×1 2×0×2×1 2×1×2×1')],
    ['', [[2, 3]]],
  ])('checks: %s %j', async (param, bottoms) => {
    await checkLayer(ConcatLayer, { param, bottoms, engine })
  })
})

test('what is refused', async () => {
  await expect(netOf(shapesOf('2×4 3×4'), layer())).rejects.toThrow(
    /layer 'c' \(Concat\): 'in1' \(3×4\) does not fit behind 'in0' \(2×4\)/,
  )
  await expect(netOf(shapesOf('2×4 2×4×1'), layer())).rejects.toThrow(/does not fit/)
  await expect(netOf(shapesOf('2×4 2×4'), layer('axis: 1 concat_dim: 1'))).rejects.toThrow(
    /axis and concat_dim mean the same/,
  )
  await expect(netOf(shapesOf('2×4 2×4'), layer('concat_dim: 2'))).rejects.toThrow(/concat_dim: 2 is out of range/)
})
