import { describe, expect, test } from 'vitest'
import { CorrelationLayer } from '../../lib/layers/correlation.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) => `type: "Correlation" correlation_param { ${fields} }`

describe.each(hostEngines)('Correlation on %s', engine => {
  test('hand-worked: a row, displacements −1, 0, 1 of it and the same of rows that are not there', async () => {
    const a = { shape: [1, 2, 1, 2], values: [1, 2, 3, 4] }
    const b = { shape: [1, 2, 1, 2], values: [5, 6, 7, 8] }
    const run = await handPass(layer('kernel_size: 1 max_displacement: 1 pad: 1'), [a, b], { engine })
    expect(run.shapes[0]).toEqual([1, 9, 1, 2])
    // means over two channels
    const [left, same, right] = [
      [0, (2 * 5 + 4 * 7) / 2],
      [(5 + 21) / 2, (12 + 32) / 2],
      [(6 + 24) / 2, 0],
    ]
    expect(run.y[0]).toEqual([0, 0, 0, 0, 0, 0, ...left, ...same, ...right, 0, 0, 0, 0, 0, 0])
  })

  test('hand-worked: SUBTRACT, what is outside is 0', async () => {
    const a = { shape: [1, 1, 1, 2], values: [1, -2] }
    const b = { shape: [1, 1, 1, 2], values: [5, 6] }
    const fields = 'kernel_size: 1 max_displacement: 1 pad: 1 correlation_type: SUBTRACT'
    const run = await handPass(layer(fields), [a, b], {
      engine,
      dy: [[...Array(6).fill(0), 1, 2, 3, 4, 5, 6, ...Array(6).fill(0)]],
    })
    expect(run.y[0]).toEqual([1, 2, 1, 2, 1, 2, 1, 7, 4, 8, 5, 2, 1, 2, 1, 2, 1, 2])
    expect(run.dx[0]).toEqual([1 - 3 - 5, -2 - 4 - 6])
    expect(run.dx[1]).toEqual([2 + 3, 4 + 5])
  })

  test('a kernel, strides and padding: as the formula says, place by place', async () => {
    const shape = [2, 2, 6, 7]
    const at = (seed: number) => Array.from({ length: 168 }, (_, i) => Math.sin(seed * (i + 1)))
    const [a, b] = [at(1.1), at(0.7)]
    const run = await handPass(
      layer('kernel_size: 3 max_displacement: 2 pad: 2 stride_1: 2 stride_2: 2'),
      [
        { shape, values: a },
        { shape, values: b },
      ],
      { engine },
    )
    expect(run.shapes[0]).toEqual([2, 9, 2, 3])
    const pixel = (values: number[], n: number, c: number, y: number, x: number) =>
      y < 0 || x < 0 || y >= 6 || x >= 7 ? 0 : values[((n * 2 + c) * 6 + y) * 7 + x]
    let k = 0
    for (let n = 0; n < 2; n++)
      for (const dy of [-2, 0, 2])
        for (const dx of [-2, 0, 2])
          for (let i = 0; i < 2; i++)
            for (let j = 0; j < 3; j++) {
              let sum = 0
              for (let c = 0; c < 2; c++)
                for (let v = 0; v < 3; v++)
                  for (let u = 0; u < 3; u++)
                    sum += pixel(a, n, c, 2 * i + v, 2 * j + u) * pixel(b, n, c, 2 * i + v + dy, 2 * j + u + dx)
              expect(run.y[0][k++]).toBeCloseTo(sum / 18, 5)
            }
  })

  test.each([
    'kernel_size: 1 max_displacement: 2 pad: 2 stride_2: 2',
    'kernel_size: 3 max_displacement: 1 pad: 1 stride_1: 2',
    'kernel_size: 1 max_displacement: 1 correlation_type: SUBTRACT',
  ])('checks: %s', { tags: 'long' }, async fields => {
    // the second picture is well above the first, whose |a − b| have no kinks
    const values = Array.from({ length: 60 }, (_, i) => 3 + Math.sin(i))
    await checkLayer(CorrelationLayer, {
      param: `correlation_param { ${fields} }`,
      bottoms: [[1, 2, 5, 6], { shape: [1, 2, 5, 6], values }],
      reshapeTo: [[1, 1, 5, 6], { shape: [1, 1, 5, 6], values: values.slice(0, 30) }],
      engine,
    })
  })
})

test('refuses', async () => {
  const shapes = shapesOf('1×2×4×4 1×2×4×4')
  await expect(handNet(layer('kernel_size: 1'), shapes)).rejects.toThrow(/needs kernel_size and max_displacement/)
  await expect(handNet(layer('kernel_size: 2 max_displacement: 1'), shapes)).rejects.toThrow(
    /kernel_size: 2 must be odd/,
  )
  await expect(handNet(layer('kernel_size: 1 max_displacement: 2'), shapes)).rejects.toThrow(/leave nothing/)
  await expect(handNet(layer('kernel_size: 1 max_displacement: 1 stride_2: 0'), shapes)).rejects.toThrow(
    /must be at least 1/,
  )
  await expect(handNet(layer('kernel_size: 1 max_displacement: 1 single_direction: 1'), shapes)).rejects.toThrow(
    /Correlation1D/,
  )
  await expect(handNet(layer('kernel_size: 1 max_displacement: 1'), shapesOf('1×2×4×4 1×2×4×5'))).rejects.toThrow(
    /one shape/,
  )
})
