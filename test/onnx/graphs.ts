/** Graphs as tests write them: nodes as `y = Op(a, b)` with attributes, constants as numbers. */

import { Net } from '../../lib/net.js'
import type { Attribute, Graph, Node, Tensor, TensorType, Value } from '../../lib/onnx/graph.js'
import { importGraph } from '../../lib/onnx/import.js'
import type { ImportOptions } from '../../lib/onnx/import_options.js'
import { numbers } from '../layers/run.js'

type Setting = number | string | readonly number[] | Attribute

export interface GraphText {
  opset?: number
  /** Name → shape; those of whole numbers by `type`. */
  inputs?: Record<string, readonly (number | string | undefined)[]>
  outputs: readonly string[]
  constants?: Record<string, Tensor>
  nodes: readonly (readonly [text: string, settings?: Record<string, Setting>])[]
}

const attributeOf = (value: Setting): Attribute => {
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'number') return Number.isInteger(value) ? { type: 'int', value } : { type: 'float', value }
  if ('type' in value) return value
  return { type: 'ints', value }
}

export const real = (value: number): Attribute => ({ type: 'float', value })
export const floats = (shape: readonly number[], ...values: number[]): Tensor => ({
  type: 'float',
  shape,
  data: Float32Array.from(values),
})
export const wholes = (...values: number[]): Tensor => ({
  type: 'int64',
  shape: [values.length],
  data: Float64Array.from(values),
})

function nodeOf(text: string, settings: Record<string, Setting> = {}): Node {
  const [, name = '', outputs, op, inputs] = /^(?:(\S+): )?(.*) = (\w+)\((.*)\)$/.exec(text) ?? []
  const list = (names: string) => (names === '' ? [] : names.split(', ').map(item => (item === '_' ? '' : item)))
  const attributes = new Map(Object.entries(settings).map(([key, value]) => [key, attributeOf(value)]))
  return { name, op, domain: '', inputs: list(inputs), outputs: list(outputs), attributes }
}

export function graphOf({ opset = 13, inputs = {}, outputs, constants = {}, nodes }: GraphText): Graph {
  const value = (name: string, shape?: Value['shape']): Value => ({ name, type: 'float' as TensorType, shape })
  return {
    name: 'hand',
    opset,
    nodes: nodes.map(([text, settings]) => nodeOf(text, settings)),
    initializers: new Map(Object.entries(constants)),
    inputs: Object.entries(inputs).map(([name, shape]) => value(name, shape)),
    outputs: outputs.map(name => value(name)),
    values: new Map(),
    metadata: new Map(),
    producer: '',
  }
}

/** The layers that a graph becomes, as `name: Type`. */
export const layersOf = (text: GraphText, options: ImportOptions = {}): string[] =>
  (importGraph(graphOf(text), options).net.layer ?? []).map(({ name, type }) => `${name}: ${type}`)

/** What the net that a graph becomes computes. */
export async function outputsOf(
  text: GraphText,
  values: Record<string, readonly number[]> = {},
  options: ImportOptions = {},
): Promise<Record<string, { shape: number[]; values: number[] }>> {
  const { net: param } = importGraph(graphOf(text), options)
  const net = await Net.create(param, { engine: 'js', phase: 'TEST' })
  await net.forward(Object.fromEntries(Object.entries(values).map(([name, list]) => [name, Float32Array.from(list)])))
  const result = Object.fromEntries(
    text.outputs.map(name => [name, { shape: net.blobs[name].shape, values: numbers(net.blobs[name].dataArray) }]),
  )
  net.dispose()
  return result
}
