import { FormatError } from '../errors.js'
import {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  schema as tables,
  type ValueInfoProto,
} from '../generated/onnx.js'
import { Schema } from '../proto/fields.js'
import { MessageReader } from '../proto/message_reader.js'
import { inTurns } from '../system/macrotask.js'
import { type Attribute, type Graph, type Node, nodeText, type Tensor, type Value } from './graph.js'
import { inOrder } from './order.js'
import { checkedShape, externalBytes, externalOf, tensorOf, typeOf } from './tensor.js'

/** The messages of ONNX's files. */
export const schema = new Schema(tables)

/** Versions of ONNX's own operators that are read. */
export const OLDEST_OPSET = 1
export const NEWEST_OPSET = 22

/** Graphs within graphs, to this depth. */
const MAX_DEPTH = 16

/** Integers beyond what a number can hold are the nearest: ends of slices are written as 2^63 − 1. */
class OnnxReader extends MessageReader {
  protected override int64(): number {
    return this.reader.clampedInt64()
  }
}

/** How a model's bytes become a graph. */
export interface ReadGraphOptions {
  /** What errors call it. */
  readonly file?: string
  /** Nobody else needs the bytes, so that they may be moved about. */
  readonly own?: boolean
  /** Reads a file that is named in the model as holding some of its weights, relative to the model. */
  readonly external?: (location: string) => Promise<Uint8Array>
}

/**
 * A model's graph, checked: every name is defined once and before it is used, nodes stand in the order of their work, every
 * constant has as many values as its shape says. What is not so is a FormatError. Values are views of the bytes where
 * alignment allows.
 */
export async function readGraph(bytes: Uint8Array, options: ReadGraphOptions = {}): Promise<Graph> {
  const { file = 'this model', own = false, external } = options
  // a view of the same memory whose slices are copies, which a Buffer's are not
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const model = (await inTurns(new OnnxReader(plain, own).read(schema.message('ModelProto'), file))) as ModelProto
  if (!model.graph) throw new FormatError(`${file}: there is no graph in it: is it an ONNX model?`)
  const opset = opsetOf(model, file)
  await fetchExternal(model.graph, file, external)
  const metadata = new Map((model.metadata_props ?? []).map(({ key = '', value = '' }) => [key, value]))
  const producer = [model.producer_name, model.producer_version].filter(Boolean).join(' ')
  return { ...toGraph(model.graph, { file, opset, depth: 0 }), metadata, producer }
}

function opsetOf({ opset_import = [] }: ModelProto, file: string): number {
  const own = opset_import.filter(({ domain = '' }) => domain === '' || domain === 'ai.onnx')
  const version = own.length ? Math.max(...own.map(item => item.version ?? 0)) : 0
  if (version < OLDEST_OPSET || version > NEWEST_OPSET)
    throw new FormatError(
      `${file}: it uses version ${version} of ONNX's operators; ${OLDEST_OPSET} to ${NEWEST_OPSET} are read. onnx.version_converter of ONNX's Python package brings it there`,
    )
  return version
}

/** Put the bytes that stand in other files into the tensors that name them. */
async function fetchExternal(graph: GraphProto, file: string, read: ReadGraphOptions['external']): Promise<void> {
  const files = new Map<string, Uint8Array>()
  for (const proto of tensorsOf(graph)) {
    const where = `${file}: tensor '${proto.name ?? ''}'`
    const external = externalOf(proto, where)
    if (!external) continue
    const { location } = external
    if (!read)
      throw new FormatError(
        `${where}: its values are in the file '${location}'; give the model by its path, or the option files`,
      )
    const bytes = files.get(location) ?? (await read(location))
    files.set(location, bytes)
    proto.raw_data = externalBytes(proto, external, bytes, where)
  }
}

function* tensorsOf({ initializer = [], node = [] }: GraphProto): Generator<TensorProto> {
  yield* initializer
  for (const { attribute = [] } of node) for (const { t } of attribute) if (t) yield t
}

/** Where a graph stands. */
interface Place {
  readonly file: string
  readonly opset: number
  /** How many graphs are around it. */
  readonly depth: number
}

function toGraph(proto: GraphProto, place: Place, outer: ReadonlySet<string> = new Set()): Graph {
  const { file, opset } = place
  if (proto.sparse_initializer?.length)
    throw new FormatError(`${file}: it has sparse constants, which are not read: write them as plain ones`)
  const initializers = new Map<string, Tensor>()
  for (const item of proto.initializer ?? []) {
    const name = item.name ?? ''
    if (initializers.has(name)) throw new FormatError(`${file}: two constants are called '${name}'`)
    initializers.set(name, tensorOf(item, `${file}: tensor '${name}'`))
  }
  const inputs = (proto.input ?? []).map(input => toValue(input, file)).filter(({ name }) => !initializers.has(name))
  const nodes = (proto.node ?? []).map((node, i) => toNode(node, i, place))
  const outputs = (proto.output ?? []).map(output => toValue(output, file))
  const values = new Map((proto.value_info ?? []).map(value => [value.name ?? '', toValue(value, file)]))
  const given = [...inputs.map(({ name }) => name), ...initializers.keys()]
  const ordered = inOrder(nodes, given, outer, outputs, file)
  const name = proto.name ?? ''
  return { name, opset, nodes: ordered, initializers, inputs, outputs, values, metadata: new Map(), producer: '' }
}

