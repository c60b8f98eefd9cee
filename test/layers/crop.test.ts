import { describe, expect, test } from 'vitest'
import { CropLayer } from '../../lib/layers/crop.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const whole = { shape: [1, 1, 3, 3], values: [1, 2, 3, 4, 5, 6, 7, 8, 9] }

describe.each(hostEngines)('Crop on %s', engine => {
  test.each([
    ['', [1, 2, 4, 5]],
    ['offset: 1', [5, 6, 8, 9]],
    ['offset: 0 offset: 1', [2, 3, 5, 6]],
  ])('hand-worked: %s', async (param, expected) => {
    const run = await handPass(`type: "Crop" crop_param { ${param} }`, [whole, { shape: [9, 9, 2, 2] }], {
      engine,
      dy: [[10, 20, 30, 40]],
    })
    expect(run.y[0]).toEqual(expected)
    expect(run.shapes[0]).toEqual([1, 1, 2, 2])
    const dx = Array<number>(9).fill(0)
    for (const [i, value] of expected.entries()) dx[value - 1] = 10 * (i + 1)
    expect(run.dx[0]).toEqual(dx)
  })

  test.each([
    '',
    'crop_param { axis: 0 offset: 1 }',
    'crop_param { axis: -1 offset: 2 }',
    'crop_param { axis: 1 offset: 1 offset: 0 offset: 2 }',
  ])('checks: %s', async param => {
    const bottoms = shapesOf('3×3×3×5 2×2×2×3')
    const reshapeTo = shapesOf('5×4×3×7 3×2×1×4')
    await checkLayer(CropLayer, { param, bottoms, engine, reshapeTo, mode: 'projected' })
  })
})

test('refuses what reaches outside, and the wrong number of offsets', async () => {
  const shapes = shapesOf('1×1×3×3 1×1×2×2')
  await expect(handNet('type: "Crop" crop_param { offset: 2 }', shapes)).rejects.toThrow(
    /axis 2 of 'in0' has 3 places, but offset 2 and the size 2/,
  )
  await expect(handNet('type: "Crop" crop_param { offset: [0, 0, 0] }', shapes)).rejects.toThrow(
    /offset is given 3 times/,
  )
  await expect(handNet('type: "Crop"', shapesOf('1×1×3×3 1×1'))).rejects.toThrow(/fewer axes/)
})
