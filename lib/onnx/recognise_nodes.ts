import { attribute, type Graph, ints, type Node, type Tensor } from './graph.js'

// What exporters write out as many nodes and ONNX has one for: LayerNormalization, which came late.

/** A graph that is searched backward: who makes a value, who reads it. */
class Search {
  private readonly makers = new Map<string, Node>()
  private readonly reads = new Map<string, number>()

  constructor(
    private readonly graph: Graph,
    private readonly shapes: ReadonlyMap<string, readonly number[]>,
  ) {
    for (const node of graph.nodes) for (const name of node.outputs) this.makers.set(name, node)
    const read = [...graph.nodes.flatMap(node => node.inputs), ...graph.outputs.map(({ name }) => name)]
    for (const name of read) this.reads.set(name, (this.reads.get(name) ?? 0) + 1)
  }

  /** The node that makes a value, if it is of this operator. */
  maker(name: string | undefined, op: string): Node | undefined {
    const node = this.makers.get(name ?? '')
    return node?.op === op && node.domain === '' ? node : undefined
  }

  constant(name: string | undefined): Tensor | undefined {
    if (!name) return undefined
    // torch gives a constant that it wrote once its other names by these
    const same = this.maker(name, 'Identity')
    if (same) return this.constant(same.inputs[0])
    const node = this.maker(name, 'Constant')
    return this.graph.initializers.get(name) ?? (node && attribute(node, 'value', 'tensor'))
  }

  number(name: string | undefined): number | undefined {
    const tensor = this.constant(name)
    return tensor?.data.length === 1 ? tensor.data[0] : undefined
  }

  isReadOnce(name: string): boolean {
    return this.reads.get(name) === 1
  }

  shape(name: string): readonly number[] | undefined {
    return this.shapes.get(name)
  }

  /** The first axis of a mean over all axes from there on, that keeps them. */
  meanAxis(node: Node | undefined): { x: string; axis: number } | undefined {
    const x = node?.inputs[0]
    const shape = x === undefined ? undefined : this.shape(x)
    if (!node || x === undefined || !shape || attribute(node, 'keepdims', 'int') === 0) return undefined
    const given = ints(node, 'axes') ?? (node.inputs[1] ? Array.from(this.constant(node.inputs[1])?.data ?? []) : [])
    const axes = given.map(axis => (axis < 0 ? axis + shape.length : axis)).sort((a, b) => a - b)
    const isTail = axes.length > 0 && axes.every((axis, i) => axis === shape.length - axes.length + i)
    return isTail ? { x, axis: axes[0] } : undefined
  }
}

/** The other input of a node of two, if one is this. */
const other = (node: Node, name: string): string | undefined =>
  node.inputs.length === 2 && node.inputs.includes(name) ? node.inputs[node.inputs[0] === name ? 1 : 0] : undefined

interface Normal {
  readonly x: string
  readonly axis: number
  readonly epsilon: number
}

/** (x − mean) / √(mean of its square + epsilon). */
function normalIn(search: Search, division: Node): Normal | undefined {
  const centred = search.maker(division.inputs[0], 'Sub')
  const root = search.maker(division.inputs[1], 'Sqrt')
  const sum = search.maker(root?.inputs[0], 'Add')
  if (!centred || !sum) return undefined
  for (const [i, name] of sum.inputs.entries()) {
    const epsilon = search.number(name)
    const variance = search.maker(sum.inputs[1 - i], 'ReduceMean')
    const outer = search.meanAxis(variance)
    if (epsilon === undefined || !outer) continue
    const mean = search.meanAxis(search.maker(centred.inputs[1], 'ReduceMean'))
    if (!mean || mean.x !== centred.inputs[0] || mean.axis !== outer.axis) continue
    if (isSquareOf(search, outer.x, centred)) return { ...mean, epsilon }
  }
  return undefined
}

function isSquareOf(search: Search, name: string, centred: Node): boolean {
  const power = search.maker(name, 'Pow')
  if (power) return search.number(power.inputs[1]) === 2 && isSame(search, power.inputs[0], centred)
  const product = search.maker(name, 'Mul')
  return product?.inputs.every(factor => isSame(search, factor, centred)) ?? false
}

/** Whether a value is that of `centred`: exporters write the difference twice. */
function isSame(search: Search, name: string, centred: Node): boolean {
  if (centred.outputs[0] === name) return true
  const again = search.maker(name, 'Sub')
  return again !== undefined && again.inputs.join('\n') === centred.inputs.join('\n')
}

/** The graph with a node for each normalization that is written out; itself where there is none. */
export function recogniseNodes(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>): Graph {
  const search = new Search(graph, shapes)
  const better = new Map<Node, Node>()
  for (const node of graph.nodes) {
    const product = node.op === 'Add' && node.domain === '' ? scaledNormal(search, node) : undefined
    if (product) better.set(node, product)
  }
  if (!better.size) return graph
  return { ...graph, nodes: graph.nodes.map(node => better.get(node) ?? node) }
}

/** normal·scale + bias, whose constants lie along the axes of the normalization. */
function scaledNormal(search: Search, sum: Node): Node | undefined {
  for (const name of sum.inputs) {
    const product = search.maker(name, 'Mul')
    const bias = other(sum, name)
    if (!product || !bias || !search.isReadOnce(name)) continue
    for (const factor of product.inputs) {
      const division = search.maker(factor, 'Div')
      const scale = other(product, factor)
      const found = division && scale && search.isReadOnce(factor) ? normalIn(search, division) : undefined
      if (!found || !scale) continue
      const row = search.shape(found.x)?.slice(found.axis).join()
      if ([scale, bias].some(constant => search.constant(constant)?.shape.join() !== row)) continue
      return {
        ...sum,
        op: 'LayerNormalization',
        inputs: [found.x, scale, bias],
        attributes: new Map([
          ['axis', { type: 'int', value: found.axis }],
          ['epsilon', { type: 'float', value: found.epsilon }],
        ]),
      }
    }
  }
  return undefined
}
