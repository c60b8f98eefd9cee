import { printable } from '../../system/escape.js'
import { COLOURS, type Graph, type GraphNode, type Rankdir } from './drawing.js'
import { type Point, placeBoxes, widthOf } from './layout.js'

const FONT = 12
const LINE = 16
const PADDING = 10
const CUT = 9
/** Between a blob and a layer that works on it in place. */
const GAP = 20
const MARGIN = 16
const TITLE = 30
const LONGEST = 60

interface Placed extends Point {
  readonly width: number
  readonly height: number
}

/** A blob with the layers that work on it in place, one behind the other along the flow; or a single layer. */
interface Group {
  readonly id: string
  readonly members: readonly { readonly node: GraphNode; readonly width: number; readonly height: number }[]
  readonly width: number
  readonly height: number
}

/** The graph as an SVG picture, laid out in layers of the flow. */
export function svgOf(graph: Graph): string {
  const vertical = graph.rankdir === 'TB' || graph.rankdir === 'BT'
  const groups = groupsOf(graph, vertical)
  const edges = graph.edges.filter(edge => !edge.inPlace)
  const arrows = edges.map(({ from, to, label }) => {
    const width = label ? widthOf(label, FONT - 1, false) + 6 : 0
    return { from, to, width, height: label ? LINE : 0 }
  })
  const { width, height, ...planned } = placeBoxes(groups, arrows, graph.rankdir)
  const top = graph.name ? MARGIN + TITLE : MARGIN
  const title = short(graph.name)
  const total = [Math.max(width, widthOf(title, 16, true)) + 2 * MARGIN, height + top + MARGIN].map(Math.ceil)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${total[0]}" height="${total[1]}" viewBox="0 0 ${total[0]} ${total[1]}" role="img" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" font-size="${FONT}">`,
    `<title>${escaped(graph.name || 'Net')}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 1 10 5 0 9Z" fill="#555"/></marker></defs>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...(title
      ? [`<text x="${MARGIN}" y="${MARGIN + 14}" font-size="16" font-weight="bold">${escaped(title)}</text>`]
      : []),
    `<g transform="translate(${MARGIN} ${top})">`,
    ...planned.arrows.map(({ points }) => edgeSvg(points)),
    ...groups.map((group, i) => groupSvg(group, planned.boxes[i], graph.rankdir)),
    // above everything else
    ...edges.flatMap(({ label }, i) => (label ? [labelSvg(label, planned.arrows[i])] : [])),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Members of a group get the same extent across the flow, so that it fills its place. */
function groupsOf({ nodes, edges }: Graph, vertical: boolean): Group[] {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const behind = new Map<string, GraphNode[]>()
  const attached = new Set<string>()
  for (const { from, to, inPlace } of edges) {
    if (!inPlace) continue
    behind.set(from, [...(behind.get(from) ?? []), byId.get(to)!])
    attached.add(to)
  }
  return nodes
    .filter(node => !attached.has(node.id))
    .map(node => {
      const members = [node, ...(behind.get(node.id) ?? [])].map(member => ({ node: member, ...sizeOf(member) }))
      const widths = members.map(member => member.width)
      const heights = members.map(member => member.height)
      const along = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0) + GAP * (members.length - 1)
      const width = vertical ? Math.max(...widths) : along(widths)
      const height = vertical ? along(heights) : Math.max(...heights)
      return {
        id: node.id,
        width,
        height,
        members: members.map(member => (vertical ? { ...member, width } : { ...member, height })),
      }
    })
}

