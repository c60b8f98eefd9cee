import { printable } from '../system/escape.js'
import { type Axis, axisOf, type Chart, type Panel, type Series, tickText } from './chart.js'

/**
 * What stands at the points of curves, so that they differ without colours, too: nothing for the first, whose line
 * shows for it in the legend.
 */
const MARKS = ['⣿', '●', '○', '+', '×', '◆', '◇', '▲', '△']
/** Colour codes in the same order. */
const COLORS = [36, 33, 32, 35, 34, 31, 96, 93, 92]

export interface TerminalChartOptions {
  /** Characters. */
  readonly width: number
  /** Lines of each panel. */
  readonly height: number
  readonly color: boolean
}

/** A chart as lines of text: panels below each other over the same x. */
export function terminalChart(chart: Chart, { width, height, color }: TerminalChartOptions): string[] {
  const xs = chart.panels.flatMap(panel => panel.series.flatMap(series => series.points.map(point => point[0])))
  const x = axisOf(xs, Math.max(2, Math.floor(width / 16)), chart.logarithmicX)
  const axes = chart.panels.map(panel => yAxis(panel, height))
  const margin = Math.max(...axes.flatMap(axis => axis.ticks.map(tick => tickText(tick).length)))
  const columns = Math.max(10, width - margin - 2)
  const lines = [printable(chart.title)]
  chart.panels.forEach((panel, i) => {
    const canvas = new Canvas(columns, height)
    panel.series.forEach((series, k) => {
      drawSeries(canvas, k, series, x, axes[i], panel.logarithmic)
    })
    lines.push(
      '',
      `${' '.repeat(margin + 2)}${printable(panel.title)}`,
      ...legend(panel.series, margin + 2, width, color),
    )
    const labels = new Map(
      axes[i].ticks.map(tick => [Math.round((1 - axes[i].place(tick)) * (height - 1)), tickText(tick)]),
    )
    canvas.rows(color).forEach((row, r) => {
      const label = labels.get(r)
      lines.push(`${(label ?? '').padStart(margin)} ${label === undefined ? '│' : '┤'}${row}`.trimEnd())
    })
    lines.push(...xAxis(x, margin, columns))
  })
  return [
    ...lines,
    `${' '.repeat(margin + 2)}${chart.xLabel.padStart(Math.floor((columns + chart.xLabel.length) / 2))}`,
  ]
}

/** Marks and names, in as many lines as they need. */
function legend(series: readonly Series[], indent: number, width: number, color: boolean): string[] {
  const lines: string[] = []
  let used = width
  series.forEach(({ name }, k) => {
    const entry = `${painted(markOf(k), k, color)} ${printable(name)}`
    if (used + name.length + 5 > width) {
      lines.push(' '.repeat(indent) + entry)
      used = indent
    } else lines.push(`${lines.pop()}   ${entry}`)
    used += name.length + 5
  })
  return lines
}

const yAxis = ({ series, logarithmic }: Panel, height: number): Axis =>
  axisOf(
    series.flatMap(({ points }) => points.map(point => point[1])),
    Math.max(2, Math.floor(height / 2)),
    logarithmic,
  )

/** The line under a panel, and its numbers as far as they have room. */
function xAxis(x: Axis, margin: number, columns: number): string[] {
  const line = Array<string>(columns).fill('─')
  const numbers = Array<string>(columns + 8).fill(' ')
  let free = -margin
  for (const tick of x.ticks) {
    const at = Math.round(x.place(tick) * (columns - 1))
    line[at] = '┬'
    const text = tickText(tick)
    const from = Math.max(0, Math.min(at - Math.floor(text.length / 2), columns - text.length))
    if (from < free) continue
    for (let i = 0; i < text.length; i++) numbers[from + i] = text[i]
    free = from + text.length + 1
  }
  return [`${' '.repeat(margin)} └${line.join('')}`, `${' '.repeat(margin + 2)}${numbers.join('').trimEnd()}`]
}

/**
 * The points, joined by straight lines; values that are no numbers leave gaps. Where points are many, some have marks.
 */
function drawSeries(canvas: Canvas, mark: number, series: Series, x: Axis, y: Axis, logarithmic: boolean): void {
  let before: Dot | undefined
  const marked = Math.ceil(series.points.length / Math.max(4, canvas.dotsWide / 12))
  for (const [i, [px, py]] of series.points.entries()) {
    if (!Number.isFinite(py) || (logarithmic && !(py > 0))) {
      before = undefined
      continue
    }
    const at: Dot = [x.place(px) * (canvas.dotsWide - 1), (1 - y.place(py)) * (canvas.dotsHigh - 1)]
    canvas.line(before ?? at, at, mark)
    if (mark > 0 && i % marked === 0) canvas.mark(at, mark)
    before = at
  }
}

type Dot = readonly [x: number, y: number]

/** Dots of two by four to a character. */
class Canvas {
  readonly dotsWide: number
  readonly dotsHigh: number
  /** Of each character: dots of braille, the curve that was there last, and the curve whose mark hides the dots. */
  private readonly dots: Uint8Array
  private readonly curves: Int8Array
  private readonly marks: Int8Array

  constructor(
    private readonly columns: number,
    private readonly height: number,
  ) {
    this.dotsWide = 2 * columns
    this.dotsHigh = 4 * height
    this.dots = new Uint8Array(columns * height)
    this.curves = new Int8Array(columns * height).fill(-1)
    this.marks = new Int8Array(columns * height).fill(-1)
  }

  line([x0, y0]: Dot, [x1, y1]: Dot, curve: number): void {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))))
    for (let i = 0; i <= steps; i++)
      this.dot(Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps), curve)
  }

  mark([x, y]: Dot, curve: number): void {
    this.marks[this.character(Math.round(x), Math.round(y))] = curve
  }

  rows(color: boolean): string[] {
    return Array.from({ length: this.height }, (_, row) => {
      let text = ''
      for (let i = row * this.columns; i < (row + 1) * this.columns; i++) {
        const mark = this.marks[i]
        if (mark >= 0) text += painted(markOf(mark), mark, color)
        else text += this.dots[i] ? painted(String.fromCodePoint(0x2800 + this.dots[i]), this.curves[i], color) : ' '
      }
      return text
    })
  }

  private dot(x: number, y: number, curve: number): void {
    const i = this.character(x, y)
    this.curves[i] = curve
    // the fourth row of dots was added to braille later
    this.dots[i] |= (y & 3) === 3 ? 0x40 << (x & 1) : 1 << ((y & 3) + 3 * (x & 1))
  }

  private character(x: number, y: number): number {
    return (y >> 2) * this.columns + (x >> 1)
  }
}

const markOf = (i: number): string => MARKS[i % MARKS.length]
const painted = (text: string, i: number, color: boolean): string =>
  color ? `\x1b[${COLORS[i % COLORS.length]}m${text}\x1b[0m` : text
