import { type Axis, axisOf, type Chart, type Panel, type Series, thinned, tickText } from './chart.js'

/** Colours that colour-blind people tell apart (Okabe and Ito). */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']

const MARGIN = { left: 64, right: 28, top: 26, bottom: 34 }
const HEADER = 34
/** Height of one line of a legend. */
const LINE = 18

/** A chart as an SVG picture: panels below each other over the same x. */
export function svgChart(chart: Chart, width = 800, panelHeight = 260): string {
  const x = axisOf(
    chart.panels.flatMap(panel => panel.series.flatMap(series => series.points.map(point => point[0]))),
    Math.max(2, Math.round(width / 110)),
    chart.logarithmicX,
  )
  const panels: string[] = []
  let top = HEADER
  for (const panel of chart.panels) {
    const legend = svgLegend(panel.series, width, top + MARGIN.top)
    top += legend.height
    panels.push(['<g>', ...legend.parts, ...svgPanel(panel, x, width, panelHeight, top), '</g>'].join('\n'))
    top += panelHeight
  }
  const height = top + 16
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped(chart.title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="${width / 2}" y="23" text-anchor="middle" font-size="15" font-weight="600" fill="#222222">${escaped(chart.title)}</text>
${panels.join('\n')}
<text x="${n((MARGIN.left + width - MARGIN.right) / 2)}" y="${height - 9}" text-anchor="middle" fill="#444444">${escaped(chart.xLabel)}</text>
</svg>
`
}

function svgPanel(panel: Panel, x: Axis, width: number, height: number, top: number): string[] {
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom }
  const y = axisOf(
    panel.series.flatMap(series => series.points.map(point => point[1])),
    6,
    panel.logarithmic,
  )
  const ceiling = top + MARGIN.top
  const px = (value: number) => n(MARGIN.left + x.place(value) * inner.width)
  const py = (value: number) => n(ceiling + (1 - y.place(value)) * inner.height)
  const right = MARGIN.left + inner.width
  const floor = ceiling + inner.height
  const grid = [
    ...x.ticks.flatMap(tick => [
      `<path d="M${px(tick)} ${ceiling}V${floor}" stroke="#efefef"/>`,
      `<text x="${px(tick)}" y="${floor + 17}" text-anchor="middle" fill="#444444">${tickText(tick)}</text>`,
    ]),
    ...y.ticks.flatMap(tick => [
      `<path d="M${MARGIN.left} ${py(tick)}H${right}" stroke="#e2e2e2"/>`,
      `<text x="${MARGIN.left - 8}" y="${py(tick)}" dy="0.35em" text-anchor="end" fill="#444444">${tickText(tick)}</text>`,
    ]),
  ]
  const curves = panel.series.map((series, i) => svgCurve(series, colorOf(i), px, py, panel.logarithmic, inner.width))
  const frame = `<path d="M${MARGIN.left} ${ceiling}V${floor}H${right}" fill="none" stroke="#888888"/>`
  const title = `<text x="${MARGIN.left}" y="${ceiling - LINE * legendLines(panel.series, width) - 10}" font-weight="600" fill="#222222">${escaped(panel.title)}</text>`
  return [title, ...grid, frame, ...curves]
}

/** Tests are thick lines with a dot for each test; training, of which there is more, a thin line. */
function svgCurve(
  series: Series,
  color: string,
  px: (x: number) => number,
  py: (y: number) => number,
  logarithmic: boolean,
  width: number,
): string {
  const drawable = (y: number) => Number.isFinite(y) && (!logarithmic || y > 0)
  const points = thinned(series.points, width)
  let path = ''
  let pen = 'M'
  for (const [x, y] of points) {
    if (!drawable(y)) pen = 'M'
    else {
      path += `${pen}${px(x)} ${py(y)}`
      pen = 'L'
    }
  }
  const line = `<path d="${path}" fill="none" stroke="${color}" stroke-width="${strokeOf(series)}" stroke-linejoin="round"><title>${escaped(series.name)}</title></path>`
  const visible = points.filter(point => drawable(point[1]))
  // a run with one display has one point, and no line
  if (visible.length > 100 || (series.kind === 'train' && visible.length > 1)) return line
  const dots = visible.map(
    ([x, y]) =>
      `<circle cx="${px(x)}" cy="${py(y)}" r="3" fill="${color}"><title>${escaped(`${series.name}: ${tickText(y)} at ${tickText(x)}`)}</title></circle>`,
  )
  return [line, ...dots].join('\n')
}

/** Names and colours between a panel's title and its curves, in as many lines as they need. */
function svgLegend(series: readonly Series[], width: number, top: number): { parts: string[]; height: number } {
  const parts = placed(series, width).map(({ x, line }, i) => {
    const { name, kind } = series[i]
    const y = top + line * LINE + 2
    const dot = kind === 'test' ? `<circle cx="${n(x + 9)}" cy="${y}" r="3" fill="${colorOf(i)}"/>` : ''
    return `<path d="M${n(x)} ${y}h18" stroke="${colorOf(i)}" stroke-width="${strokeOf(series[i])}"/>${dot}<text x="${n(x + 24)}" y="${y}" dy="0.35em" fill="#222222">${escaped(name)}</text>`
  })
  return { parts, height: LINE * legendLines(series, width) }
}

const legendLines = (series: readonly Series[], width: number): number => 1 + (placed(series, width).at(-1)?.line ?? 0)

function placed(series: readonly Series[], width: number): { x: number; line: number }[] {
  let x = MARGIN.left
  let line = 0
  return series.map(({ name }) => {
    // letters are about 6.5 wide; the picture's font is not known here
    const wide = 24 + 6.5 * name.length + 18
    if (x > MARGIN.left && x + wide > width) {
      x = MARGIN.left
      line++
    }
    const place = { x, line }
    x += wide
    return place
  })
}

const colorOf = (i: number): string => COLORS[i % COLORS.length]
const strokeOf = ({ kind }: Series): number => (kind === 'test' ? 2.25 : 1.25)
const n = (value: number): number => Math.round(value * 100) / 100

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
/** Text for XML, which knows no control characters. */
export const escaped = (text: string): string =>
  text.replace(/\p{Cc}/gu, '\ufffd').replace(/[&<>"]/g, mark => ESCAPES[mark])
