import { describe, expect, test } from 'vitest'
import type { JobEvent, Metrics } from '../../../lib/studio/api/index.js'
import { curvesOf, lossLines, rateLine, withEvents } from '../../../lib/studio/page/training_lines.js'

const metrics: Metrics = {
  series: {
    loss: { iters: [10, 20, 30], values: [2, 1, 0.5] },
    lr: { iters: [10, 20, 30], values: [0.1, 0.1, 0.1] },
    'val accuracy': { iters: [20], values: [0.9] },
  },
  total: 3,
  iterationsPerEpoch: 20,
  seconds: [1, 2, 3],
}
const event = (some: object): JobEvent => ({ seq: 1, t: 0, ...some }) as JobEvent

describe('curves of a training', () => {
  test('events stand behind what was read, and none twice', () => {
    const curves = withEvents(curvesOf(metrics), [
      event({ kind: 'train', iter: 30, lr: 0.1, loss: 9 }),
      event({ kind: 'train', iter: 40, lr: 0.01, loss: 0.4, iterationsPerSecond: 100 }),
      event({ kind: 'test', iter: 40, outputs: { accuracy: 0.95, loss: 0.3 } }),
    ])
    expect(curves.series.loss).toEqual({ iters: [10, 20, 30, 40], values: [2, 1, 0.5, 0.4] })
    expect(curves.series['val accuracy'].values).toEqual([0.9, 0.95])
    expect(curves.series['val loss'].values).toEqual([0.3])
    expect(curves.speed).toBe(100)
    // what was read is as it was
    expect(metrics.series.loss.iters).toEqual([10, 20, 30])
  })

  test('a start from a snapshot takes back what happens again', () => {
    const curves = withEvents(curvesOf(metrics), [
      event({ kind: 'start', attempt: 2, iter: 20, resumedFrom: 'snapshots/iter_20' }),
      event({ kind: 'train', iter: 20, lr: 0.1, loss: 0.9 }),
      event({ kind: 'train', iter: 30, lr: 0.1, loss: 0.6 }),
    ])
    expect(curves.series.loss).toEqual({ iters: [10, 20, 30], values: [2, 0.9, 0.6] })
    expect(curves.series['val accuracy'].iters).toEqual([])
    expect(curves.starts).toEqual([20])
  })

  test('the rate has a chart of its own, shares the right axis', () => {
    const curves = curvesOf(metrics)
    expect(lossLines(curves).map(({ label, axis }) => [label, axis])).toEqual([
      ['train loss', 'left'],
      ['val accuracy', 'right'],
    ])
    expect(rateLine(curves).map(({ label }) => label)).toEqual(['lr'])
  })
})
