import { describe, expect, test } from 'vitest'
import { AbsValLayer } from '../../lib/layers/absval.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('AbsVal on %s', engine => {
  test('hand-worked: the gradient at 0 is 0', async () => {
    const { y, dx } = await handPass('type: "AbsVal"', [{ shape: [3], values: [-2, 0, 3] }], {
      engine,
      dy: [[10, 20, 30]],
    })
    expect(y[0]).toEqual([2, 0, 3])
    expect(dx[0]).toEqual([-10, 0, 30])
  })

  test('checks', async () => {
    await checkLayer(AbsValLayer, { bottoms: [[2, 3, 5, 7]], engine, kinkRange: 0.02, mode: 'elementwise' })
  })
})

test('refuses to work in place, as Caffe does', async () => {
  await expect(handNet('type: "AbsVal"', [[2]], { inPlace: true })).rejects.toThrow(/layer 'y' \(AbsVal\).*in place/)
})
