import type { JobEvent, Metrics, MetricsQuery } from '../api/index.js'

/** Numbers that grow in number. */
class Column {
  private values = new Float64Array(256)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length++] = value
  }

  at(index: number): number {
    return this.values[index]
  }

  /** All of them, to look at until the next one comes. */
  get all(): Float64Array {
    return this.values.subarray(0, this.length)
  }
}

interface Series {
  readonly iters: Column
  readonly values: Column
  /** Seconds of work, of the loss alone. */
  readonly seconds?: Column
}

/** Curves of a model from its events. Points that an attempt tells again replace the earlier ones. */
export class SeriesOf {
  private readonly series = new Map<string, Series>()
  /** Outputs of tests by their iterations. */
  readonly tests = new Map<number, Readonly<Record<string, number>>>()
  private iterationsPerEpoch = 0
  /** When the current attempt began, and seconds of work before. */
  private began = 0
  private before = 0
  private last = 0

  add(event: JobEvent): void {
    if (event.kind === 'start') {
      this.before += this.began ? (this.last - this.began) / 1000 : 0
      this.began = event.t
      this.iterationsPerEpoch = event.iterationsPerEpoch ?? this.iterationsPerEpoch
      for (const { iters, values, seconds } of this.series.values()) {
        const kept = lowerBound(iters.all, event.iter)
        iters.length = kept
        values.length = kept
        if (seconds) seconds.length = kept
      }
      for (const iter of this.tests.keys()) if (iter >= event.iter) this.tests.delete(iter)
    }
    this.last = event.t
    if (event.kind === 'train') {
      this.push('loss', event.iter, event.loss, this.before + (event.t - this.began) / 1000)
      this.push('lr', event.iter, event.lr)
      for (const [name, value] of Object.entries(event.outputs ?? {}))
        if (name !== 'loss') this.push(`train ${name}`, event.iter, value)
    } else if (event.kind === 'test') {
      this.tests.set(event.iter, event.outputs)
      for (const [name, value] of Object.entries(event.outputs)) this.push(`val ${name}`, event.iter, value)
    }
  }

  private push(name: string, iter: number, value: number, seconds?: number): void {
    let series = this.series.get(name)
    if (!series) {
      series = {
        iters: new Column(),
        values: new Column(),
        ...(seconds === undefined ? {} : { seconds: new Column() }),
      }
      this.series.set(name, series)
    }
    series.iters.push(iter)
    series.values.push(value ?? Number.NaN)
    if (seconds !== undefined) series.seconds!.push(seconds)
  }

  metrics({ from = 0, to = Number.POSITIVE_INFINITY, points = 1000 }: MetricsQuery = {}): Metrics {
    const series: Record<string, { iters: number[]; values: number[] }> = {}
    let seconds: number[] = []
    let total = 0
    for (const [name, { iters, values, seconds: work }] of this.series) {
      total += iters.length
      const chosen = thinned(iters.all, values.all, from, to, points)
      series[name] = { iters: chosen.map(i => iters.at(i)), values: chosen.map(i => values.at(i)) }
      if (work) seconds = chosen.map(i => work.at(i))
    }
    return { series, total, iterationsPerEpoch: this.iterationsPerEpoch, seconds }
  }
}

/**
 * Indices of at most `points` points between two iterations: of every stretch the smallest and the largest value, in order,
 * and the ends. One pass over plain numbers takes less than a millisecond for 100,000: no pyramid is kept.
 */
export function thinned(iters: Float64Array, values: Float64Array, from: number, to: number, points: number): number[] {
  // one more at each side, so that lines go on to the edge
  const start = Math.max(0, lowerBound(iters, from) - 1)
  const end = Math.min(iters.length, lowerBound(iters, to) + 1)
  const count = end - start
  if (count <= Math.max(points, 4)) return Array.from({ length: Math.max(0, count) }, (_, i) => start + i)
  const stretches = Math.max(1, Math.floor((points - 2) / 2))
  const chosen = new Set<number>([start])
  for (let k = 0; k < stretches; k++) {
    const first = start + Math.floor((k * count) / stretches)
    const last = start + Math.floor(((k + 1) * count) / stretches)
    let low = first
    let high = first
    for (let i = first + 1; i < last; i++) {
      if (values[i] < values[low] || Number.isNaN(values[low])) low = i
      if (values[i] > values[high] || Number.isNaN(values[high])) high = i
    }
    chosen.add(Math.min(low, high)).add(Math.max(low, high))
  }
  chosen.add(end - 1)
  return [...chosen].sort((a, b) => a - b)
}

/** How many of the ascending numbers are below `bound`. */
function lowerBound(numbers: Float64Array, bound: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle] < bound) low = middle + 1
    else high = middle
  }
  return low
}
