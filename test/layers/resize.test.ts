import { describe, expect, test } from 'vitest'
import { ResizeLayer } from '../../lib/layers/resize.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const resize = (fields: string) => `type: "Resize" resize_param { ${fields} }`
const x = [{ shape: [1, 1, 4], values: [1, 2, 3, 4] }]

describe.each(hostEngines)('Resize on %s', engine => {
  test.each([
    ['scale: 2', [1, 1, 2, 2, 3, 3, 4, 4]],
    ['size: 2 coordinates: ASYMMETRIC rounding: FLOOR', [1, 3]],
    ['scale: 2 method: LINEAR', [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]],
    ['size: 7 method: LINEAR coordinates: ALIGN_CORNERS', [1, 1.5, 2, 2.5, 3, 3.5, 4]],
    ['size: 8 method: LINEAR coordinates: ASYMMETRIC', [1, 1.5, 2, 2.5, 3, 3.5, 4, 4]],
    ['size: 1 method: LINEAR coordinates: PYTORCH_HALF_PIXEL', [1]],
    // at 0.5 the four weigh −3/32, 19/32, 19/32, −3/32
    ['size: 2 method: CUBIC', [1.40625, 3.59375]],
    ['size: 2 coordinates: TF_HALF_PIXEL_FOR_NN', [2, 4]],
    ['size: 2 rounding: ROUND_PREFER_CEIL', [2, 4]],
    ['size: 2 rounding: CEIL', [2, 4]],
  ])('hand-worked: %s', async (fields, y) => {
    const run = await handPass(resize(fields), x, { engine, dy: [y.map(() => 1)] })
    expect(run.y[0]).toEqual(y)
    // weights of each place add up to 1
    expect(run.dx[0].reduce((a, b) => a + b, 0)).toBeCloseTo(y.length, 4)
  })

  test('takes the places that onnxruntime takes, where float64 would lie just below one', async () => {
    const ten = [{ shape: [1, 1, 10], values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }]
    const run = await handPass(resize('scale: 0.6 coordinates: ASYMMETRIC rounding: FLOOR'), ten, { engine })
    expect(run.y[0]).toEqual([0, 1, 3, 5, 6, 8])
  })

  test.each([
    'size: 7 size: 2 method: LINEAR',
    'size: 3 size: 9 method: CUBIC cubic_coeff: -0.5 exclude_outside: true',
    'scale: 2.5 scale: 0.7',
    'size: 4 size: 4 method: LINEAR',
    'axis: 1 scale: 1 scale: 2 method: LINEAR coordinates: ALIGN_CORNERS',
  ])('checks with %s', async fields => {
    await checkLayer(ResizeLayer, { param: `resize_param { ${fields} }`, bottoms: [[2, 3, 4, 4]], engine })
  })
})

test('refuses', async () => {
  await expect(handNet(resize('scale: 4e8'), [[1, 1, 4]])).rejects.toThrow('axis 2 has 1600000000 places')
  await expect(handNet(resize(''), [[1, 1, 4]])).rejects.toThrow(/one of them is needed/)
  await expect(handNet(resize('scale: 0.1'), [[1, 1, 4]])).rejects.toThrow(
    /axis 2 of 'in0' \(1×1×4\) would have 0 places/,
  )
})
