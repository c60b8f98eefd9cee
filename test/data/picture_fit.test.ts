import { expect, test } from 'vitest'
import { fitPicture, type ResizeMode } from '../../lib/data/picture_fit.js'

/** 2 rows of 6 pixels: columns 10 … 60, the second row 100 more; a second plane one more of each. */
const wide = {
  channels: 2,
  height: 2,
  width: 6,
  data: Uint8Array.from(
    { length: 24 },
    (_, i) => 10 * (1 + (i % 6)) + 100 * (Math.floor(i / 6) % 2) + Math.floor(i / 12),
  ),
}

const rows = (mode: ResizeMode, height: number, width: number, picture = wide) => {
  const { channels, data, ...size } = fitPicture(picture, height, width, mode)
  expect(size).toEqual({ height, width })
  expect(data.length).toBe(channels * height * width)
  const all = Array.from({ length: channels * height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)])
  // the second plane goes where the first goes
  const seen = all.slice(0, height).map(row => row.map(value => value && value + 1))
  expect(all.slice(height)).toEqual(seen)
  return all.slice(0, height)
}

test('squash stretches both sides', () => {
  expect(rows('squash', 2, 3)).toEqual([
    [15, 35, 55],
    [115, 135, 155],
  ])
})

test('crop keeps the middle, on either axis', () => {
  expect(rows('crop', 2, 2)).toEqual([
    [30, 40],
    [130, 140],
  ])
  // an odd rest: one column more is cut on the right
  expect(rows('crop', 2, 3)).toEqual([
    [20, 30, 40],
    [120, 130, 140],
  ])
  const tall = { channels: 2, height: 6, width: 2, data: wide.data }
  expect(rows('crop', 2, 2, tall)).toEqual([
    [50, 60],
    [110, 120],
  ])
})

test('fill has black around, on either axis', () => {
  expect(rows('fill', 6, 6)).toEqual([
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0],
    [10, 20, 30, 40, 50, 60],
    [110, 120, 130, 140, 150, 160],
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0],
  ])
  expect(rows('fill', 2, 9)).toEqual([
    [0, 10, 20, 30, 40, 50, 60, 0, 0],
    [0, 110, 120, 130, 140, 150, 160, 0, 0],
  ])
})

test('half-crop lies between: some of the width goes, some of the height is black', () => {
  // 2×6 into 2×2: crop takes it as it is, fill a third of it; between is a half, 1×3, of which the middle two stay
  expect(rows('half-crop', 2, 2)).toEqual([
    [65, 85],
    [0, 0],
  ])
})

test('what has the right size, or the right ratio, is the same in every mode', () => {
  for (const mode of ['squash', 'crop', 'fill', 'half-crop'] as const) {
    expect(fitPicture(wide, 2, 6, mode).data).toEqual(wide.data)
    expect(fitPicture(wide, 4, 12, mode)).toEqual(fitPicture(wide, 4, 12, 'squash'))
  }
})

test('a sliver that would become larger than any picture on its way is refused', () => {
  const sliver = { channels: 1, height: 1, width: 40_000, data: new Uint8Array(40_000) }
  expect(() => fitPicture(sliver, 5000, 5000, 'crop')).toThrow('a picture of 40000×1 would become 200000000×5000')
})
