import { describe, expect, test } from 'vitest'
import { Blob } from '../../lib/index.js'
import { encodeLayerPicture, layerPicture, statisticsOf } from '../../lib/tools/index.js'

const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => i)

/** Rows of a grey picture. */
const rowsOf = ({ width, pixels, channels }: ReturnType<typeof layerPicture>) =>
  Array.from({ length: pixels.length / (width * channels) }, (_, y) =>
    Array.from(pixels.subarray(y * width * channels, (y + 1) * width * channels)),
  )

describe('activations', () => {
  test('planes side by side in a near-square, one pixel apart', () => {
    const picture = layerPicture({ data: ramp(2 * 5 * 1 * 2), shape: [2, 5, 1, 2] }, { item: 1, range: [0, 255] })
    expect(picture).toMatchObject({ columns: 3, rows: 2, channels: 1, plane: { width: 2, height: 1, count: 5 } })
    expect(rowsOf(picture)).toEqual([
      [10, 11, 0, 12, 13, 0, 14, 15],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [16, 17, 0, 18, 19, 0, 0, 0],
    ])
    expect(picture.statistics).toMatchObject({ count: 10, mean: 14.5, min: 10, max: 19 })
  })

  test('are scaled from the smallest to the largest value, or each plane by itself', () => {
    const data = [0, 1, 4, 8]
    expect(rowsOf(layerPicture({ data, shape: [1, 2, 1, 2] }))).toEqual([[0, 32, 0, 128, 255]])
    expect(rowsOf(layerPicture({ data, shape: [1, 2, 1, 2] }, { eachPlane: true }))).toEqual([[0, 255, 0, 0, 255]])
    expect(rowsOf(layerPicture({ data: [3, 3], shape: [1, 1, 1, 2] }))).toEqual([[128, 128]])
    const odd = [Number.NaN, 1, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY]
    const picture = layerPicture({ data: odd, shape: [1, 1, 1, 5] })
    expect(rowsOf(picture)).toEqual([[0, 0, 255, 255, 0]])
    expect(picture.statistics).toMatchObject({ notFinite: 3, min: 1, max: 2 })
  })

  test('a vector is a near-square of its values', () => {
    const picture = layerPicture({ data: ramp(10), shape: [2, 5] }, { range: [0, 255] })
    expect(rowsOf(picture)).toEqual([
      [0, 1, 2],
      [3, 4, 0],
    ])
    expect(layerPicture({ data: ramp(5), shape: [1, 5, 1, 1] })).toMatchObject({ width: 3, height: 2 })
    expect(picture.statistics).toMatchObject({ count: 5, notFinite: 0 })
    expect(layerPicture({ data: [7], shape: [] })).toMatchObject({ width: 1, height: 1 })
  })

  test('three planes are a picture in colour, B G R as in Caffe', () => {
    const picture = layerPicture({ data: [1, 2, 10, 20, 100, 200], shape: [1, 3, 1, 2] }, { range: [0, 255] })
    expect(picture.channels).toBe(3)
    expect(rowsOf(picture)).toEqual([[100, 10, 1, 200, 20, 2]])
    expect(layerPicture({ data: ramp(6), shape: [1, 3, 1, 2] }, { color: false })).toMatchObject({
      channels: 1,
      columns: 2,
    })
  })
})

describe('weights', () => {
  test('every filter, for each channel that it reads', () => {
    const picture = layerPicture({ data: ramp(8), shape: [2, 2, 1, 2] }, { weights: true, range: [0, 255] })
    expect(rowsOf(picture)).toEqual([
      [0, 1, 0, 2, 3],
      [0, 0, 0, 0, 0],
      [4, 5, 0, 6, 7],
    ])
  })

  test('filters of three channels are in colour, a matrix is one plane, a bias a vector', () => {
    expect(layerPicture({ data: ramp(60), shape: [5, 3, 2, 2] }, { weights: true })).toMatchObject({
      channels: 3,
      plane: { count: 5, width: 2, height: 2 },
    })
    expect(layerPicture({ data: ramp(6), shape: [2, 3] }, { weights: true })).toMatchObject({ width: 3, height: 2 })
    expect(layerPicture(new Blob([9]), { weights: true })).toMatchObject({ width: 3, height: 3 })
  })
})

test('is written as a PNG', async () => {
  const bytes = await encodeLayerPicture(layerPicture({ data: ramp(6), shape: [1, 3, 1, 2] }))
  expect(Array.from(bytes.subarray(0, 4))).toEqual([0x89, 0x50, 0x4e, 0x47])
  const sharp = (await import('sharp')).default
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height, info.channels]).toEqual([2, 1, 3])
  expect(Array.from(data)).toEqual(Array.from(layerPicture({ data: ramp(6), shape: [1, 3, 1, 2] }).pixels))
})

test('refuses what it cannot draw', () => {
  const data = ramp(8)
  expect(() => layerPicture({ data, shape: [2, 4] }, { item: 2 })).toThrow(/no item 2: the shape 2×4 has 2/)
  expect(() => layerPicture({ data, shape: [2, 5] })).toThrow(/the shape 2×5 has 10 values, there are 8/)
  expect(() => layerPicture({ data, shape: [1, 2, 2, 2] }, { color: true })).toThrow(/made of 3 planes, here are 2/)
  expect(() => layerPicture({ data: [], shape: [0, 4] })).toThrow(/0 values/)
})

test('statistics of values that lie far from zero, and of none', () => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 10))
  const { mean, std, histogram } = statisticsOf(values)
  expect(mean).toBeCloseTo(1e9 + 4.5, 6)
  expect(std).toBeCloseTo(Math.sqrt(8.25), 9)
  expect(histogram.reduce((a, b) => a + b)).toBe(1000)
  expect(statisticsOf(Float32Array.of(Number.NaN))).toMatchObject({ count: 1, mean: Number.NaN, notFinite: 1 })
  expect(statisticsOf(Float32Array.of(5, 5))).toMatchObject({ mean: 5, std: 0, histogram: [2, ...Array(19).fill(0)] })
})
