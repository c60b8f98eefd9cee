import { expect, test } from 'vitest'
import { RistrettoError } from '../../lib/errors.js'
import { SegmentationTally } from '../../lib/tools/index.js'

/** Scores of 1 × C × 1 × W whose largest are at the classes given. */
const saying = (classes: number, ...said: number[]) => ({
  shape: [1, classes, 1, said.length],
  data: Array.from({ length: classes }, (_, c) => said.map(one => Number(one === c))).flat(),
})
const labels = (...data: number[]) => ({ shape: [1, 1, 1, data.length], data })

test('hand-worked: six places of three classes in two batches, one ignored', () => {
  const tally = new SegmentationTally({ ignore: [255] })
  tally.add(saying(4, 0, 0, 1, 2), labels(0, 1, 1, 255))
  tally.add(saying(4, 1, 1, 0), labels(1, 0, 0))
  const { pixelAccuracy, meanAccuracy, meanIou, classes } = tally.scores()
  // class 0: 3 places, said of 3, both: 2; class 1: 3 places, said of 3, both: 2
  expect(classes.slice(0, 2)).toEqual([
    { label: 0, places: 3, accuracy: 2 / 3, iou: 2 / 4 },
    { label: 1, places: 3, accuracy: 2 / 3, iou: 2 / 4 },
  ])
  // what is nowhere counts nowhere
  expect(classes[2]).toEqual({ label: 2, places: 0, accuracy: Number.NaN, iou: Number.NaN })
  expect([pixelAccuracy, meanAccuracy, meanIou]).toEqual([4 / 6, 2 / 3, 0.5])
})

test('a class that is said where it is not has an IoU of 0, and no accuracy', () => {
  const tally = new SegmentationTally()
  tally.add(saying(3, 2, 0), labels(0, 0))
  const { meanAccuracy, meanIou, classes } = tally.scores()
  expect(classes[2]).toEqual({ label: 2, places: 0, accuracy: Number.NaN, iou: 0 })
  expect([meanAccuracy, meanIou]).toEqual([0.5, 0.25])
})

test('one channel is the probability of class 1, the first of equal scores counts, nothing gives NaN', () => {
  const tally = new SegmentationTally()
  expect(tally.scores()).toEqual({
    pixelAccuracy: Number.NaN,
    meanAccuracy: Number.NaN,
    meanIou: Number.NaN,
    classes: [],
  })
  tally.add({ shape: [2, 1, 1, 2], data: [0.5, 0.6, 0.9, 0.1] }, labels(0, 1, 1, 0))
  expect(tally.scores().pixelAccuracy).toBe(1)
  const equal = new SegmentationTally()
  equal.add({ shape: [1, 2, 1], data: [3, 3] }, labels(0))
  expect(equal.scores().pixelAccuracy).toBe(1)
})

test('what does not fit is refused', () => {
  const tally = new SegmentationTally()
  const refused = (shape: number[], data: number[], why: RegExp) => {
    expect(() => tally.add({ shape, data: new Float32Array(4) }, labels(...data))).toThrow(RistrettoError)
    expect(() => tally.add({ shape, data: new Float32Array(4) }, labels(...data))).toThrow(why)
  }
  refused([4], [0], /scores of 4 and labels of 1×1×1×1: scores are N × C × places/)
  refused([1, 2, 2], [0], /there is a label for each of 2 places/)
  refused([1, 2, 2], [0, 2], /label 1 is 2; they count from 0 to 1/)
  refused([1, 2, 2], [0, 0.5], /label 1 is 0.5/)
  refused([1, 4, 1], [0], /4 classes now, 2 in the first batch/)
})