function groupSvg({ members, width, height }: Group, { x, y }: Point, rankdir: Rankdir): string {
  const [dx, dy] = { LR: [1, 0], RL: [-1, 0], TB: [0, 1], BT: [0, -1] }[rankdir]
  // the middle of the side where the flow comes in
  let [px, py] = [x - (dx * width) / 2, y - (dy * height) / 2]
  const parts: string[] = []
  members.forEach((member, i) => {
    if (i > 0) {
      const start = { x: px, y: py }
      px += dx * GAP
      py += dy * GAP
      parts.push(edgeSvg([start, { x: px, y: py }], true))
    }
    const [halfX, halfY] = [(dx * member.width) / 2, (dy * member.height) / 2]
    parts.push(nodeSvg(member.node, { x: px + halfX, y: py + halfY, width: member.width, height: member.height }))
    px += 2 * halfX
    py += 2 * halfY
  })
  return parts.join('\n')
}

function sizeOf({ kind, lines }: GraphNode): { width: number; height: number } {
  const widest = Math.max(...lines.map((line, i) => widthOf(short(line), FONT, i === 0 && kind !== 'blob')))
  return {
    width: Math.round(widest) + 2 * PADDING + (kind === 'blob' ? CUT : 0),
    height: lines.length * LINE + PADDING + 2,
  }
}

function nodeSvg({ kind, lines }: GraphNode, { x, y, width, height }: Placed): string {
  const [left, top] = [x - width / 2, y - height / 2]
  const style = `fill="${COLOURS[kind]}" stroke="${kind === 'blob' ? '#8a8a8a' : '#444'}"`
  const shape =
    kind === 'blob'
      ? `<path d="${octagon(left, top, width, height)}" ${style}/>`
      : `<rect x="${at(left)}" y="${at(top)}" width="${at(width)}" height="${at(height)}" rx="5" ${style}/>`
  const first = y - ((lines.length - 1) * LINE) / 2 + 4
  const spans = lines.map((line, i) => {
    const bold = i === 0 && kind !== 'blob' ? ' font-weight="bold"' : ''
    return `<tspan x="${at(x)}" y="${at(first + i * LINE)}"${bold}>${escaped(short(line))}</tspan>`
  })
  return `<g><title>${escaped(lines.join(' '))}</title>${shape}<text text-anchor="middle">${spans.join('')}</text></g>`
}

function octagon(left: number, top: number, width: number, height: number): string {
  const [right, bottom] = [left + width, top + height]
  const cut = Math.min(CUT, height / 3)
  const corners = [
    [left + cut, top],
    [right - cut, top],
    [right, top + cut],
    [right, bottom - cut],
    [right - cut, bottom],
    [left + cut, bottom],
    [left, bottom - cut],
    [left, top + cut],
  ]
  return `M${corners.map(([x, y]) => `${at(x)} ${at(y)}`).join(' ')}Z`
}

/** A smooth line: through the middles between the points, bent at the points. */
function edgeSvg(points: readonly Point[], bothWays = false): string {
  const last = points.length - 1
  let path = `M${at(points[0].x)} ${at(points[0].y)}`
  for (let i = 1; i < last; i++) {
    const [bend, next] = [points[i], points[i + 1]]
    const end = i === last - 1 ? next : { x: (bend.x + next.x) / 2, y: (bend.y + next.y) / 2 }
    path += `Q${at(bend.x)} ${at(bend.y)} ${at(end.x)} ${at(end.y)}`
  }
  if (last === 1) path += `L${at(points[1].x)} ${at(points[1].y)}`
  return `<path d="${path}" fill="none" stroke="#555" stroke-width="1.2" marker-end="url(#arrow)"${bothWays ? ' marker-start="url(#arrow)"' : ''}/>`
}

const labelSvg = (label: string, { x, y }: Point): string =>
  `<text x="${at(x)}" y="${at(y + 4)}" text-anchor="middle" font-size="${FONT - 1}" stroke="#fff" stroke-width="4" paint-order="stroke" stroke-linejoin="round">${escaped(label)}</text>`

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text)

const at = (value: number): string => String(Math.round(value * 10) / 10)

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text for XML, without the characters that XML has no way to write. */
function escaped(text: string): string {
  return printable(text)
    .replace(/[&<>"']/g, char => ENTITIES[char])
    .replace(/[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
