import type { JobEvent, Metrics } from '../api/index.js'
import { isShare } from './format.js'
import type { Line } from './parts/series.js'

/** Curves of a training: what was read, and what happened since. */
export interface Curves {
  readonly series: Readonly<Record<string, { readonly iters: readonly number[]; readonly values: readonly number[] }>>
  readonly iterationsPerEpoch: number
  /** Iterations at which it was started anew. */
  readonly starts: readonly number[]
  readonly speed?: number
  readonly memory?: number
}

export const curvesOf = (metrics: Metrics, last?: Curves): Curves => ({
  series: metrics.series,
  iterationsPerEpoch: metrics.iterationsPerEpoch,
  starts: last?.starts ?? [],
  speed: last?.speed,
  memory: last?.memory,
})

/** The curves with events behind them; a start from a snapshot takes back what happens again. */
export function withEvents(curves: Curves, events: readonly JobEvent[]): Curves {
  const series: Record<string, { iters: number[]; values: number[] }> = {}
  const own = (name: string): { iters: number[]; values: number[] } =>
    (series[name] ??= {
      iters: [...(curves.series[name]?.iters ?? [])],
      values: [...(curves.series[name]?.values ?? [])],
    })
  const add = (name: string, iter: number, value: number): void => {
    const { iters, values } = own(name)
    // told a second time: by the stream and by what was read
    if (iters.length && iters[iters.length - 1] >= iter) return
    iters.push(iter)
    values.push(value)
  }
  let { starts, speed, memory } = curves
  for (const event of events) {
    if (event.kind === 'train') {
      add('loss', event.iter, event.loss)
      add('lr', event.iter, event.lr)
      for (const [name, value] of Object.entries(event.outputs ?? {})) add(`train ${name}`, event.iter, value)
      speed = event.iterationsPerSecond ?? speed
    } else if (event.kind === 'test') {
      for (const [name, value] of Object.entries(event.outputs)) add(`val ${name}`, event.iter, value)
    } else if (event.kind === 'memory') memory = event.bytes
    else if (event.kind === 'start' && event.attempt > 1) {
      starts = [...starts, event.iter]
      for (const name of Object.keys(curves.series)) {
        const { iters, values } = own(name)
        while (iters.length && iters[iters.length - 1] >= event.iter) {
          iters.pop()
          values.pop()
        }
      }
    }
  }
  return { ...curves, series: { ...curves.series, ...series }, starts, speed, memory }
}

/** What the large chart shows: everything but the rate. */
export function lossLines(curves: Curves): Line[] {
  return (
    Object.entries(curves.series)
      .filter(([name, { iters }]) => name !== 'lr' && iters.length > 0)
      // the same colours whatever came first
      .sort(([a], [b]) => Number(b === 'loss') - Number(a === 'loss') || (a < b ? -1 : 1))
      .map(([name, { iters, values }], color) => ({
        label: name === 'loss' ? 'train loss' : name,
        x: iters,
        y: values,
        axis: isShare(name) ? 'right' : 'left',
        color,
        dots: name.startsWith('val'),
      }))
  )
}

export function rateLine(curves: Curves): Line[] {
  const { iters, values } = curves.series.lr ?? { iters: [], values: [] }
  return iters.length ? [{ label: 'lr', x: iters, y: values, axis: 'left', color: 4 }] : []
}
