import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { count, figure, percent } from '../format.js'
import { save, useTheme, useWidth } from '../hooks.js'
import { texts } from '../texts.js'
import { align, csv, type Line, smooth, tickSteps } from './series.js'
import { Button } from './ui.js'

/** How many rows the table behind a chart shows: the newest. */
const TABLE_ROWS = 200
/** Width of the right axis. */
const RIGHT = 52

export interface ChartProps {
  readonly title: string
  readonly lines: readonly Line[]
  readonly xLabel: string
  readonly height?: number
  /** Begin with a logarithmic left axis. */
  readonly log?: boolean
  /** Without the controls of smoothing and scale. */
  readonly plain?: boolean
  /** As wide as a chart with a right axis, to stand below one. */
  readonly below?: boolean
  /** Places on the x axis that mean something: snapshots, restarts. */
  readonly marks?: readonly { readonly x: number; readonly label: string; readonly strong?: boolean }[]
  /** A stretch was dragged over; nothing: all of it again. */
  readonly onZoom?: (stretch: { from: number; to: number } | undefined) => void
}

/** Curves over one x: drag to zoom, double click for all of it; the same as a table, and as CSV. */
export function Chart(props: ChartProps) {
  const [log, setLog] = useState(props.log ?? false)
  const [weight, setWeight] = useState(0)
  const [zoomed, setZoomed] = useState(false)
  const [width, box] = useWidth<HTMLDivElement>()
  const plot = useRef<uPlot | undefined>(undefined)
  const theme = useTheme()
  const lines = useMemo(
    () => (weight ? props.lines.map(line => ({ ...line, y: smooth(line.y, line.dots ? 0 : weight) })) : props.lines),
    [props.lines, weight],
  )
  const data = useMemo(() => align(lines) as uPlot.AlignedData, [lines])
  const height = props.height ?? 300
  const marks = useRef(props.marks)
  marks.current = props.marks
  const onZoom = useRef(props.onZoom)
  onZoom.current = props.onZoom
  // what only a new plot can take
  const kind = JSON.stringify([
    lines.map(({ label, axis, dashed, color, dots }) => [label, axis, dashed, color, dots]),
    log,
    theme,
  ])

  useEffect(() => {
    if (!box.current || width === 0) return
    const made = new uPlot(
      optionsOf({
        lines,
        xLabel: props.xLabel,
        width,
        height,
        log,
        below: props.below,
        style: getComputedStyle(box.current),
        marks,
        zoomed(stretch) {
          setZoomed(stretch !== undefined)
          onZoom.current?.(stretch)
        },
      }),
      data,
      box.current,
    )
    plot.current = made
    return () => {
      plot.current = undefined
      made.destroy()
    }
  }, [kind, width === 0, props.xLabel])

  useEffect(() => {
    if (width) plot.current?.setSize({ width, height })
  }, [width, height])

  useEffect(() => {
    const made = plot.current
    if (!made || made.data === data) return
    const wait = requestAnimationFrame(() => made.setData(data, !zoomed))
    return () => cancelAnimationFrame(wait)
  }, [data])

  useEffect(() => plot.current?.redraw(false), [props.marks])

  const all = (): void => {
    setZoomed(false)
    onZoom.current?.(undefined)
    plot.current?.setData(data, true)
  }
  const points = props.lines.reduce((sum, line) => sum + line.x.length, 0)
  return (
    <div class="chart">
      <div class="chart-bar">
        <ul class="legend">
          {props.lines.map((line, index) => (
            <li key={line.label}>
              <span
                class={`key series-${(line.color ?? index) % 8}${line.dashed ? ' dashed' : ''}`}
                aria-hidden="true"
              />
              {line.label}
              <span class="number">{line.y.length ? said(line, line.y[line.y.length - 1]) : ''}</span>
            </li>
          ))}
        </ul>
        {!props.plain && (
          <div class="actions">
            <label class="inline">
              {texts.chart.smooth}
              <input
                type="range"
                min={0}
                max={0.98}
                step={0.02}
                value={weight}
                onInput={event => setWeight(event.currentTarget.valueAsNumber)}
              />
            </label>
            <label class="inline">
              <input type="checkbox" checked={log} onChange={event => setLog(event.currentTarget.checked)} />
              {texts.chart.log}
            </label>
            <Button icon="fit" look="quiet" disabled={!zoomed} onClick={all}>
              {texts.chart.all}
            </Button>
          </div>
        )}
      </div>
      <div
        ref={box}
        class="plot"
        role="img"
        aria-label={texts.chart.describe(props.title, props.lines.map(line => describe(line)).join('; '))}
        style={{ height: `${height}px` }}
      />
      {points > 0 && <Numbers title={props.title} xLabel={props.xLabel} lines={props.lines} />}
    </div>
  )
}

