/** What charts do with numbers before they draw them. */

/** A curve: x rises. */
export interface Line {
  readonly label: string
  readonly x: readonly number[]
  readonly y: readonly number[]
  /** Shares are drawn against the right axis. */
  readonly axis: 'left' | 'right'
  /** Which of the colours; default by its place. */
  readonly color?: number
  readonly dashed?: boolean
  /** Also a dot at each value, where there are few. */
  readonly dots?: boolean
}

/** Columns of one length over the x of all lines; null where a line has no value. */
export type Aligned = [x: number[], ...ys: (number | null)[][]]

/** Put lines with x of their own into columns: every x once, in order. */
export function align(lines: readonly Pick<Line, 'x' | 'y'>[]): Aligned {
  const x = mergeAll(lines.map(line => line.x))
  const columns = lines.map(line => {
    // the same x, value by value: nothing is missing
    if (line.x.length === x.length) return line.y as number[]
    const column: (number | null)[] = new Array(x.length).fill(null)
    let from = 0
    for (let at = 0; at < x.length && from < line.x.length; at++)
      if (x[at] === line.x[from]) column[at] = line.y[from++]
    return column
  })
  return [x, ...columns]
}

/** Steps of the ticks below lines: over iterations whole ones, since there is none with the number 2.5. */
export function tickSteps(lines: readonly Pick<Line, 'x'>[]): number[] {
  const least = lines.every(({ x }) => x.every(Number.isInteger)) ? 0 : -6
  return Array.from({ length: 15 - least }, (_, i) => i + least).flatMap(power =>
    (power === 0 ? [1, 2, 5] : [1, 2, 2.5, 5]).map(digit => Number(`${digit}e${power}`)),
  )
}

function mergeAll(lists: readonly (readonly number[])[]): number[] {
  let all: readonly number[] = []
  for (const list of lists) {
    if (list === all || list.length === 0) continue
    all = all.length === 0 ? list : sameEnds(all, list) ? all : merge(all, list)
  }
  return all as number[]
}

/** Lists that rise are the same where their lengths, ends and every value are. */
function sameEnds(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length || a[0] !== b[0] || a.at(-1) !== b.at(-1)) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

function merge(a: readonly number[], b: readonly number[]): number[] {
  const all: number[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const next = j >= b.length || (i < a.length && a[i] <= b[j]) ? a[i] : b[j]
    if (a[i] === next) i++
    if (b[j] === next) j++
    all.push(next)
  }
  return all
}

/** A moving mean that forgets by `weight` a value (0: as it is), begun without a bias to zero. */
export function smooth(values: readonly number[], weight: number): number[] {
  if (weight <= 0) return values as number[]
  const out: number[] = new Array(values.length)
  let mean = 0
  let share = 1
  for (let at = 0; at < values.length; at++) {
    if (!Number.isFinite(values[at])) {
      out[at] = values[at]
      continue
    }
    mean = weight * mean + (1 - weight) * values[at]
    share *= weight
    out[at] = mean / (1 - share)
  }
  return out
}

/** Comma-separated, a line for each x: for spreadsheets. */
export function csv(name: string, lines: readonly Line[]): string {
  const [x, ...columns] = align(lines)
  const head = [name, ...lines.map(line => `"${line.label.replaceAll('"', '""')}"`)].join(',')
  return `${[head, ...x.map((value, at) => [value, ...columns.map(column => column[at] ?? '')].join(','))].join('\n')}\n`
}
