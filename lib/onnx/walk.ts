import { FormatError, throwAll } from '../errors.js'
import { isWhole } from './fold/arrays.js'
import { fold, foldShape } from './fold.js'
import {
  type Attribute,
  attribute,
  countOf,
  type Graph,
  type Node,
  nodeText,
  PRODUCER,
  type Tensor,
  type TensorType,
} from './graph.js'
import type { Op } from './ops/handler.js'
import { ops } from './ops/index.js'
import { resultType } from './ops/types.js'
import { Names, type Operand, type Piece, type Step, Workshop } from './pieces.js'
import { recogniseNodes } from './recognise_nodes.js'

// From a graph to layers: node by node, computing what is constant and collecting what cannot come.

/** A model as layers. */
export interface Walked {
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  /** Of every value that there is. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  readonly pieces: Piece[]
  readonly workshop: Workshop
  /** How many nodes were computed while reading, by operator. */
  readonly folded: ReadonlyMap<string, number>
  /** Nodes of each operator that became layers, and which layers. */
  readonly mapped: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** What is known beside the graph. */
export interface WalkOptions {
  /** What becomes of nodes that stand for several which were found to be a layer. */
  readonly wholes: ReadonlyMap<Node, Op>
  /** How many of what is counted only in a pass there are taken to be. */
  readonly found: number
  /** Shapes of values that an earlier walk has found: with them, wholes within branches are recognised. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>
}

/** How a node is told to somebody who looks for it in a file with thousands. */
const MOST_ERRORS = 50

/** Most values that all computed constants hold. */
const MOST_COMPUTED = 2 ** 27

class Walk {
  readonly values = new Map<string, Operand>()
  /** What the model says that a value holds, where nodes made it. */
  private readonly types = new Map<string, TensorType>()
  readonly folded = new Map<string, number>()
  readonly mapped = new Map<string, Map<string, number>>()
  readonly errors: FormatError[] = []
  /** Values that could not be made: what reads them is not told about as well. */
  private readonly lost = new Set<string>()
  /** Values that nodes were folded to. */
  private computed = 0
  private readonly reads = new Map<string, number>()
  readonly workshop: Workshop

  constructor(
    private readonly graph: Graph,
    private readonly options: WalkOptions,
  ) {
    this.count(graph)
    const named = [...graph.inputs, ...graph.outputs].map(({ name }) => name)
    const blobs = new Names([...named, ...graph.nodes.flatMap(node => node.outputs), ...graph.initializers.keys()])
    this.workshop = new Workshop(blobs, this.reads)
    this.addConstants(graph)
  }

  /** What each value is read by: nodes, and the outputs of the graph. */
  private count({ nodes, outputs }: Graph): void {
    const add = (name: string) => this.reads.set(name, (this.reads.get(name) ?? 0) + 1)
    for (const node of nodes) node.inputs.forEach(add)
    for (const { name } of outputs) add(name)
  }

  private addConstants({ initializers }: Graph): void {
    for (const [name, tensor] of initializers) this.addConstant(name, tensor)
  }

  addConstant(name: string, tensor: Tensor): void {
    this.values.set(name, { name, shape: tensor.shape, type: tensor.type, constant: tensor })
  }

  run(nodes: readonly Node[]): void {
    for (const node of nodes)
      try {
        this.visit(node)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        this.errors.push(error)
        for (const name of node.outputs) this.lost.add(name)
      }
  }

  private visit(node: Node): void {
    const isKnown = node.domain === '' && Object.hasOwn(ops, node.op)
    const inputs = node.inputs.map(name => (name === '' ? undefined : this.values.get(name)))
    const lost = node.inputs.some(name => this.lost.has(name))
    const constants = inputs.map(operand => operand?.constant)
    const isConstant = !lost && inputs.every((operand, i) => operand?.constant || node.inputs[i] === '')
    if (!lost && node.op === 'If' && node.domain === '' && inputs[0]) {
      if (constants[0]) this.branch(node, constants[0])
      else this.choose(node, inputs[0])
      return
    }
    const isSize = node.domain === '' && (node.op === 'Shape' || node.op === 'Size')
    if (!lost && node.op !== 'Constant' && (isSize ? !inputs[0] : !inputs.length && isKnown))
      throw new FormatError(`${nodeText(node)}: it has no input`)
    const shape = inputs[0] && node.domain === '' ? foldShape(node, inputs[0].shape) : undefined
    const results = shape ? [shape] : isConstant ? fold(node, constants, this.graph.opset) : undefined
    if (results) {
      this.takeRoom(node, constants, results)
      this.folded.set(node.op, (this.folded.get(node.op) ?? 0) + 1)
      for (const [i, name] of node.outputs.entries()) if (name && results[i]) this.addConstant(name, results[i])
      return
    }
    // Shape and Size need no layer, and are only here when their input is lost, or missing
    if (!isKnown && !isSize) throw new FormatError(unknown(node))
    if (lost) {
      for (const name of node.outputs) this.lost.add(name)
      return
    }
    this.build(node, inputs)
  }