/** What is on the right axis is a share. */
const said = (line: Line, value: number): string => (line.axis === 'right' ? percent(value) : figure(value))

const describe = (line: Line): string =>
  line.y.length === 0
    ? texts.chart.noValues(line.label)
    : texts.chart.lineNow(line.label, line.y.length, said(line, line.y[line.y.length - 1]))

/** The newest values as a table, and all of them as a file. */
function Numbers(props: { title: string; xLabel: string; lines: readonly Line[] }) {
  const [open, setOpen] = useState(false)
  return (
    <details class="numbers" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{texts.chart.table}</summary>
      {open && <Table {...props} />}
    </details>
  )
}

function Table(props: { title: string; xLabel: string; lines: readonly Line[] }) {
  const [x, ...columns] = align(props.lines)
  const first = Math.max(0, x.length - TABLE_ROWS)
  return (
    <>
      <div class="actions">
        <span class="muted">{first ? texts.chart.newest(TABLE_ROWS, count(x.length)) : ''}</span>
        <Button icon="down" onClick={() => save(`${props.title}.csv`, csv(props.xLabel, props.lines), 'text/csv')}>
          {texts.chart.csv}
        </Button>
      </div>
      <div class="scroll short" role="group" tabIndex={0} aria-label={props.title}>
        <table class="table figures">
          <thead>
            <tr>
              <th scope="col">{props.xLabel}</th>
              {props.lines.map(line => (
                <th key={line.label} scope="col">
                  {line.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {x.slice(first).map((value, row) => (
              <tr key={value}>
                <th scope="row">{count(value)}</th>
                {columns.map((column, at) => (
                  <td key={props.lines[at].label}>
                    {column[first + row] == null ? '' : figure(column[first + row]!, 6)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

interface Drawing {
  readonly lines: readonly Line[]
  readonly xLabel: string
  readonly width: number
  readonly height: number
  readonly log: boolean
  readonly below: boolean | undefined
  readonly style: CSSStyleDeclaration
  readonly marks: { readonly current: ChartProps['marks'] }
  zoomed(stretch: { from: number; to: number } | undefined): void
}

function optionsOf({ lines, width, height, log, below, style, marks, zoomed }: Drawing): uPlot.Options {
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const right = lines.some(line => line.axis === 'right')
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line-soft'), width: 1 },
    ticks: { stroke: color('--line'), width: 1, size: 4 },
    font: `12px ${color('--font')}`,
  }
  let whole = true
  return {
    width,
    height,
    padding: [null, below && !right ? RIGHT : null, null, null],
    legend: { show: false },
    cursor: { drag: { x: true, y: false, dist: 6 }, points: { size: 6 } },
    scales: {
      x: { time: false },
      left: log ? { distr: 3 } : {},
      right: { range: (_, low, high) => sharesRange(low, high) },
    },
    axes: [
      {
        ...axis,
        ...{ space: 70, size: 30, incrs: tickSteps(lines) },
        values: (_, ticks) => ticks.map(tick => (Number.isInteger(tick) ? count(tick) : figure(tick))),
      },
      {
        ...axis,
        scale: 'left',
        size: 56,
        values: (_, ticks) => ticks.map(tick => (tick === null ? '' : figure(tick, 3))),
      },
      ...(right
        ? [
            {
              ...axis,
              scale: 'right',
              side: 1 as const,
              size: RIGHT,
              grid: { show: false },
              values: (_: uPlot, ticks: number[]) => ticks.map(tick => `${figure(100 * tick, 3)} %`),
            },
          ]
        : []),
    ],
    series: [
      {},
      ...lines.map((line, index) => ({
        label: line.label,
        scale: line.axis,
        stroke: color(`--series-${(line.color ?? index) % 8}`),
        width: line.dots ? 2 : 1.5,
        dash: line.dashed ? [6, 4] : undefined,
        spanGaps: true,
        points: line.dots ? { show: line.x.length < 60, size: 6, fill: color('--surface') } : { show: false },
      })),
    ],
    plugins: [tooltip(lines, style)],
    hooks: {
      draw: [plot => drawMarks(plot, marks.current ?? [], color('--accent'), color('--line'), color('--muted'))],
      setSelect: [
        plot => {
          if (plot.select.width < 1) return
          whole = false
          zoomed({
            from: plot.posToVal(plot.select.left, 'x'),
            to: plot.posToVal(plot.select.left + plot.select.width, 'x'),
          })
        },
      ],
      init: [
        plot => {
          plot.over.addEventListener('dblclick', () => {
            if (whole) return
            whole = true
            zoomed(undefined)
          })
        },
      ],
    },
  }
}

/** Shares that lie together are looked at closely, and never beyond what a share can be. */
function sharesRange(low: number, high: number): [number, number] {
  if (low == null || high == null) return [0, 1]
  const room = Math.max(0.005, 0.12 * (high - low))
  return [Math.max(Math.min(low, 0), low - room), Math.min(Math.max(high, 1), high + room)]
}

/** Thin lines at marked places, with their names at the top where there is room. */
function drawMarks(
  plot: uPlot,
  marks: NonNullable<ChartProps['marks']>,
  strong: string,
  weak: string,
  text: string,
): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = `${11 * ratio}px sans-serif`
  ctx.textAlign = 'right'
  for (const mark of marks) {
    const x = plot.valToPos(mark.x, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = mark.strong ? strong : weak
    ctx.lineWidth = (mark.strong ? 1.5 : 1) * ratio
    ctx.setLineDash([3 * ratio, 3 * ratio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    if (!mark.strong) continue
    ctx.fillStyle = text
    ctx.fillText(mark.label, x - 4 * ratio, bbox.top + 12 * ratio)
  }
  ctx.restore()
}

/** The values under the pointer, in a small box beside it. */
function tooltip(lines: readonly Line[], style: CSSStyleDeclaration): uPlot.Plugin {
  const box = document.createElement('div')
  box.className = 'chart-tip'
  box.hidden = true
  return {
    hooks: {
      init: plot => {
        plot.over.append(box)
        plot.over.addEventListener('mouseleave', () => {
          box.hidden = true
        })
      },
      setCursor: plot => {
        const { idx, left = 0, top = 0 } = plot.cursor
        if (idx == null || left < 0) {
          box.hidden = true
          return
        }
        const rows = lines.flatMap((line, at) => {
          const value = valueNear(plot.data[at + 1] as (number | null)[], idx)
          return value === undefined ? [] : [{ line, at, value }]
        })
        box.hidden = rows.length === 0
        box.replaceChildren(
          count(plot.data[0][idx]),
          ...rows.map(({ line, at, value }) => {
            const row = document.createElement('div')
            const key = document.createElement('span')
            key.className = 'key'
            key.style.background = style.getPropertyValue(`--series-${(line.color ?? at) % 8}`)
            row.append(key, `${line.label} ${said(line, value)}`)
            return row
          }),
        )
        const flip = left > plot.over.clientWidth / 2
        box.style.left = flip ? '' : `${left + 12}px`
        box.style.right = flip ? `${plot.over.clientWidth - left + 12}px` : ''
        box.style.top = `${Math.max(0, Math.min(top, plot.over.clientHeight - 24 * (rows.length + 1)))}px`
      },
    },
  }
}

/** The value at an index, or the last one before it, not far away. */
function valueNear(column: readonly (number | null)[], index: number): number | undefined {
  for (let at = index; at >= 0 && at > index - 2000; at--) {
    const value = column[at]
    if (value != null) return value
  }
  return undefined
}
