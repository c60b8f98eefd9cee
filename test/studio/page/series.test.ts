import { describe, expect, test } from 'vitest'
import { align, csv, smooth, tickSteps } from '../../../lib/studio/page/parts/series.js'

describe('lines over one x', () => {
  test('every x stands once, and what a line has not got is null', () => {
    const [x, a, b] = align([
      { x: [1, 2, 4], y: [10, 20, 40] },
      { x: [2, 3], y: [0.2, 0.3] },
    ])
    expect(x).toEqual([1, 2, 3, 4])
    expect(a).toEqual([10, 20, null, 40])
    expect(b).toEqual([null, 0.2, 0.3, null])
  })

  test('lines of one x keep their values as they are', () => {
    const y = [1, 2]
    expect(
      align([
        { x: [0, 1], y },
        { x: [0, 1], y: [3, 4] },
      ]),
    ).toEqual([[0, 1], y, [3, 4]])
  })

  test('no lines, and lines without a value', () => {
    expect(align([])).toEqual([[]])
    expect(
      align([
        { x: [], y: [] },
        { x: [5], y: [1] },
      ]),
    ).toEqual([[5], [null], [1]])
  })

  test('smoothing begins at the first value, stays within the values, and lets what is not finite through', () => {
    expect(smooth([4, 4, 4], 0.9)).toEqual([4, 4, 4].map(value => expect.closeTo(value, 12)))
    const [, second] = smooth([0, 1], 0.5)
    expect(second).toBeCloseTo(2 / 3, 12)
    expect(smooth([1, Number.NaN, 1], 0.5)[1]).toBeNaN()
    expect(smooth([1, Number.NaN, 1], 0.5)[2]).toBeCloseTo(1, 12)
  })

  test('ticks over iterations are at whole ones, over parts of epochs between them', () => {
    const whole = tickSteps([{ x: [0, 1, 25] }, { x: [] }])
    expect(whole.slice(0, 7)).toEqual([1, 2, 5, 10, 20, 25, 50])
    expect(whole.every(Number.isInteger)).toBe(true)
    const parts = tickSteps([{ x: [0, 0.5, 1] }])
    expect(parts).toContain(0.25)
    expect(parts).toEqual(parts.toSorted((a, b) => a - b))
  })

  test('a table has a line for each x and quotes what lines are called', () => {
    const lines = [{ label: 'loss, "all"', x: [1, 2], y: [0.5, 0.25], axis: 'left' as const }]
    expect(csv('Iteration', lines)).toBe('Iteration,"loss, ""all"""\n1,0.5\n2,0.25\n')
  })
})