  /** What is computed stays until the net is made: all of it together has a bound as well. */
  private takeRoom(node: Node, from: readonly (Tensor | undefined)[], results: readonly Tensor[]): void {
    for (const { data } of results) if (!from.some(tensor => tensor?.data === data)) this.computed += data.length
    if (this.computed > MOST_COMPUTED)
      throw new FormatError(
        `${nodeText(node)}: with it ${this.computed} values were computed while reading; ${MOST_COMPUTED} are allowed`,
      )
  }

  private build(node: Node, inputs: readonly (Operand | undefined)[]): void {
    const empty = inputs.find(operand => operand && !operand.constant && countOf(operand.shape) === 0)
    if (empty)
      throw new FormatError(`${nodeText(node)}: its input '${empty.name}' has no values, [${empty.shape.join(', ')}]`)
    const { pieces } = this.workshop
    const before = pieces.length
    const step: Step = {
      node,
      opset: this.graph.opset,
      isOwn: this.graph.producer === PRODUCER,
      found: this.options.found,
      inputs,
      types: node.inputs.map((name, i) => this.types.get(name) ?? inputs[i]?.type),
      name: node.name || node.outputs.find(name => name !== '') || node.op,
      workshop: this.workshop,
      reads: name => this.reads.get(name) ?? 0,
    }
    let tops: readonly Operand[]
    try {
      const built = (this.options.wholes.get(node) ?? ops[node.op]).build(step)
      tops = Array.isArray(built) ? built : [built as Operand]
    } catch (error) {
      pieces.splice(before)
      throw error
    }
    const made = pieces.slice(before)
    this.nameLast(made, tops[0], step.name)
    for (const [i, name] of node.outputs.entries()) {
      const top = tops[i]
      if (name === '' || !top) continue
      const isMade = top.maker !== undefined && made.includes(top.maker)
      if (isMade && top.name === '') top.name = name
      this.values.set(name, top)
      this.types.set(name, isMade && top.type !== 'float' ? top.type : resultType(step, i))
    }
    // what lies between, and what nobody asked for
    for (const piece of made)
      for (const top of piece.tops) if (top.name === '') top.name = this.workshop.blobs.unique(piece.name)
    const types = this.mapped.get(node.op) ?? new Map<string, number>()
    this.mapped.set(node.op, types)
    const text = made.map(piece => piece.type).join('+') || 'none'
    types.set(text, (types.get(text) ?? 0) + 1)
  }

  /** The layer that gives the output has the node's own name where no other has taken it. */
  private nameLast(made: readonly Piece[], top: Operand | undefined, name: string): void {
    const last = top?.maker
    // what this library writes behind a layer's operation is of that layer
    const isBehind = this.graph.producer === PRODUCER && last?.asked?.startsWith(`${name}/`)
    if (!last || !(made.includes(last) || isBehind)) return
    // one of them has it, or would if another node had not
    const isTaken = made.some(piece => piece.name === name || piece.asked === name)
    if (isTaken) return
    last.asked = name
    last.name = this.workshop.layers.unique(name)
  }

  /** The branch of an If whose condition is known takes its place. */
  private branch(node: Node, condition: Tensor): void {
    const results = this.walkBranch(node, condition.data[0] ? 'then_branch' : 'else_branch', '')
    node.outputs.forEach((output, i) => {
      const value = this.values.get(results[i] ?? '')
      if (value) this.values.set(output, value)
      else this.lost.add(output)
    })
  }

  /** Both branches of an If whose condition is computed: they have no effect beside their values, of which one is taken. */
  private choose(node: Node, condition: Operand): void {
    const [yes, no] = [this.walkBranch(node, 'then_branch', 'then/'), this.walkBranch(node, 'else_branch', 'else/')]
    if (countOf(condition.shape) !== 1) throw new FormatError(`${nodeText(node)}: its condition is not one value`)
    node.outputs.forEach((output, i) => {
      if (output === '') return
      const [a, b] = [yes[i], no[i]].map(name => this.values.get(name ?? ''))
      if (!a || !b) {
        this.lost.add(output)
        return
      }
      const isAlike = a.shape.join() === b.shape.join() && a.shape.length >= condition.shape.length
      if (!isAlike)
        throw new FormatError(
          `${nodeText(node)}: its condition is computed, and its branches give [${a.shape.join(', ')}] and [${b.shape.join(', ')}]: no net without branches is the same; the option constants may fix what it depends on`,
        )
      const where = { op: 'Where', inputs: [node.inputs[0], yes[i], no[i]], outputs: [output], attributes: new Map() }
      this.run([{ ...node, ...where }])
    })
  }