function toValue({ name = '', type }: ValueInfoProto, file: string): Value {
  const tensor = type?.tensor_type
  if (!tensor) return { name, type: undefined, shape: undefined }
  const dims = tensor.shape && (tensor.shape.dim ?? [])
  const shape = dims?.map(({ dim_value, dim_param }) => dim_value ?? (dim_param || undefined))
  const sizes = shape?.filter(size => typeof size === 'number') ?? []
  // a size of 0 or −1 is how some writers say that they do not know it
  checkedShape(
    sizes.map(size => Math.max(size, 0)),
    `${file}: value '${name}'`,
  )
  return {
    name,
    type: typeOf(tensor.elem_type),
    shape: shape?.map(size => (typeof size === 'number' && size < 0 ? undefined : size)),
  }
}

function toNode(proto: NodeProto, index: number, place: Place): Node {
  const { name = '', op_type: op = '', input: inputs = [], output: outputs = [] } = proto
  const domain = proto.domain === 'ai.onnx' ? '' : (proto.domain ?? '')
  if (!op) throw new FormatError(`${place.file}: node ${index} ('${name}') does not say which operator it is`)
  const attributes = new Map<string, Attribute>()
  const node: Node = { name, op, domain, inputs, outputs, attributes }
  for (const attribute of proto.attribute ?? []) {
    const key = attribute.name ?? ''
    const where = `${place.file}: ${nodeText(node)}: attribute ${key}`
    if (attributes.has(key)) throw new FormatError(`${where} is there twice`)
    attributes.set(key, toAttribute(attribute, where, place))
  }
  return node
}

/** Types by their numbers; the field that holds such a value. */
const KINDS = [
  ['float', 'f'],
  ['int', 'i'],
  ['string', 's'],
  ['tensor', 't'],
  ['graph', 'g'],
  ['floats', 'floats'],
  ['ints', 'ints'],
  ['strings', 'strings'],
  ['tensors', 'tensors'],
  ['graphs', 'graphs'],
] as const

function toAttribute(proto: AttributeProto, where: string, place: Place): Attribute {
  // old files leave the type out, and the one field that is there tells it
  const kind = proto.type ? KINDS[proto.type - 1] : KINDS.find(([, field]) => proto[field] !== undefined)
  if (!kind || proto.ref_attr_name)
    throw new FormatError(`${where} has no value of a type that is known (its type is ${proto.type ?? 0})`)
  const [type] = kind
  switch (type) {
    case 'float':
      return { type, value: proto.f ?? 0 }
    case 'int':
      return { type, value: proto.i ?? 0 }
    case 'string':
      return { type, value: textOf(proto.s) }
    case 'floats':
      return { type, value: proto.floats ?? [] }
    case 'ints':
      return { type, value: proto.ints ?? [] }
    case 'strings':
      return { type, value: (proto.strings ?? []).map(textOf) }
    case 'tensor':
      if (!proto.t) throw new FormatError(`${where} has no tensor`)
      return { type, value: tensorOf(proto.t, where) }
    case 'graph':
      return { type, value: outer => innerGraph(proto.g, where, place, outer) }
    default:
      return { type, value: undefined }
  }
}

const decoder = new TextDecoder()
const textOf = (bytes: Uint8Array | undefined): string => {
  if (!bytes) return ''
  // decoders take no view of shared memory
  return decoder.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice())
}

function innerGraph(bytes: Uint8Array | undefined, where: string, place: Place, outer: ReadonlySet<string>): Graph {
  if (!bytes) throw new FormatError(`${where} has no graph`)
  const depth = place.depth + 1
  if (depth > MAX_DEPTH) throw new FormatError(`${where}: more than ${MAX_DEPTH} graphs in graphs`)
  const steps = new OnnxReader(bytes).read(schema.message('GraphProto'), where)
  let step = steps.next()
  while (!step.done) step = steps.next()
  const graph = step.value as GraphProto
  for (const tensor of tensorsOf(graph))
    if (externalOf(tensor, where)) throw new FormatError(`${where}: a constant of it has its values in another file`)
  return toGraph(graph, { ...place, depth }, outer)
}
