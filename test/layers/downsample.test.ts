import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const row = (values: number[]) => [{ shape: [1, 1, 1, values.length], values }]
const param = (fields: string) => `type: "Downsample" downsample_param { ${fields} }`

describe.each(hostEngines)('Downsample on %s', engine => {
  const run = (values: number[], width: number) =>
    handPass(param(`top_height: 1 top_width: ${width}`), row(values), { engine, force: false })

  test('hand-worked: corners stay corners, neighbours within a step count by how near they are', async () => {
    // a step of 2: the middle takes its neighbours by half, the ends one each
    const { y, shapes } = await run([1, 2, 4, 8, 16], 3)
    expect(shapes[0]).toEqual([1, 1, 1, 3])
    const expected = [(1 + 2 / 2) / 1.5, (4 + (2 + 8) / 2) / 2, (16 + 8 / 2) / 1.5]
    expected.forEach((value, i) => {
      expect(y[0][i]).toBeCloseTo(value, 3)
    })
  })

  test('NaN is left out, unless it weighs more than half of the others', async () => {
    const { y } = await run([1, Number.NaN, 4, 8, Number.NaN], 3)
    expect(y[0][0]).toBe(1)
    expect(y[0][1]).toBeCloseTo((4 + 8 / 2) / 1.5, 5)
    expect(y[0][2]).toBeNaN()
  })

  test('takes the size of a second bottom; its own size stays', async () => {
    const x = { shape: [1, 2, 3, 3], values: Array.from({ length: 18 }, (_, i) => i) }
    const small = await handPass('type: "Downsample"', [x, { shape: [5, 1, 2, 2] }], { engine, force: false })
    expect(small.shapes[0]).toEqual([1, 2, 2, 2])
    const same = await handPass(param('top_height: 3 top_width: 3'), [x], { engine, force: false })
    expect(same.y[0]).toEqual(x.values)
  })
})

test.each([
  ['top_height: 2', [[1, 1, 4, 4]], /top_height: 2 and top_width: 0 must be at least 1/],
  ['top_height: 1 top_width: 2', [[1, 1, 4, 4]], /cannot be scaled down to 1×2/],
  ['top_height: 5 top_width: 2', [[1, 1, 4, 4]], /cannot be scaled down to 5×2/],
  ['', shapesOf('1×4 1×1×2×2'), /'in0' \(1×4\) must be N × C × H × W/],
])('refuses %s of %j', async (fields, shapes, message) => {
  await expect(handNet(param(fields), shapes, { force: false })).rejects.toThrow(message)
})