  /** The values of a branch, by name. */
  private walkBranch(node: Node, name: string, behind: string): string[] {
    const read = attribute(node, name, 'graph')
    if (!read) throw new FormatError(`${nodeText(node)}: it has no ${name}`)
    const inner = read(new Set(this.values.keys()))
    // names within may be those of the other branch or of another If: they are this node's
    const prefix = `${node.name || node.outputs[0]}/${behind}`
    const own = new Set([...inner.initializers.keys(), ...inner.nodes.flatMap(({ outputs }) => outputs)])
    const rename = (value: string) => (own.has(value) && value !== '' ? prefix + value : value)
    for (const [key, tensor] of inner.initializers) this.addConstant(rename(key), tensor)
    const nodes = inner.nodes.map(item => ({
      ...item,
      inputs: item.inputs.map(rename),
      outputs: item.outputs.map(rename),
      attributes: withNames(item.attributes, rename, own),
    }))
    this.count({ ...inner, nodes, outputs: inner.outputs.map(value => ({ ...value, name: rename(value.name) })) })
    this.run(this.better(inner, nodes, rename))
    return inner.outputs.map(value => rename(value.name))
  }

  /** The nodes of a branch, whose values have their names for good, with one for several that are a whole. */
  private better(inner: Graph, nodes: readonly Node[], rename: (name: string) => string): readonly Node[] {
    const { shapes } = this.options
    if (!shapes) return nodes
    const constants = [...this.values].flatMap(([name, { constant }]) => (constant ? [[name, constant] as const] : []))
    const outputs = inner.outputs.map(value => ({ ...value, name: rename(value.name) }))
    return recogniseNodes({ ...inner, nodes, outputs, initializers: new Map(constants) }, shapes).nodes
  }
}

/** Attributes whose graphs read values around them by their new names; `own` are those that have one. */
function withNames(
  attributes: Node['attributes'],
  rename: (name: string) => string,
  own: ReadonlySet<string>,
): Node['attributes'] {
  return new Map(
    [...attributes].map(([key, attribute]): [string, Attribute] => {
      if (attribute.type !== 'graph') return [key, attribute]
      const value = (known: ReadonlySet<string>): Graph => {
        const graph = attribute.value(new Set([...known, ...own]))
        const mine = new Set([...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)])
        const outer = (name: string) => (mine.has(name) ? name : rename(name))
        const nodes = graph.nodes.map(node => ({
          ...node,
          inputs: node.inputs.map(outer),
          attributes: withNames(node.attributes, outer, own),
        }))
        return { ...graph, nodes, outputs: graph.outputs.map(output => ({ ...output, name: outer(output.name) })) }
      }
      return [key, { type: 'graph', value }]
    }),
  )
}

const unknown = (node: Node): string =>
  `${nodeText(node)}: ${
    node.domain
      ? `operators of ${node.domain} are not read`
      : node.op === 'If'
        ? 'its condition is missing'
        : `no layer does what ${node.op} does`
  }`

/** Turns a graph into layers, or throws one FormatError that names every node that cannot come. */
export function walk(
  graph: Graph,
  sizes: ReadonlyMap<string, readonly number[]>,
  constants: ReadonlyMap<string, Tensor>,
  options: WalkOptions,
): Walked {
  const all = new Walk(graph, options)
  const inputs: Operand[] = []
  for (const { name, type } of graph.inputs) {
    const given = constants.get(name)
    if (given) {
      all.addConstant(name, given)
      continue
    }
    if (type === undefined || type === 'string' || type.startsWith('complex'))
      throw new FormatError(`input '${name}' holds ${type ?? 'no array'}: blobs hold numbers`)
    const operand: Operand = { name, shape: sizes.get(name) ?? [], type, fixed: true }
    inputs.push(operand)
    all.values.set(name, operand)
  }
  all.run(graph.nodes)
  refuse(all.errors)
  const outputs = graph.outputs.map(({ name }) => outputOf(all, name))
  return {
    inputs,
    outputs,
    shapes: new Map([...all.values].map(([name, { shape }]) => [name, shape])),
    pieces: all.workshop.pieces,
    workshop: all.workshop,
    folded: all.folded,
    mapped: all.mapped,
  }
}

function refuse(errors: readonly FormatError[]): void {
  const more = errors.length - MOST_ERRORS
  const rest = more > 0 ? [new FormatError(`and ${more} more nodes`)] : []
  throwAll([...errors.slice(0, MOST_ERRORS), ...rest])
}

/** The blob of an output: one of that name, which nobody else is. */
function outputOf(all: Walk, name: string): Operand {
  const operand = all.values.get(name)
  if (!operand) throw new FormatError(`nothing computes the output '${name}'`)
  if (isWhole(operand.type) && operand.constant) all.workshop.blob(operand)
  const blob = all.workshop.blob(operand)
  if (!blob.fixed && blob.maker) {
    blob.name = name
    blob.fixed = true
    return blob
  }
  // an input, or the value of another output: a copy has the name
  const [copy] = all.workshop.add(name, 'Split', [blob], [blob.shape])
  copy.name = name
  copy.fixed = true
  return copy
}
