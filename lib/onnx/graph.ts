import { FormatError } from '../errors.js'

// ONNX's graph as plain data: what reading gives, and writing takes.

/** Types of values by ONNX's names. Those after the first line are only named in errors. */
export type TensorType =
  | ('float' | 'double' | 'float16' | 'bfloat16' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32')
  | ('uint64' | 'bool' | 'string' | 'complex64' | 'complex128' | 'unknown')

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array

/** An array of constants. */
export interface Tensor {
  readonly type: TensorType
  /** Sizes of the axes; [] for a single value. */
  readonly shape: readonly number[]
  /**
   * Row-major, as many as the shape says. Halves are in a Float32Array, 64-bit integers in a Float64Array: whole numbers,
   * those beyond ±(2^53 − 1) clamped to it; bools are 0 and 1 in a Uint8Array. May be a view of the file.
   */
  readonly data: TensorData
}

/** The size of an axis: a number; a name, equal ones being equal sizes; undefined where the file says nothing. */
export type Dim = number | string | undefined

/** A name with its type. */
export interface Value {
  readonly name: string
  /** undefined: no array. */
  readonly type: TensorType | undefined
  /** undefined: any number of axes. */
  readonly shape: readonly Dim[] | undefined
}

/**
 * A setting of a node. A graph is read when it is called for, with the names that are known around it, which its nodes
 * may use.
 */
export type Attribute = {
  [T in keyof AttributeValues]: { readonly type: T; readonly value: AttributeValues[T] }
}[keyof AttributeValues]

/** One operation. */
export interface Node {
  /** What its file calls it; may be empty, and need not be the only one of that name. */
  readonly name: string
  readonly op: string
  /** Whose operator it is: '' for ONNX's own. */
  readonly domain: string
  /** Names of values; '' for one that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
}

export interface Graph {
  readonly name: string
  /** Version of ONNX's own operators. */
  readonly opset: number
  /** Each behind those whose outputs it reads. */
  readonly nodes: readonly Node[]
  /** Constants by name. */
  readonly initializers: ReadonlyMap<string, Tensor>
  /** What has to be given: an input with an initializer is none. */
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Types of values between nodes, as far as the file tells them. */
  readonly values: ReadonlyMap<string, Value>
  /** What the author wanted to say, by key. */
  readonly metadata: ReadonlyMap<string, string>
  /** The program that wrote it; '' if it does not say. */
  readonly producer: string
}

/** What this library calls itself in the files that it writes. */
export const PRODUCER = 'ristretto'

export type AttributeType = Attribute['type']

/** What an attribute of a type holds. */
export interface AttributeValues {
  float: number
  int: number
  string: string
  tensor: Tensor
  graph: (outer: ReadonlySet<string>) => Graph
  floats: readonly number[]
  ints: readonly number[]
  strings: readonly string[]
  tensors: undefined
  graphs: undefined
}

/** What an error calls a node. */
export const nodeText = ({ name, op, domain, outputs }: Node): string =>
  `node '${name || outputs.find(output => output) || ''}' (${domain ? `${domain}.` : ''}${op})`

/** An attribute's value, which must be of this type; undefined where the node has none of that name. */
export function attribute<T extends AttributeType>(node: Node, name: string, type: T): AttributeValues[T] | undefined {
  const found = node.attributes.get(name)
  if (found === undefined) return undefined
  if (found.type === type) return found.value as AttributeValues[T]
  throw new FormatError(`${nodeText(node)}: attribute ${name} is of type ${found.type}; it has to be ${type}`)
}

/** A whole number, or its default. */
export const int = (node: Node, name: string, standard: number): number => attribute(node, name, 'int') ?? standard

/** A real number, or its default. */
export const float = (node: Node, name: string, standard: number): number => attribute(node, name, 'float') ?? standard

/** A text, or its default. */
export const string = (node: Node, name: string, standard: string): string =>
  attribute(node, name, 'string') ?? standard

/** Whole numbers; undefined where the node has none of that name. */
export const ints = (node: Node, name: string): readonly number[] | undefined => attribute(node, name, 'ints')

/** How many values an array of this shape has. */
export const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** An array of float32. */
export const floatTensor = (shape: readonly number[], values: Float32Array | readonly number[]): Tensor => ({
  type: 'float',
  shape,
  data: values instanceof Float32Array ? values : Float32Array.from(values),
})

/** A list of whole numbers, as inputs such as a target shape are. */
export const intTensor = (values: readonly number[]): Tensor => ({
  type: 'int64',
  shape: [values.length],
  data: Float64Array.from(values),
})
