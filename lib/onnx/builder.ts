import type { Blob } from '../blob.js'
import type { NetError } from '../errors.js'
import type { Layer } from '../layer.js'
import type { NetNode } from '../net/node.js'
import { shortFloat } from '../system/format.js'
import {
  type Attribute,
  countOf,
  type Dim,
  floatTensor,
  intTensor,
  type Node,
  type Tensor,
  type Value,
} from './graph.js'

/** What of a net is written, and how. */
export interface ExportOptions {
  /** Names of the blobs that are the graph's outputs; default: the net's. */
  readonly outputs?: readonly string[]
  /** What the file says beside the graph, such as the mean that was subtracted from pictures. */
  readonly metadata?: Readonly<Record<string, string>>
  /**
   * How LSTM and RNN layers are written. 'steps', the default: every step by itself, for sequences of this length and any
   * cont. 'whole': an LSTM is one node, for sequences that all begin at step 0.
   */
  readonly sequence?: 'steps' | 'whole'
  /** Version of ONNX's operators, 13 to 21; default: 13, which most programs read. */
  readonly opset?: number
}

/** An attribute: whole numbers, texts and lists of whole numbers as they are, others with their type. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | {
      readonly type: 'tensor'
      readonly value: { readonly type: 'float'; readonly shape: readonly number[]; readonly data: Float32Array }
    }

/** An attribute that is a real number, as float32 has it. */
export const float = (value: number): { type: 'float'; value: number } => ({
  type: 'float',
  value: shortFloat(Math.fround(value)),
})

/** A node while the graph grows: names of values may still change. */
export interface OpenNode extends Node {
  inputs: string[]
  outputs: string[]
}

/** A graph that grows, layer by layer. Values that are tops have no names yet: `nameValues` gives them. */
export class GraphBuilder {
  readonly nodes: OpenNode[] = []
  readonly initializers = new Map<string, Tensor>()
  readonly inputs: Value[] = []
  /** The values of `inputs`, while they have no names. */
  readonly inputValues: string[] = []
  readonly outputs: Value[] = []
  /** Outputs beside the net's: states of recurrent layers. */
  readonly extraOutputs: Value[] = []
  /** Tops that are states of recurrent layers, called as those that are no tops: they stand where those would. */
  readonly states: string[] = []
  /** Layers that another one has taken into its own node: their tops are their bottoms. */
  readonly absorbed = new Set<NetNode>()
  /** The value of each blob of the net, by its number. */
  readonly current = new Map<number, string>()
  /** What each value that is a top was written as. */
  readonly opened = new Map<string, { readonly blob: string; readonly layer: string }>()
  readonly identity: OpenNode = { name: '', op: 'Identity', domain: '', inputs: [], outputs: [], attributes: new Map() }
  /** Shapes of values that depend on what is computed; undefined: all of it does. */
  private readonly varying = new Map<string, readonly Dim[] | undefined>()
  private readonly valueNames: Set<string>
  private readonly nodeNames = new Set<string>()
  /** Names of the constants that are a param, by its memory: several layers may share it. */
  private readonly params = new Map<unknown, string>()

  /** @param blobs names that nothing but blobs may have */
  constructor(blobs: readonly string[]) {
    this.valueNames = new Set(blobs)
  }

  /** A value for a top, without a name. */
  open(node: NetNode, k: number): string {
    // no name of a file begins so
    const value = `\0${this.opened.size}`
    this.opened.set(value, { blob: node.top[k].name, layer: node.key })
    const inputs = node.bottoms.map(blob => this.current.get(blob) ?? '')
    if (inputs.some(input => this.varying.has(input))) this.varying.set(value, undefined)
    return value
  }

  input(value: string, name: string, shape: readonly number[]): void {
    this.inputs.push({ name, type: 'float', shape })
    this.inputValues.push(value)
  }

  /** A name that no value has yet: this one, or with a number behind it. */
  valueName(wanted: string): string {
    return unique(wanted, this.valueNames)
  }

  /** The same for nodes. */
  nodeName(wanted: string): string {
    return unique(wanted, this.nodeNames)
  }

