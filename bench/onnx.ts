import protobuf from 'protobufjs/minimal.js'
import type { Graph, Op } from './graph.js'

const { Writer } = protobuf
type Writer = protobuf.Writer

/** Field numbers of the ONNX messages used here (onnx.proto, IR version 8). */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 }
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 }
const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5 }
const ATTRIBUTE = { name: 1, float: 2, int: 3, string: 4, ints: 8, kind: 20 }
const KIND = { float: 1, int: 2, string: 3, ints: 7 }
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 }
const FLOAT = 1
const INT64 = 7
const OPSET = 17

type Attributes = Record<string, number | { readonly float: number } | readonly number[] | string>
type Fill = (writer: Writer) => void

const bytes = (field: number) => ((field << 3) | 2) >>> 0
const varint = (field: number) => (field << 3) >>> 0
const message = (writer: Writer, field: number, fill: Fill): void => {
  writer.uint32(bytes(field)).fork()
  fill(writer)
  writer.ldelim()
}

/** An ONNX model under construction. */
export class OnnxModel {
  private readonly nodes: Fill[] = []
  private readonly tensors: Fill[] = []
  private readonly values: Fill[] = []
  private count = 0

  input(name: string, shape: readonly number[]): void {
    this.values.push(writer => message(writer, GRAPH.input, valueInfo(name, shape)))
  }
  output(name: string, shape: readonly number[]): void {
    this.values.push(writer => message(writer, GRAPH.output, valueInfo(name, shape)))
  }

  /** Adds a constant and returns its name. */
  tensor(values: Float32Array | readonly number[], shape: readonly number[]): string {
    const name = `constant${this.count++}`
    const floats = values instanceof Float32Array
    const raw = floats
      ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      : new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    this.tensors.push(writer =>
      message(writer, GRAPH.initializer, tensor => {
        for (const dim of shape) tensor.uint32(varint(TENSOR.dims)).int64(dim)
        tensor.uint32(varint(TENSOR.type)).int32(floats ? FLOAT : INT64)
        tensor.uint32(bytes(TENSOR.name)).string(name)
        tensor.uint32(bytes(TENSOR.raw)).bytes(raw)
      }),
    )
    return name
  }

  node(type: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes = {}): void {
    this.nodes.push(writer =>
      message(writer, GRAPH.node, node => {
        for (const input of inputs) node.uint32(bytes(NODE.input)).string(input)
        for (const output of outputs) node.uint32(bytes(NODE.output)).string(output)
        node.uint32(bytes(NODE.name)).string(outputs[0])
        node.uint32(bytes(NODE.type)).string(type)
        for (const [name, value] of Object.entries(attributes)) message(node, NODE.attribute, attribute(name, value))
      }),
    )
  }

  finish(): Uint8Array {
    const writer = Writer.create()
    writer.uint32(varint(MODEL.irVersion)).int64(8)
    writer.uint32(bytes(MODEL.producer)).string('ristretto bench')
    message(writer, MODEL.graph, graph => {
      for (const node of this.nodes) node(graph)
      graph.uint32(bytes(GRAPH.name)).string('net')
      for (const tensor of this.tensors) tensor(graph)
      for (const value of this.values) value(graph)
    })
    // operator set of the default domain, whose name is empty
    message(writer, MODEL.opset, opset => opset.uint32(varint(2)).int64(OPSET))
    return writer.finish()
  }
}

/** A name with a type: float, of this shape. */
const valueInfo =
  (name: string, shape: readonly number[]): Fill =>
  writer => {
    writer.uint32(bytes(1)).string(name)
    message(writer, 2, type =>
      message(type, 1, tensor => {
        tensor.uint32(varint(1)).int32(FLOAT)
        message(tensor, 2, dims => {
          for (const dim of shape) message(dims, 1, d => d.uint32(varint(1)).int64(dim))
        })
      }),
    )
  }

const attribute =
  (name: string, value: Attributes[string]): Fill =>
  writer => {
    writer.uint32(bytes(ATTRIBUTE.name)).string(name)
    const kind = (k: number) => writer.uint32(varint(ATTRIBUTE.kind)).int32(k)
    if (typeof value === 'number') {
      writer.uint32(varint(ATTRIBUTE.int)).int64(value)
      kind(KIND.int)
    } else if (typeof value === 'string') {
      writer.uint32(bytes(ATTRIBUTE.string)).string(value)
      kind(KIND.string)
    } else if ('float' in value) {
      writer.uint32(((ATTRIBUTE.float << 3) | 5) >>> 0).float(value.float)
      kind(KIND.float)
    } else {
      for (const int of value) writer.uint32(varint(ATTRIBUTE.ints)).int64(int)
      kind(KIND.ints)
    }
  }

