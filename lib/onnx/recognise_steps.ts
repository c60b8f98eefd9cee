import { type AttributeValue, reshapeTarget, toAttributes } from './builder.js'
import { countOf, type Graph, type Node, type Tensor } from './graph.js'
import { lstmSteps, type Pen, rnnSteps, type Steps } from './layers/steps.js'
import type { Op } from './ops/handler.js'
import { type Operand, type Step, weightOf } from './pieces.js'
import { withoutUnused } from './prune.js'

// LSTM and RNN layers that were written step by step are layers again. What is looked for is what would be written: nodes
// that differ in anything from it stay nodes.

/** The nodes of a layer as they would be written. */
class Sketch implements Pen {
  readonly nodes: Node[] = []
  /** Values of constants by name: whole numbers and weights. */
  readonly wholes = new Map<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>()
  private count = 0

  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    outputs: readonly string[] = this.values(op, 1),
  ): string {
    this.nodes.push({ name: '', op, domain: '', inputs, outputs, attributes: toAttributes(attributes) })
    return outputs[0]
  }

  values(what: string, count: number): string[] {
    return Array.from({ length: count }, () => `${what} ${this.count++}`)
  }

  private constant(shape: readonly number[], values: readonly number[]): string {
    const [name] = this.values('constant', 1)
    this.wholes.set(name, { shape, values })
    return name
  }

  int(value: number): string {
    return this.constant([], [value])
  }

  ints(...values: readonly number[]): string {
    return this.constant([values.length], values)
  }

  weight(i: number): string {
    return `weight ${i}`
  }

  reshape(value: string, from: readonly number[], to: readonly number[], output?: string): string {
    return this.node(
      'Reshape',
      [value, this.ints(...reshapeTarget(from, to))],
      {},
      output === undefined ? undefined : [output],
    )
  }
}

const kinds = [
  { type: 'LSTM', states: 2, gates: 4, write: lstmSteps, more: 0 },
  { type: 'RNN', states: 1, gates: 1, write: rnnSteps, more: 2 },
] as const
type Kind = (typeof kinds)[number]

/** A graph that is looked through. */
interface Search {
  readonly graph: Graph
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Places of nodes that read a value; −1: it is an output. */
  readonly readers: ReadonlyMap<string, readonly number[]>
  /** How many nodes of sketches are still looked at. */
  left: number
}

/** Nodes that a step has at least. */
const LEAST = 5

/** What of a kind of layer may begin at a node, by the first few nodes. */
function guess({ graph, shapes }: Search, at: number, kind: Kind): Steps | undefined {
  const ahead = (i: number, op: string): Node | undefined => {
    const node = graph.nodes[at + i]
    return node?.op === op && node.domain === '' ? node : undefined
  }
  const s = kind.states
  const product = ahead(s + 1, 'Gemm')
  const state = ahead(0, 'Reshape')
  const x = ahead(s, 'Reshape')?.inputs[0]
  const rows = graph.initializers.get(product?.inputs[1] ?? '')?.shape[0]
  const [one, , H] = shapes.get(state?.inputs[0] ?? '') ?? []
  const shape = shapes.get(x ?? '')
  if (!product || x === undefined || !shape || shape.length < 3 || countOf(shape) === 0) return undefined
  if (one !== 1 || !H || rows !== kind.gates * H || LEAST * shape[0] > graph.nodes.length) return undefined
  const flattened = ahead(s + 4, 'Gemm') && ahead(s + 3, 'Reshape')
  const fixed = ahead(s + 3, 'Gemm')?.inputs[0] ?? flattened?.inputs[0]
  const fixedShape = fixed === undefined ? undefined : shapes.get(fixed)
  return {
    ...{ H, gates: kind.gates },
    x: { name: 'x', shape },
    cont: 'cont',
    ...(fixedShape && { fixed: { name: 'fixed', shape: fixedShape } }),
    before: ['h', 'c'].slice(0, s),
    after: ['last h', 'last c'].slice(0, s),
    y: 'y',
  }
}

/** The nodes that would be written, without last states that nobody asks for. */
function sketched(kind: Kind, steps: Steps, after: readonly string[]): Sketch {
  const sketch = new Sketch()
  kind.write(sketch, steps)
  if (after.length === kind.states) return sketch
  const outputs = [steps.y, ...after].map(name => ({ name, type: 'float' as const, shape: undefined }))
  const all = { name: '', opset: 0, initializers: new Map(), inputs: [], values: new Map(), metadata: new Map() }
  const { nodes } = withoutUnused({ ...all, nodes: sketch.nodes, outputs, producer: '' })
  sketch.nodes.splice(0, Number.POSITIVE_INFINITY, ...nodes)
  return sketch
}

/** What each name of the sketch is called in the graph, if its nodes are those that stand from `at` on. */
function matched(graph: Graph, at: number, { nodes, wholes }: Sketch): Map<string, string> | undefined {
  const names = new Map<string, string>()
  const own = new Set<string>()
  const isSame = (wanted: string, name: string): boolean => {
    const values = wholes.get(wanted)
    if (values) {
      const tensor = graph.initializers.get(name)
      return tensor?.shape.join() === values.shape.join() && values.values.every((value, i) => tensor.data[i] === value)
    }
    const known = names.get(wanted)
    names.set(wanted, name)
    // what comes from outside is none of the values within
    return known === undefined ? !own.has(name) : known === name
  }
  for (const [i, wanted] of nodes.entries()) {
    const node = graph.nodes[at + i]
    if (node?.op !== wanted.op || node.domain !== '') return undefined
    if (node.inputs.length !== wanted.inputs.length || node.outputs.length !== wanted.outputs.length) return undefined
    if (!sameAttributes(node, wanted)) return undefined
    if (!wanted.inputs.every((name, k) => isSame(name, node.inputs[k]))) return undefined
    for (const [k, name] of wanted.outputs.entries()) {
      names.set(name, node.outputs[k])
      own.add(node.outputs[k])
    }
  }
  return names
}

