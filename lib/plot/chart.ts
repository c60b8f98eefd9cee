import type { LogTables } from '../tools/parse_log.js'

/** A curve: points by ascending x. */
export interface Series {
  readonly name: string
  readonly kind: 'train' | 'test'
  /** Number of the run (the log file) that it belongs to. */
  readonly run: number
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Curves over one pair of axes. */
export interface Panel {
  readonly title: string
  readonly logarithmic: boolean
  readonly series: readonly Series[]
}

export interface Chart {
  readonly title: string
  readonly xLabel: string
  readonly logarithmicX?: boolean
  readonly panels: readonly Panel[]
}

export interface Run {
  readonly name: string
  readonly log: LogTables
}

export interface ChartOptions {
  readonly x: 'iterations' | 'seconds'
  /** Outputs to draw; 'lr' is the learning rate. Default: all outputs. */
  readonly fields?: readonly string[]
  /** Losses on a logarithmic axis. */
  readonly logarithmic: boolean
}

/** Outputs that were drawn under one heading. */
interface Heading {
  readonly title: string
  readonly isLoss: boolean
  readonly series: Series[]
}

/**
 * The curves of some runs: losses together, what lies between 0 and 1 (accuracies) together, any other output by
 * itself.
 */
export function chartOf(runs: readonly Run[], { x, fields, logarithmic }: ChartOptions): Chart {
  const headings = new Map<string, Heading>()
  const losses = new Set(runs.flatMap(run => [...run.log.losses]))
  const several = runs.length > 1
  runs.forEach(({ name: runName, log }, run) => {
    for (const kind of ['train', 'test'] as const) {
      const nets = Math.max(0, ...log[kind].map(row => row.net))
      for (let net = 0; net <= nets; net++)
        for (const [output, points] of curves(
          log[kind].filter(row => row.net === net),
          x,
        )) {
          if (fields ? !fields.includes(output) : output === 'lr') continue
          // the learning rate is the same in both tables
          if (output === 'lr' && kind === 'test' && log.train.length) continue
          const key = losses.has(output) ? 'loss' : output !== 'lr' && inUnit(runs, output) ? 'accuracy' : output
          const heading = headings.get(key) ?? {
            title: output === 'lr' ? 'learning rate' : key,
            isLoss: losses.has(output),
            series: [],
          }
          headings.set(key, heading)
          const name = `${kind}${nets ? ` #${net}` : ''} ${output}${several ? ` (${runName})` : ''}`
          heading.series.push({ name: output === 'lr' ? name.replace(/^\w+ /, '') : name, kind, run, points })
        }
    }
  })
  const order = (key: string) => (key === 'loss' ? 0 : key === 'accuracy' ? 1 : key === 'lr' ? 3 : 2)
  const sorted = [...headings].sort(([a], [b]) => order(a) - order(b))
  return {
    title: runs.map(run => run.name).join(', '),
    xLabel: x,
    panels: sorted.map(([key, { title, isLoss, series }]) => ({
      title: key === 'accuracy' ? namesOf(series, title) : title,
      logarithmic: logarithmic && isLoss,
      series,
    })),
  }
}

function curves(rows: LogTables['train'], x: ChartOptions['x']): Map<string, [number, number][]> {
  const result = new Map<string, [number, number][]>()
  const add = (name: string, at: number, y: number) => {
    if (!result.has(name)) result.set(name, [])
    result.get(name)!.push([at, y])
  }
  for (const { iteration, seconds, learningRate, outputs } of rows) {
    const at = x === 'seconds' ? seconds : iteration
    if (!Number.isFinite(at)) continue
    for (const [name, value] of outputs) add(name, at, value)
    if (!Number.isNaN(learningRate)) add('lr', at, learningRate)
  }
  return result
}

const inUnit = (runs: readonly Run[], output: string): boolean =>
  runs.every(({ log }) =>
    [...log.train, ...log.test].every(({ outputs }) => {
      const value = outputs.get(output)
      return value === undefined || Number.isNaN(value) || (value >= 0 && value <= 1)
    }),
  )

/** What curves between 0 and 1 are called together: by their names, if these are few. */
function namesOf(series: readonly Series[], otherwise: string): string {
  const names = [
    ...new Set(series.map(({ name }) => name.replace(/^(train|test)( #\d+)? /, '').replace(/ \(.*\)$/, ''))),
  ]
  return names.length <= 3 ? names.join(', ') : otherwise
}

/** An axis: values low … high, marked at `ticks`. */
export interface Axis {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  /** 0 at `low`, 1 at `high`. */
  place(value: number): number
}

/** An axis that holds the values, with about `count` round ticks. */
export function axisOf(values: readonly number[], count: number, logarithmic = false): Axis {
  const usable = values.filter(value => Number.isFinite(value) && (!logarithmic || value > 0))
  let low = usable.length ? usable.reduce((a, b) => Math.min(a, b)) : 0
  let high = usable.length ? usable.reduce((a, b) => Math.max(a, b)) : 1
  if (logarithmic && usable.length) return logarithmicAxis(low, high)
  if (low === high) {
    const margin = Math.abs(low) / 2 || 0.5
    low -= margin
    high += margin
  }
  const step = niceStep((high - low) / count)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.ceil(high / step - 1e-9)
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => round((first + i) * step))
  return {
    low: first * step,
    high: last * step,
    ticks,
    place: value => (value - first * step) / ((last - first) * step),
  }
}

/** Whole powers of ten outside; 2 and 5 times these are marked as well where there are few. */
function logarithmicAxis(low: number, high: number): Axis {
  const first = Math.floor(Math.log10(low) + 1e-9)
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9))
  const factors = last - first <= 2 ? [1, 2, 5] : [1]
  const ticks: number[] = []
  for (let power = first; power <= last; power++)
    for (const factor of factors) if (power < last || factor === 1) ticks.push(round(factor * 10 ** power))
  return { low: 10 ** first, high: 10 ** last, ticks, place: value => (Math.log10(value) - first) / (last - first) }
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999) ?? 10
  return factor * power
}

const round = (value: number): number => Number(value.toPrecision(12))

/** "1000", "0.05", "1e-05". */
export const tickText = (value: number): string => {
  const size = Math.abs(value)
  return size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential().replace('e+', 'e') : String(value)
}

/**
 * At most two points a column, the lowest and the highest, so that a long log stays a small picture and loses no spike.
 */
export function thinned(points: Series['points'], columns: number): Series['points'] {
  if (points.length <= 2 * columns) return points
  const first = points[0][0]
  const width = (points[points.length - 1][0] - first) / columns || 1
  const kept: (readonly [number, number])[] = []
  let i = 0
  while (i < points.length) {
    const column = Math.floor((points[i][0] - first) / width)
    let lowest = i
    let highest = i
    let unusable = -1
    for (; i < points.length && Math.floor((points[i][0] - first) / width) === column; i++) {
      if (Number.isNaN(points[i][1])) unusable = i
      if (!(points[lowest][1] <= points[i][1])) lowest = i
      if (!(points[highest][1] >= points[i][1])) highest = i
    }
    for (const k of [...new Set([lowest, highest, unusable])].sort((a, b) => a - b)) if (k >= 0) kept.push(points[k])
  }
  return kept
}
