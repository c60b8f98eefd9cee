import type { Graph, Node } from './graph.js'

/** Operators whose later outputs may be left out. */
const OPTIONAL_OUTPUTS = new Set(['MaxPool'])

/** The graph without nodes, constants and inputs that no output needs. */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name))
  const nodes: Node[] = []
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some(name => needed.has(name))) continue
    for (const name of node.inputs) needed.add(name)
    nodes.push(trimmed(node, needed))
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    inputs: graph.inputs.filter(({ name }) => needed.has(name)),
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
  }
}

function trimmed(node: Node, needed: ReadonlySet<string>): Node {
  if (!OPTIONAL_OUTPUTS.has(node.op)) return node
  const last = node.outputs.findLastIndex(name => needed.has(name))
  return { ...node, outputs: node.outputs.slice(0, last + 1) }
}
