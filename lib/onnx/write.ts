import { FormatError } from '../errors.js'
import type { AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from '../generated/onnx.js'
import type { PlainMessage } from '../proto/fields.js'
import { MessageWriter } from '../proto/message_writer.js'
import { type Attribute, type Graph, type Node, nodeText, type Tensor, type Value } from './graph.js'
import { schema } from './read.js'
import { bytesOf, numberOf } from './tensor.js'

/** Version of the file format in which a set of operators first was: readers of older files read these. */
const irVersionOf = (opset: number): number => (opset >= 21 ? 10 : opset >= 19 ? 9 : opset >= 15 ? 8 : 7)

/** The model's bytes. The same graph gives the same bytes. */
export function writeGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  const model: ModelProto = {
    ir_version: irVersionOf(graph.opset),
    producer_name: graph.producer || 'ristretto',
    graph: {
      node: graph.nodes.map(toNode),
      name: graph.name,
      initializer: [...graph.initializers].map(([name, tensor]) => toTensor(tensor, name)),
      input: graph.inputs.map(toValue),
      output: graph.outputs.map(toValue),
      value_info: [...graph.values.values()].map(toValue),
    },
    opset_import: [{ domain: '', version: graph.opset }],
    metadata_props: [...graph.metadata].map(([key, value]) => ({ key, value })),
  }
  const writer = new MessageWriter()
  writer.message(schema.message('ModelProto'), model as PlainMessage)
  return writer.finish()
}

function toNode(node: Node): NodeProto {
  const { name, op, domain, inputs, outputs, attributes } = node
  return {
    input: [...inputs],
    output: [...outputs],
    ...(name && { name }),
    op_type: op,
    attribute: [...attributes].map(([key, attribute]) => toAttribute(key, attribute, node)),
    ...(domain && { domain }),
  }
}

const encoder = new TextEncoder()

function toAttribute(name: string, attribute: Attribute, node: Node): AttributeProto {
  switch (attribute.type) {
    case 'float':
      return { name, f: attribute.value, type: 1 }
    case 'int':
      return { name, i: attribute.value, type: 2 }
    case 'string':
      return { name, s: encoder.encode(attribute.value), type: 3 }
    case 'tensor':
      return { name, t: toTensor(attribute.value), type: 4 }
    case 'floats':
      return { name, floats: [...attribute.value], type: 6 }
    case 'ints':
      return { name, ints: [...attribute.value], type: 7 }
    case 'strings':
      return { name, strings: attribute.value.map(text => encoder.encode(text)), type: 8 }
    default:
      throw new FormatError(`${nodeText(node)}: attribute ${name} is of type ${attribute.type}, which is not written`)
  }
}

const toTensor = (tensor: Tensor, name?: string): TensorProto => ({
  dims: [...tensor.shape],
  data_type: numberOf(tensor.type),
  ...(name !== undefined && { name }),
  raw_data: bytesOf(tensor),
})

function toValue({ name, type, shape }: Value): ValueInfoProto {
  if (type === undefined) return { name }
  const dim = shape?.map(size =>
    typeof size === 'number' ? { dim_value: size } : size === undefined ? {} : { dim_param: size },
  )
  return { name, type: { tensor_type: { elem_type: numberOf(type), ...(dim && { shape: { dim } }) } } }
}
