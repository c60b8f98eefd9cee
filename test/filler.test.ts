import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Blob } from '../lib/blob.js'
import { NetError } from '../lib/errors.js'
import { fillBlob } from '../lib/filler.js'
import type { FillerParameter, FillerType } from '../lib/generated/caffe.js'
import { parseText } from '../lib/proto/text.js'
import { RandomStream } from '../lib/rng.js'
import { goldenPath } from './golden.js'

interface FillerStats {
  filler: string
  shape: number[]
  count: number
  min: number
  max: number
  mean: number
  std: number
  zeros: number
  sum_of_each_output_min_max: [number, number]
}

function filled(shape: number[], filler: FillerParameter, seed = 3): Float32Array {
  const blob = new Blob(shape, undefined, 'ip[0]')
  fillBlob(blob, filler, new RandomStream(seed, 'filler ip 0'))
  return blob.dataArray
}

function moments(values: Float32Array): { mean: number; std: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return { mean, std: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) }
}

describe('ranges and moments as recorded', () => {
  const recorded: FillerStats[] = JSON.parse(readFileSync(goldenPath('nets/random_stats.json'), 'utf8')).fillers

  test.each(recorded)('$filler', expected => {
    const filler = parseText('FillerParameter', expected.filler)
    const values = filled(expected.shape, filler)
    expect(values).toHaveLength(expected.count)
    const { mean, std } = moments(values)
    const scale = Math.max(Math.abs(expected.mean), expected.std)
    expect(Math.abs(mean - expected.mean)).toBeLessThanOrEqual(0.03 * scale)
    expect(Math.abs(std - expected.std)).toBeLessThanOrEqual(0.03 * scale)
    const lowest = Math.min(...values)
    const highest = Math.max(...values)
    // the tails of a normal distribution end by chance, all others end where the filler says
    const slack = 0.03 * scale * (/gaussian|msra/.test(expected.filler) ? 50 : 1)
    expect(Math.abs(lowest - expected.min)).toBeLessThanOrEqual(slack)
    expect(Math.abs(highest - expected.max)).toBeLessThanOrEqual(slack)
    const zeros = values.filter(value => value === 0).length
    expect(Math.abs(zeros - expected.zeros)).toBeLessThanOrEqual(0.03 * expected.count)
    if (filler.type === 'positive_unitball') {
      const inputs = expected.count / expected.shape[0]
      for (let o = 0; o < expected.shape[0]; o++)
        expect(values.subarray(o * inputs, (o + 1) * inputs).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    }
  })

  test.each([
    ['FAN_IN', 6],
    ['FAN_OUT', 8],
    ['AVERAGE', 7],
  ] as const)('xavier and msra with %s: n = %i for (4, 3, 2, 1)', (variance_norm, n) => {
    const many = (type: FillerType) => {
      const runs = Array.from({ length: 400 }, (_, seed) => filled([4, 3, 2, 1], { type, variance_norm }, seed))
      return moments(Float32Array.from(runs.flatMap(values => [...values])))
    }
    expect(many('xavier').std / Math.sqrt(1 / n)).toBeCloseTo(1, 1)
    expect(many('msra').std / Math.sqrt(2 / n)).toBeCloseTo(1, 1)
    expect(Math.max(...filled([4, 3, 2, 1], { type: 'xavier', variance_norm }))).toBeLessThan(Math.sqrt(3 / n))
  })
})

test('bilinear, hand-worked: kernel 4 is the product of ¼ ¾ ¾ ¼ with itself, kernel 3 of ½ 1 ½… in each plane', () => {
  const side = [0.25, 0.75, 0.75, 0.25]
  const plane = side.flatMap(y => side.map(x => x * y))
  expect([...filled([2, 1, 4, 4], { type: 'bilinear' })]).toEqual([...plane, ...plane])
  const odd = [0.5, 1, 0.5]
  expect([...filled([1, 1, 3, 3], { type: 'bilinear' })]).toEqual(odd.flatMap(y => odd.map(x => x * y)))
})

test('the default is constant 0, and old values are overwritten', () => {
  const blob = new Blob([3])
  blob.dataArray.fill(7)
  fillBlob(blob, {}, new RandomStream(1, 'x'))
  expect([...blob.dataArray]).toEqual([0, 0, 0])
  expect([...filled([], { value: 2.5 })]).toEqual([2.5])
})

test('values depend on seed and stream alone', () => {
  for (const type of ['uniform', 'gaussian', 'xavier', 'msra', 'positive_unitball'] as const) {
    expect(filled([5, 7], { type }, 1)).toEqual(filled([5, 7], { type }, 1))
    expect(filled([5, 7], { type }, 1)).not.toEqual(filled([5, 7], { type }, 2))
  }
})

test('blobs without values are fine', () => {
  for (const type of ['constant', 'uniform', 'gaussian', 'xavier', 'msra', 'positive_unitball'] as const)
    expect(filled([0, 3], { type })).toHaveLength(0)
})

test.each<[FillerParameter, number[], RegExp]>([
  [
    { type: 'normal' as FillerType },
    [2],
    /blob 'ip\[0\]' \(2\) cannot be filled with type 'normal': there is no filler of that type; it is one of constant, uniform/,
  ],
  [{ type: 'toString' as FillerType }, [2], /type 'toString'/],
  [{ type: 'uniform', min: 2, max: 1 }, [2], /min: 2 is larger than max: 1/],
  [{ type: 'uniform', sparse: 3 }, [2], /sparse: 3 goes with type gaussian only/],
  [{ type: 'gaussian', std: 0 }, [2], /std: 0 must be positive/],
  [{ type: 'gaussian', std: -1 }, [2], /std: -1 must be positive/],
  [{ type: 'gaussian', sparse: 3 }, [2, 5], /sparse: 3 must lie between 0 and the number of outputs, 2/],
  [{ type: 'xavier' }, [], /needs at least one axis/],
  [{ type: 'bilinear' }, [3, 4, 4], /four axes/],
  [{ type: 'bilinear' }, [1, 1, 3, 4], /square/],
])('%j is refused', (filler, shape, message) => {
  expect(() => filled(shape, filler)).toThrow(NetError)
  expect(() => filled(shape, filler)).toThrow(message)
})

describe('gabor, which Intel Caffe has', () => {
  // sums over a build of its header: of all values, and of value · (7i mod 13)
  test.each([
    [32, 5, 15.6798005, 100.177735],
    [64, 7, -12.0120188, -102.472101],
    [64, 3, -4.06699634, -30.5691962],
    [96, 11, -4.40789509, -29.0818865],
  ])('%i filters of side %i', (count, side, sum, weighted) => {
    const values = filled([count, 3, side, side], { type: 'gabor' })
    expect(values.reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 4)
    expect(values.reduce((total, value, i) => total + value * ((7 * i) % 13), 0)).toBeCloseTo(weighted, 3)
  })

  test('hand-worked: in the middle of the first filter of AlexNet all channels are cos(3π/8)/3; no seed changes it', () => {
    const values = filled([96, 3, 11, 11], { type: 'gabor' })
    for (const c of [0, 1, 2]) expect(values[c * 121 + 60]).toBeCloseTo(Math.cos((3 * Math.PI) / 8) / 3, 6)
    expect(filled([96, 3, 11, 11], { type: 'gabor' }, 4)).toEqual(values)
  })

  test.each([[[96, 1, 11, 11]], [[96, 3, 11, 5]], [[64, 3, 11, 11]], [[96, 363]]])(
    '%s is refused, and what there is is listed',
    shape => {
      expect(() => filled(shape, { type: 'gabor' })).toThrow(NetError)
      expect(() => filled(shape, { type: 'gabor' })).toThrow(/type 'gabor': .*32×5, 64×7, 64×3, 96×11/)
    },
  )
})
