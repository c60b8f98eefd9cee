import type { GraphNode, NetGraph } from '../../api/index.js'

/** What a graph is looked at through: a stretch of its plane. */
export interface View {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Where a line's words stand: at its middle point, or between the two that are. */
export function middleOf(points: readonly (readonly [number, number])[]): [number, number] {
  if (!points.length) return [0, 0]
  const [a, b] = [points[(points.length - 1) >> 1], points[points.length >> 1]]
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
}

/** The whole graph, with a margin. */
export const whole = (graph: NetGraph): View => ({
  x: -12,
  y: -12,
  width: graph.width + 24,
  height: graph.height + 24,
})

/** Nearer (factor < 1) or farther, about a point that stays where it is; within what can be read and seen. */
export function zoom(
  view: View,
  factor: number,
  at: { readonly x: number; readonly y: number },
  graph: NetGraph,
): View {
  const width = Math.min(Math.max(view.width * factor, 80), (graph.width + 24) * 4)
  const by = width / view.width
  return {
    x: at.x - (at.x - view.x) * by,
    y: at.y - (at.y - view.y) * by,
    width,
    height: view.height * by,
  }
}

/** The view moved so that a node is in its middle, near enough to read. */
export function centred(view: View, node: GraphNode, size: { readonly width: number; readonly height: number }): View {
  const scale = Math.min(view.width / Math.max(1, size.width), 1.1)
  const width = size.width * scale
  const height = size.height * scale
  return { x: node.x - width / 2, y: node.y - height / 2, width, height }
}

/** The view through a frame of another size: as near as before, its middle where it was. */
export function resize(
  view: View,
  before: { readonly width: number; readonly height: number },
  now: { readonly width: number; readonly height: number },
): View {
  const scale = Math.max(view.width / before.width, view.height / before.height)
  const [width, height] = [now.width * scale, now.height * scale]
  return { x: view.x + (view.width - width) / 2, y: view.y + (view.height - height) / 2, width, height }
}

export type ColorBy = 'type' | 'memory' | 'multiplyAdds' | 'params'

/** Of each node 0 … 7 (a colour of types), or 0 … 1 (a share of the largest). */
export function coloring(graph: NetGraph, by: ColorBy): { of(node: GraphNode): number; legend: readonly string[] } {
  if (by === 'type') {
    const types = [...new Set(graph.nodes.map(node => node.type))]
    return { of: node => types.indexOf(node.type) % 8, legend: types }
  }
  const most = Math.max(1e-9, ...graph.nodes.map(node => node[by]))
  return { of: node => Math.sqrt(node[by] / most), legend: [] }
}

/** Layers whose name, type or a shape has the words. */
export function search(graph: NetGraph, text: string): readonly GraphNode[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return []
  return graph.nodes.filter(node => {
    const all = [
      node.layer,
      node.type,
      ...node.tops.map(top => `${top.blob} ${top.shape.join('x')} ${top.shape.join('×')}`),
    ]
      .join(' ')
      .toLowerCase()
    return words.every(word => all.includes(word))
  })
}

/** The next node in a direction, the nearest first. */
export function neighbour(graph: NetGraph, from: GraphNode, key: string): GraphNode | undefined {
  const [dx, dy] = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[key] ?? [0, 0]
  let best: GraphNode | undefined
  let least = Number.POSITIVE_INFINITY
  for (const node of graph.nodes) {
    const along = (node.x - from.x) * dx + (node.y - from.y) * dy
    const aside = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx)
    if (node === from || along <= 1) continue
    const distance = along + aside * 2
    if (distance < least) [least, best] = [distance, node]
  }
  return best
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** The graph for Graphviz. */
export function toDot(graph: NetGraph): string {
  const nodes = graph.nodes.map(
    node => `  ${quoted(node.layer)} [shape=box, label=${quoted(`${node.layer}\\n${node.type}`)}]`,
  )
  const edges = graph.edges.map(
    edge => `  ${quoted(edge.from)} -> ${quoted(edge.to)} [label=${quoted(edge.shape.join('×'))}]`,
  )
  return `digraph net {\n${[...nodes, ...edges].join('\n')}\n}\n`
}

/** The graph for pages that draw Mermaid. */
export function toMermaid(graph: NetGraph): string {
  const ids = new Map(graph.nodes.map((node, index) => [node.layer, `n${index}`]))
  const text = (value: string): string => `"${value.replaceAll('"', '#quot;')}"`
  return `${[
    'flowchart TB',
    ...graph.nodes.map(node => `  ${ids.get(node.layer)}[${text(`${node.layer} · ${node.type}`)}]`),
    ...graph.edges.map(edge => `  ${ids.get(edge.from)} -->|${text(edge.shape.join('×'))}| ${ids.get(edge.to)}`),
  ].join('\n')}\n`
}
