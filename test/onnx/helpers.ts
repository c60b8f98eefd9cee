import type protobuf from 'protobufjs'
import type { Attribute, Graph, Node, Tensor, Value } from '../../lib/onnx/graph.js'
import { protoRoot } from '../../scripts/proto_root.js'

/** Bytes of a message of ONNX's, as protobufjs writes it: the reference of our reader. */
export async function encode(type: string, message: object): Promise<Uint8Array> {
  const found = (await protoRoot('onnx')).lookupType(`onnx.${type}`)
  return new Uint8Array(found.encode(found.fromObject(message)).finish())
}

/** A message of ONNX's as protobufjs reads it: the reference of our writer. */
export async function decode(type: string, bytes: Uint8Array): Promise<Record<string, unknown>> {
  const found: protobuf.Type = (await protoRoot('onnx')).lookupType(`onnx.${type}`)
  return found.toObject(found.decode(bytes), { longs: Number })
}

/** A value of type float. */
export const floats = (name: string, shape: Value['shape']): Value => ({ name, type: 'float', shape })

/** A node named as its first output. */
export const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Node => ({ name: outputs[0], op, domain: '', inputs, outputs, attributes: new Map(Object.entries(attributes)) })

/** A graph of opset 13 from its parts. */
export const graphOf = (parts: {
  nodes: readonly Node[]
  inputs?: readonly Value[]
  outputs: readonly Value[]
  initializers?: Readonly<Record<string, Tensor>>
  metadata?: Readonly<Record<string, string>>
  opset?: number
}): Graph => ({
  name: 'net',
  opset: parts.opset ?? 13,
  nodes: parts.nodes,
  initializers: new Map(Object.entries(parts.initializers ?? {})),
  inputs: parts.inputs ?? [],
  outputs: parts.outputs,
  values: new Map(),
  metadata: new Map(Object.entries(parts.metadata ?? {})),
  producer: '',
})