/** The graph as an ONNX model whose outputs are the probabilities and the scores. */
export function onnxOf(graph: Graph): Uint8Array {
  const model = new OnnxModel()
  for (const [name, shape] of Object.entries(graph.inputs)) model.input(name, shape)
  for (const op of graph.ops) addOp(model, op)
  for (const name of [graph.prob, graph.scores]) model.output(name, graph.ops.find(op => op.output === name)!.shape)
  return model.finish()
}

/** C ← A·B for square matrices that are both inputs, so that nothing is packed ahead of time. */
export function matmulModel(size: number): Uint8Array {
  const model = new OnnxModel()
  for (const name of ['a', 'b']) model.input(name, [size, size])
  model.node('MatMul', ['a', 'b'], ['c'])
  model.output('c', [size, size])
  return model.finish()
}

const operators = { relu: 'Relu', sigmoid: 'Sigmoid', add: 'Add' } as const

function addOp(model: OnnxModel, op: Op): void {
  const { inputs, output } = op
  switch (op.op) {
    case 'conv': {
      const constants = [
        model.tensor(op.weight, op.weightShape),
        ...(op.bias ? [model.tensor(op.bias, [op.bias.length])] : []),
      ]
      model.node('Conv', [inputs[0], ...constants], [output], {
        kernel_shape: op.weightShape.slice(2),
        strides: op.stride,
        pads: [...op.pad, ...op.pad],
        dilations: op.dilation,
        group: op.group,
      })
      break
    }
    case 'pool':
      model.node(op.method === 'MAX' ? 'MaxPool' : 'AveragePool', inputs, [output], {
        kernel_shape: op.kernel,
        strides: op.stride,
        pads: [op.pads[0][0], op.pads[1][0], op.pads[0][1], op.pads[1][1]],
      })
      break
    case 'lrn':
      model.node('LRN', inputs, [output], {
        size: op.size,
        alpha: { float: op.alpha },
        beta: { float: op.beta },
        bias: { float: op.k },
      })
      break
    case 'fc': {
      const values = op.weight.length / op.outputs
      let from = inputs[0]
      if (op.from.length !== 2) model.node('Flatten', [from], [(from = `${output}:flat`)], { axis: 1 })
      const constants = [
        model.tensor(op.weight, [op.outputs, values]),
        ...(op.bias ? [model.tensor(op.bias, [op.outputs])] : []),
      ]
      model.node('Gemm', [from, ...constants], [output], { transB: 1 })
      break
    }
    case 'batchnorm': {
      const constants = [op.scale, op.bias, op.mean, op.variance].map(values => model.tensor(values, [values.length]))
      model.node('BatchNormalization', [inputs[0], ...constants], [output], { epsilon: { float: op.eps } })
      break
    }
    case 'lstm': {
      const { hidden: H, values } = op
      const bias = new Float32Array(8 * H)
      bias.set(gatesInOnnxOrder(op.bias, H))
      const w = model.tensor(gatesInOnnxOrder(op.wx, H), [1, 4 * H, values])
      const r = model.tensor(gatesInOnnxOrder(op.wh, H), [1, 4 * H, H])
      model.node('LSTM', [inputs[0], w, r, model.tensor(bias, [1, 8 * H])], [`${output}:directions`], {
        hidden_size: H,
      })
      model.node('Squeeze', [`${output}:directions`, model.tensor([1], [1])], [output])
      break
    }
    case 'from':
      model.node(
        'Slice',
        [inputs[0], model.tensor([op.start], [1]), model.tensor([op.start + op.shape[0]], [1]), model.tensor([0], [1])],
        [output],
      )
      break
    case 'reshape':
      model.node('Reshape', [inputs[0], model.tensor(op.shape, [op.shape.length])], [output])
      break
    case 'concat':
      model.node('Concat', inputs, [output], { axis: 1 })
      break
    case 'softmax':
      model.node('Softmax', inputs, [output], { axis: 1 })
      break
    default:
      model.node(operators[op.op], inputs, [output])
  }
}

/** Caffe's gates are input, forget, output, candidate; ONNX wants input, output, forget, candidate. */
function gatesInOnnxOrder(values: Float32Array, hidden: number): Float32Array {
  const gate = (values.length / (4 * hidden)) * hidden
  const ordered = new Float32Array(values.length)
  for (const [to, from] of [0, 2, 1, 3].entries())
    ordered.set(values.subarray(from * gate, (from + 1) * gate), to * gate)
  return ordered
}