  /** A constant; what is in the same memory and has the same shape is one. */
  constant(wanted: string, tensor: Tensor, memory?: unknown): string {
    const known = memory ? this.params.get(memory) : undefined
    if (known !== undefined && this.initializers.get(known)!.shape.join() === tensor.shape.join()) return known
    const name = this.valueName(wanted)
    this.initializers.set(name, tensor)
    if (memory) this.params.set(memory, name)
    return name
  }

  /** A constant that is called after the node that reads it. */
  unnamed(tensor: Tensor): string {
    // no name of a file begins so
    const name = `\0c${this.initializers.size}`
    this.initializers.set(name, tensor)
    return name
  }

  /** Gives them their names: what a node makes, and the place among what it reads. */
  nameConstants(): void {
    const names = new Map<string, string>()
    for (const node of this.nodes) {
      const [made] = node.outputs
      const isOutput = node.op === 'Identity'
      node.inputs = node.inputs.map((input, i) => {
        if (!input.startsWith('\0c')) return input
        const name = names.get(input) ?? this.valueName(isOutput ? `${made}_0` : `${made}:${i}`)
        names.set(input, name)
        return name
      })
    }
    const all = [...this.initializers].map(([name, tensor]) => [names.get(name) ?? name, tensor] as const)
    this.initializers.clear()
    for (const [name, tensor] of all) this.initializers.set(name, tensor)
  }

  /** Say of which sizes a value is where these depend on what is computed. */
  varies(value: string, shape: readonly Dim[]): void {
    this.varying.set(value, shape)
  }

  shapeOf(value: string, shape: readonly number[]): readonly Dim[] | undefined {
    return this.varying.has(value) ? this.varying.get(value) : shape
  }
}

/** What Reshape is told: 0 for axes at the front that stay, then one that is what is left. */
export function reshapeTarget(from: readonly number[], to: readonly number[]): number[] {
  const kept = to.findIndex((size, i) => size !== from[i])
  return to.map((size, i) => (kept < 0 || i < kept ? 0 : i === kept ? -1 : size))
}