const sameAttributes = (a: Node, b: Node): boolean =>
  JSON.stringify([...a.attributes]) === JSON.stringify([...b.attributes])

/** Shapes of the weights: Wx, b[, Ws], Wh[, Wo, bo]. */
function weightShapes(kind: Kind, { x, fixed, H, gates }: Steps): number[][] {
  const rows = gates * H
  const more = kind.more ? [[H, H], [H]] : []
  const statics = fixed ? [[rows, countOf(fixed.shape.slice(1))]] : []
  return [[rows, countOf(x.shape.slice(2))], [rows], ...statics, [rows, H], ...more]
}

interface Found {
  readonly count: number
  readonly node: Node
  readonly op: Op
}

/** Whether what a sketch was matched with is a layer: shapes are right, and values between the nodes are nobody else's. */
function isLayer(
  search: Search,
  at: number,
  steps: Steps,
  sketch: Sketch,
  names: ReadonlyMap<string, string>,
): boolean {
  const { shapes, readers } = search
  const [T, N] = steps.x.shape
  const behind = at + sketch.nodes.length
  const tops = [steps.y, ...steps.after]
  const inner = sketch.nodes.flatMap(({ outputs }) => outputs).filter(name => !tops.includes(name))
  const placesOf = (name: string) => readers.get(names.get(name) ?? '') ?? []
  const shapeOf = (name: string) => shapes.get(names.get(name) ?? '')?.join()
  return (
    inner.every(name => placesOf(name).every(place => place >= at && place < behind)) &&
    shapeOf('cont') === `${T},${N}` &&
    steps.before.every(name => shapeOf(name) === [1, N, steps.H].join())
  )
}

/** The layer whose nodes stand from `at` on. */
function found(search: Search, at: number): Found | undefined {
  const { graph } = search
  for (const kind of kinds) {
    const steps = guess(search, at, kind)
    if (!steps) continue
    const { after, before, fixed } = steps
    // all last states, or some
    for (let chosen = 2 ** after.length - 1; chosen >= 0 && search.left > 0; chosen--) {
      const sketch = sketched(
        kind,
        steps,
        after.filter((_, k) => chosen & (1 << k)),
      )
      const count = sketch.nodes.length
      search.left -= count
      const names = matched(graph, at, sketch)
      if (!names || !isLayer(search, at, steps, sketch, names)) continue
      const shapes = weightShapes(kind, steps)
      const weights = shapes.map((_, i) => graph.initializers.get(names.get(`weight ${i}`) ?? ''))
      if (weights.some((tensor, i) => tensor?.shape.join() !== shapes[i].join())) continue
      const node: Node = {
        ...{ name: graph.nodes[at + count - 1].name, op: kind.type, domain: '', attributes: new Map() },
        inputs: ['x', 'cont', ...(fixed ? ['fixed'] : []), ...before].map(name => names.get(name)!),
        outputs: [steps.y, ...after].map(name => names.get(name) ?? ''),
      }
      return { count, node, op: layer(kind, steps, weights as Tensor[]) }
    }
  }
  return undefined
}

function layer({ type }: Kind, { x, H, before }: Steps, weights: readonly Tensor[]): Op {
  const [T, N] = x.shape
  const shapes = [[T, N, H], ...before.map(() => [1, N, H])]
  const fields = { recurrent_param: { num_output: H, expose_hidden: true } }
  const build = ({ workshop, name, inputs }: Step): Operand[] => {
    const bottoms = inputs.map(operand => operand!)
    const own = weights.map(tensor => weightOf(tensor))
    return workshop.add(name, type, bottoms, shapes, fields, own)
  }
  return { layers: type, build }
}

/** Nodes of sketches for each node of the graph: each variant of what is there once, and what turns out to be none. */
const MOST_LOOKS = 16

/** The graph with a node for each LSTM and RNN layer that is written out, and what becomes of these. */
export function recogniseSteps(
  graph: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
): { readonly graph: Graph; readonly wholes: ReadonlyMap<Node, Op> } {
  const wholes = new Map<Node, Op>()
  // graphs within nodes read values, too, and nobody sees which
  const hasGraphs = graph.nodes.some(({ attributes }) => [...attributes.values()].some(({ type }) => type === 'graph'))
  if (hasGraphs) return { graph, wholes }
  const readers = new Map<string, number[]>(graph.outputs.map(({ name }) => [name, [-1]]))
  graph.nodes.forEach((node, i) => {
    for (const name of node.inputs) {
      const places = readers.get(name)
      if (places) places.push(i)
      else readers.set(name, [i])
    }
  })
  const search: Search = { graph, shapes, readers, left: MOST_LOOKS * graph.nodes.length }
  const nodes: Node[] = []
  for (let i = 0; i < graph.nodes.length; i++) {
    const whole = found(search, i)
    nodes.push(whole?.node ?? graph.nodes[i])
    if (!whole) continue
    wholes.set(whole.node, whole.op)
    i += whole.count - 1
  }
  return { graph: wholes.size ? { ...graph, nodes } : graph, wholes }
}
