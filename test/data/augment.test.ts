import { describe, expect, test } from 'vitest'
import { sampleWindows } from '../../lib/data/batch_sampler.js'
import { type Box, coverageOf, inWindow, overlapOf } from '../../lib/data/boxes.js'
import type { PlanarImage } from '../../lib/data/image.js'
import { distortPicture, fromHsv, spoilPicture, toHsv } from '../../lib/data/picture_colours.js'
import { interpolate, resizePicture } from '../../lib/data/picture_resize.js'
import { NetError } from '../../lib/errors.js'
import { RandomStream } from '../../lib/rng.js'

const random = () => new RandomStream(3, 'test')
const grey = (height: number, width: number, ...values: number[]): PlanarImage => ({
  channels: 1,
  height,
  width,
  data: Uint8Array.from(values),
})
/** One pixel, planes B, G, R. */
const pixel = (...values: number[]): PlanarImage => ({
  channels: 3,
  height: 1,
  width: 1,
  data: Uint8Array.from(values),
})
const box = (xmin: number, ymin: number, xmax: number, ymax: number): Box => ({ xmin, ymin, xmax, ymax })

describe('boxes', () => {
  test('overlap, coverage and parts of a window', () => {
    expect(overlapOf(box(0, 0, 0.5, 0.5), box(0.25, 0, 0.75, 0.5))).toBeCloseTo(1 / 3, 12)
    expect(overlapOf(box(0, 0, 0.5, 0.5), box(0.5, 0, 0.75, 0.5))).toBe(0)
    expect(coverageOf(box(0, 0, 0.5, 0.5), box(0.25, 0, 1, 1))).toBe(0.5)
    expect(inWindow(box(0, 0, 0.5, 0.5), box(0.25, 0, 0.75, 1))).toEqual(box(0, 0, 0.5, 0.5))
    expect(inWindow(box(0, 0, 0.25, 0.5), box(0.25, 0, 0.75, 1))).toBeUndefined()
    expect(inWindow(box(Number.NaN, 0, 1, 1), box(0, 0, 1, 1))).toBeUndefined()
  })
})

describe('batch samplers', () => {
  const truths = [box(0.1, 0.1, 0.6, 0.7), box(0.5, 0.5, 0.9, 0.9)]
  const sampler = { min_scale: 0.3, max_scale: 1, min_aspect_ratio: 0.5, max_aspect_ratio: 2 }
  test('windows lie in the picture and are as large and as wide as asked for', () => {
    const windows = sampleWindows([{ sampler, max_trials: 200 }], truths, random())
    expect(windows).toHaveLength(200)
    for (const { xmin, ymin, xmax, ymax } of windows) {
      const [w, h] = [xmax - xmin, ymax - ymin]
      expect(Math.min(xmin, ymin)).toBeGreaterThanOrEqual(0)
      expect(Math.max(xmax, ymax)).toBeLessThanOrEqual(1 + 1e-12)
      expect(Math.sqrt(w * h)).toBeGreaterThan(0.3 - 1e-9)
      expect(w / h).toBeGreaterThan(0.5 - 1e-9)
      expect(w / h).toBeLessThan(2 + 1e-9)
    }
  })
  test('each constraint holds with one truth, and at most max_sample are kept', () => {
    const draw = (sample_constraint: object, max_sample?: number) =>
      sampleWindows([{ sampler, sample_constraint, max_sample, max_trials: 500 }], truths, random())
    const some = (windows: Box[], holds: (window: Box, truth: Box) => boolean) => {
      expect(windows.length).toBeGreaterThan(3)
      expect(windows.length).toBeLessThan(500)
      for (const window of windows) expect(truths.some(truth => holds(window, truth))).toBe(true)
    }
    some(draw({ min_jaccard_overlap: 0.5 }), (w, t) => overlapOf(w, t) >= 0.5)
    some(draw({ max_jaccard_overlap: 0.1 }), (w, t) => overlapOf(w, t) <= 0.1)
    some(draw({ min_sample_coverage: 0.7 }), (w, t) => coverageOf(w, t) >= 0.7)
    some(
      draw({ min_object_coverage: 0.9, max_sample_coverage: 0.4 }),
      (w, t) => coverageOf(t, w) >= 0.9 && coverageOf(w, t) <= 0.4,
    )
    expect(draw({ min_jaccard_overlap: 0.3 }, 2)).toHaveLength(2)
    expect(sampleWindows([{ sampler, sample_constraint: { min_jaccard_overlap: 0.1 } }], [], random())).toEqual([])
    expect(sampleWindows([{ use_original_image: false }], truths, random())).toEqual([])
  })
})