function unique(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`
  taken.add(name)
  return name
}

/**
 * What a layer writes itself to: `static toOnnx(graph, layer)` of a class of layers is called with it. Values are names:
 * of `inputs`, of what `node`, `constant` and `weight` give.
 */
export class OnnxGraph {
  /** The values of the bottoms, and those that the tops have to get, in order. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly bottom: readonly Blob[]
  readonly top: readonly Blob[]
  readonly layer: Layer

  /** @internal */
  constructor(
    private readonly builder: GraphBuilder,
    node: NetNode,
    inputs: readonly string[],
    outputs: readonly string[],
    private readonly onlyReader?: NetNode,
  ) {
    this.layer = node.layer
    this.key = node.key
    this.inputs = inputs
    this.outputs = outputs
    this.bottom = node.bottom
    this.top = node.top
  }
  /** The layer's name in its net. */
  readonly key: string

  /**
   * Add an operation of ONNX's opset 13. Gives the name of its first output: one of `outputs`, or a new one. The node that
   * makes the first top has the layer's name.
   */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    outputs: readonly string[] = [this.value(op)],
  ): string {
    const isMain = outputs.includes(this.outputs[0])
    this.builder.nodes.push({
      name: this.builder.nodeName(isMain ? this.key : `${this.key}/${op}`),
      op,
      domain: '',
      inputs: [...inputs],
      outputs: [...outputs],
      attributes: toAttributes(attributes),
    })
    return outputs[0]
  }

  /** The same as the last step, to the layer's k-th top. */
  last(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    k = 0,
  ): string {
    return this.node(op, inputs, attributes, [this.outputs[k]])
  }

  /** A name for a value between the layer's nodes. */
  value(what: string): string {
    return this.builder.valueName(`${this.key}:${what}`)
  }

  /** Several of them. */
  values(what: string, count: number): string[] {
    return Array.from({ length: count }, () => this.value(what))
  }

  /** A constant of float32. */
  constant(shape: readonly number[], values: Float32Array | readonly number[]): string {
    return this.add(floatTensor(shape, values))
  }

  /** A single float32. */
  scalar(value: number): string {
    return this.constant([], [value])
  }

  /** A constant list of whole numbers, as shapes and axes are. */
  ints(...values: readonly number[]): string {
    return this.add(intTensor(values))
  }

  /** A single whole number. */
  int(value: number): string {
    return this.places([value], [])
  }

  /** Whole numbers of this shape. */
  places(values: readonly number[], shape: readonly number[]): string {
    return this.add({ ...intTensor(values), shape })
  }

  /** A learned param of the layer, or another shape of it. Shared params are one constant. */
  weight(i: number, shape?: readonly number[]): string {
    const { memory, shape: own } = this.layer.blobs[i]
    const tensor = floatTensor(shape ?? own, memory.data.values)
    return this.builder.constant(`${this.key}_${i}`, tensor, memory.data)
  }

  /** What is made of params: it is called like a param. */
  derived(i: number, shape: readonly number[], values: Float32Array): string {
    return this.builder.constant(`${this.key}_${i}`, floatTensor(shape, values))
  }

  /** A value in another shape: sizes of axes at the front that stay are taken from it, so that any batch will do. */
  reshape(value: string, from: readonly number[], to: readonly number[], output?: string): string {
    if (countOf(from) === 0) throw this.layer.error('a blob without values has no ONNX form')
    const inputs = [value, this.ints(...reshapeTarget(from, to))]
    return output === undefined ? this.node('Reshape', inputs) : this.node('Reshape', inputs, {}, [output])
  }

  /** The values `from` to `to` along an axis. */
  slice(value: string, axis: number, from: number, to: number, step = 1): string {
    const lists = [from, to, axis, ...(step !== 1 ? [step] : [])]
    return this.node('Slice', [value, ...lists.map(number => this.ints(number))])
  }

  /** An input of the graph that the net has not: its name. */
  input(name: string, shape: readonly number[]): string {
    const own = this.builder.valueName(name)
    this.builder.inputs.push({ name: own, type: 'float', shape })
    this.builder.inputValues.push(own)
    return own
  }

  /** An output of the graph that the net has not: its name. */
  output(name: string, shape: readonly number[]): string {
    const own = this.builder.valueName(name)
    this.builder.extraOutputs.push({ name: own, type: 'float', shape })
    return own
  }

  /** @internal The k-th top is a state that is called as if it were none of the net's: if it is an output, it comes last. */
  isState(k: number): void {
    this.builder.states.push(this.outputs[k])
  }

  /**
   * @internal The Scale layer that alone reads the first top, and has one value a channel: it counts as written with this
   * layer. Undefined where there is none.
   */
  takeChannelScale(): OnnxGraph | undefined {
    const scale = this.onlyReader
    if (scale?.layer.type !== 'Scale' || scale.bottom.length !== 1 || !scale.layer.channelAffine()) return undefined
    this.builder.absorbed.add(scale)
    return new OnnxGraph(this.builder, scale, this.outputs, this.outputs)
  }

  /** Say that sizes of the k-th top depend on what is computed: undefined is such a size. */
  varies(shape: readonly (number | undefined)[], k = 0): void {
    this.builder.varies(this.outputs[k], shape)
  }

  /** An error that says why this layer has no ONNX form. */
  error(message: string): NetError {
    return this.layer.error(message)
  }

  private add(tensor: Tensor): string {
    return this.builder.unnamed(tensor)
  }
}

/**
 * How a layer is written: a class of layers outside the library has one as `static toOnnx`. What it gives are values that
 * the tops are as they stand, one for each, where nothing is to be done.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: most write nodes and give nothing
export type ToOnnx = (graph: OnnxGraph, layer: Layer, options: ExportOptions) => readonly string[] | void

/** Attributes with their types. */
export const toAttributes = (attributes: Readonly<Record<string, AttributeValue>>): Map<string, Attribute> =>
  new Map(Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)]))

function toAttribute(value: AttributeValue): Attribute {
  if (typeof value === 'number') return { type: 'int', value }
  if (typeof value === 'string') return { type: 'string', value }
  return Array.isArray(value) ? { type: 'ints', value } : (value as Attribute)
}
