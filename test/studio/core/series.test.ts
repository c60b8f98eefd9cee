/** Events in files, and curves of them. */
import { expect, test } from 'vitest'
import type { JobEvent } from '../../../lib/studio/api/index.js'
import { EventTail, EventWriter, parseEvents } from '../../../lib/studio/core/events.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { SeriesOf, thinned } from '../../../lib/studio/core/series.js'
import { readText } from '../../../lib/studio/core/store.js'

const FILE = 'jobs/x/events.jsonl'

test('events are numbered without a gap over attempts; half a line of a killed one is cut', async () => {
  const store = memoryStore()
  const first = await EventWriter.open(store, FILE, () => 7)
  first.emit({ kind: 'start', attempt: 1, iter: 0 })
  first.emit({ kind: 'log', text: 'ünder way' })
  await store.write(FILE, `${await readText(store, FILE)}{"seq":3,"t":7,"ki`)
  const tail = new EventTail(store, FILE)
  expect((await tail.next()).map(event => event.seq)).toEqual([1, 2])
  const second = await EventWriter.open(store, FILE, () => 8)
  expect(second.earlier).toHaveLength(2)
  second.emit({ kind: 'done' })
  expect(await tail.next()).toEqual([{ seq: 3, t: 8, kind: 'done' }])
  expect(await tail.next()).toEqual([])
  const { events } = parseEvents((await store.read(FILE))!)
  expect(events.map(event => event.seq)).toEqual([1, 2, 3])
})

const train = (seq: number, iter: number, loss: number): JobEvent => ({
  seq,
  t: seq * 1000,
  kind: 'train',
  iter,
  lr: 0.1,
  loss,
})

test('an attempt tells again what it repeats: points from its start on are replaced', () => {
  const series = new SeriesOf()
  const start = { kind: 'start', iterationsPerEpoch: 50 } as const
  const told: JobEvent[] = [
    { ...start, seq: 1, t: 1000, attempt: 1, iter: 0 },
    train(2, 0, 5),
    { seq: 3, t: 3000, kind: 'test', iter: 10, outputs: { accuracy: 0.1 } },
    train(4, 10, 4),
    train(5, 20, 3),
    { ...start, seq: 6, t: 60_000, attempt: 2, iter: 10 },
    { seq: 7, t: 61_000, kind: 'test', iter: 10, outputs: { accuracy: 0.1 } },
    { ...train(8, 10, 4), t: 62_000 },
    { ...train(9, 20, 2.5), t: 63_000, outputs: { loss: 2.5, top5: 0.5 } } as JobEvent,
  ]
  for (const event of told) series.add(event)
  const { series: curves, iterationsPerEpoch, seconds, total } = series.metrics()
  expect(curves).toEqual({
    loss: { iters: [0, 10, 20], values: [5, 4, 2.5] },
    lr: { iters: [0, 10, 20], values: [0.1, 0.1, 0.1] },
    'val accuracy': { iters: [10], values: [0.1] },
    'train top5': { iters: [20], values: [0.5] },
  })
  expect(iterationsPerEpoch).toBe(50)
  // the pause between the attempts is no work
  expect(seconds).toEqual([1, 6, 7])
  expect(total).toBe(8)
  expect([...series.tests]).toEqual([[10, { accuracy: 0.1 }]])
})

test('thinning keeps every extreme, the ends, and one point beyond each edge', () => {
  const count = 100_000
  const iters = Float64Array.from({ length: count }, (_, i) => i * 10)
  const values = Float64Array.from({ length: count }, (_, i) => Math.sin(i / 1000))
  values[12_345] = 99
  values[67_890] = -99
  values[50_000] = Number.NaN
  const chosen = thinned(iters, values, 0, Number.POSITIVE_INFINITY, 2000)
  expect(chosen.length).toBeLessThanOrEqual(2000)
  expect(chosen[0]).toBe(0)
  expect(chosen.at(-1)).toBe(count - 1)
  expect(chosen).toContain(12_345)
  expect(chosen).toContain(67_890)
  expect(chosen).toEqual([...chosen].sort((a, b) => a - b))
  expect(thinned(iters, values, 1005, 1035, 100)).toEqual([100, 101, 102, 103, 104])
  expect(thinned(iters.subarray(0, 0), values.subarray(0, 0), 0, 9, 5)).toEqual([])
})
