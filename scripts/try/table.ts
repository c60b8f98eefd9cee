import type { Row } from './cases.js'

const percent = (worst: number | undefined): string =>
  worst === undefined ? '' : worst > 0 && worst < 0.005 ? '< 1 %' : `${Math.round(100 * worst)} %`

/** Rows as lines of text, columns aligned; numbers to the right. */
export function table(rows: readonly Row[]): string {
  const head = ['engine', 'what', 'cases', 'passed', 'worst of allowed', 'ms']
  const lines = rows.map(({ engine, what, cases, passed, worst, ms }) => [
    engine,
    what,
    String(cases),
    String(passed),
    percent(worst),
    ms.toFixed(0),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map(line => line[i].length)))
  const align = (cell: string, i: number): string => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
  return [head, ...lines].map(line => line.map(align).join('  ').trimEnd()).join('\n')
}