describe('resizing', () => {
  const square = grey(4, 4, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150)
  test('AREA is the mean of what a pixel covers, NEAREST its first pixel', () => {
    expect([...interpolate(square, 2, 2, 'AREA').data]).toEqual([25, 45, 105, 125])
    expect([...interpolate(square, 2, 2, 'NEAREST').data]).toEqual([0, 20, 80, 100])
    // (0 + 10/3) / (4/3) = 2.5, which goes to the even number
    expect([...interpolate(grey(1, 4, 0, 10, 20, 30), 1, 3, 'AREA').data]).toEqual([2, 15, 28])
  })
  test('CUBIC and LANCZOS4 keep what is even and go through what stands in the middle', () => {
    for (const mode of ['CUBIC', 'LANCZOS4', 'AREA', 'LINEAR', 'NEAREST'] as const) {
      expect([...interpolate(grey(2, 3, 7, 7, 7, 7, 7, 7), 5, 4, mode).data]).toEqual(Array(20).fill(7))
      // each third new pixel lies on an old one
      const line = grey(1, 5, 10, 200, 30, 90, 60)
      const wide = interpolate(line, 1, 15, mode).data
      expect([wide[1], wide[4], wide[7], wide[10], wide[13]], mode).toEqual([10, 200, 30, 90, 60])
    }
    // weights at a quarter for a = −¾: −0.105, 0.879, 0.262, −0.035
    expect(interpolate(grey(1, 4, 0, 0, 32, 32), 1, 8, 'CUBIC').data[3]).toBe(7)
  })
  test('by the shorter side, or with a border; boxes move with the picture', () => {
    const small = resizePicture(
      grey(2, 4, ...Array(8).fill(9)),
      { resize_mode: 'FIT_SMALL_SIZE', height: 3, width: 3 },
      random(),
    )
    expect([small.image.height, small.image.width]).toEqual([3, 6])
    expect(small.place(box(0, 0, 0.5, 1))).toEqual(box(0, 0, 0.5, 1))
    const fit = { resize_mode: 'FIT_LARGE_SIZE_AND_PAD', height: 4, width: 4 } as const
    const wide = grey(2, 4, 1, 2, 3, 4, 5, 6, 7, 8)
    const large = resizePicture(wide, { ...fit, pad_value: [9] }, random())
    expect([...large.image.data]).toEqual([9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9])
    expect(large.place(box(0, 0, 0.5, 1))).toEqual(box(0, 0.25, 0.5, 0.75))
    expect([
      ...resizePicture(wide, { ...fit, pad_mode: 'REPEAT_NEAREST' }, random()).image.data.subarray(0, 4),
    ]).toEqual([1, 2, 3, 4])
    expect([...resizePicture(wide, { ...fit, pad_mode: 'MIRRORED' }, random()).image.data.subarray(0, 4)]).toEqual([
      5, 6, 7, 8,
    ])
    expect(() => resizePicture(wide, { ...fit, pad_value: [1, 2] }, random())).toThrow(NetError)
  })
})

describe('colours', () => {
  test('hue, saturation and value are those of the eight-bit definition, and lead back', () => {
    // B, G, R
    for (const [bgr, hsv] of [
      [
        [0, 0, 255],
        [0, 255, 255],
      ],
      [
        [0, 255, 255],
        [30, 255, 255],
      ],
      [
        [0, 255, 0],
        [60, 255, 255],
      ],
      [
        [255, 0, 0],
        [120, 255, 255],
      ],
      [
        [255, 0, 255],
        [150, 255, 255],
      ],
      [
        [100, 50, 200],
        [170, 191, 200],
      ],
      [
        [80, 80, 80],
        [0, 0, 80],
      ],
    ]) {
      expect([...toHsv(pixel(...bgr)).data]).toEqual(hsv)
      fromHsv(pixel(...hsv)).data.forEach((value, c) => {
        expect(Math.abs(value - bgr[c])).toBeLessThanOrEqual(1)
      })
    }
  })
  test('each distortion by itself, within a byte', () => {
    const always = (param: object) => [...distortPicture(pixel(100, 50, 200), param, random()).data]
    const brighter = always({ brightness_prob: 1, brightness_delta: 32 })
    const delta = brighter[0] - 100
    expect(Math.abs(delta)).toBeLessThanOrEqual(32)
    expect(delta).not.toBe(0)
    expect(brighter).toEqual([100 + delta, 50 + delta, 200 + delta])
    expect(always({ contrast_prob: 1, contrast_lower: 1.5, contrast_upper: 1.5 })).toEqual([150, 75, 255])
    expect(always({ saturation_prob: 1, saturation_lower: 0, saturation_upper: 0 })).toEqual([200, 200, 200])
    const [b, g, r] = always({ hue_prob: 1, hue_delta: 90 })
    expect([Math.min(b, g, r), Math.max(b, g, r)]).toEqual([50, 200])
    expect([b, g, r]).not.toEqual([100, 50, 200])
    const orders = Array.from({ length: 30 }, (_, i) => {
      const stream = random()
      stream.iteration = i
      return [...distortPicture(pixel(1, 2, 3), { random_order_prob: 1 }, stream).data].join()
    })
    expect(new Set(orders).size).toBe(6)
    expect(always({})).toEqual([100, 50, 200])
    expect([
      ...distortPicture(grey(1, 1, 9), { saturation_prob: 1, hue_prob: 1, random_order_prob: 1 }, random()).data,
    ]).toEqual([9])
  })
  test('noise, by hand', () => {
    const of = (image: PlanarImage, param: object) => [...spoilPicture(image, param, random()).data]
    expect(of(pixel(100, 50, 200), { decolorize: true })).toEqual([101, 101, 101]) // 11.4 + 29.35 + 59.8
    expect(of(grey(1, 3, 0, 130, 255), { inverse: true })).toEqual([255, 125, 0])
    expect(of(grey(1, 3, 0, 130, 255), { posterize: true })).toEqual([32, 160, 224])
    expect(of(grey(3, 3, 9, 9, 9, 9, 1, 9, 9, 9, 9), { erode: true })).toEqual([9, 1, 9, 1, 1, 1, 9, 1, 9])
    // 4 values, the first taken once: 0, ⅓, ⅔, 1 of 255
    expect(of(grey(2, 2, 10, 20, 30, 40), { hist_eq: true })).toEqual([0, 85, 170, 255])
    expect(of(grey(2, 2, 10, 10, 10, 10), { hist_eq: true })).toEqual([10, 10, 10, 10])
    expect(of(grey(3, 3, ...Array(9).fill(77)), { gauss_blur: true })).toEqual(Array(9).fill(77))
    const line = of(grey(1, 9, 0, 0, 0, 0, 255, 0, 0, 0, 0), { gauss_blur: true })
    expect(line).toEqual([0, 9, 28, 55, 69, 55, 28, 9, 0]) // 255 · exp(−k²/4.5) / 3.6943
    const peppered = of(grey(10, 10, ...Array(100).fill(5)), {
      saltpepper: true,
      saltpepper_param: { fraction: 0.2, value: [99] },
    })
    const changed = peppered.filter(value => value === 99).length
    expect(changed).toBeGreaterThan(10)
    expect(changed).toBeLessThanOrEqual(20)
    expect(of(pixel(0, 255, 0), { convert_to_hsv: true })).toEqual([60, 255, 255])
    for (const field of ['clahe', 'convert_to_lab']) expect(() => of(pixel(1, 2, 3), { [field]: true })).toThrow(field)
    expect(() => of(pixel(1, 2, 3), { jpeg: 50 })).toThrow('jpeg')
  })
})
