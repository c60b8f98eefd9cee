import { type AttributeValue, float, toAttributes } from '../lib/onnx/builder.js'
import { floatTensor, intTensor, type Node, type Tensor, type Value } from '../lib/onnx/graph.js'
import { writeGraph } from '../lib/onnx/write.js'
import type { Graph, Op } from './graph.js'

const OPSET = 17

/** An ONNX model under construction. */
export class OnnxModel {
  private readonly nodes: Node[] = []
  private readonly tensors = new Map<string, Tensor>()
  private readonly inputs: Value[] = []
  private readonly outputs: Value[] = []

  input(name: string, shape: readonly number[]): void {
    this.inputs.push({ name, type: 'float', shape })
  }
  output(name: string, shape: readonly number[]): void {
    this.outputs.push({ name, type: 'float', shape })
  }

  /** Adds a constant and returns its name. */
  tensor(values: Float32Array | readonly number[], shape: readonly number[]): string {
    const name = `constant${this.tensors.size}`
    this.tensors.set(name, values instanceof Float32Array ? floatTensor(shape, values) : intTensor(values))
    return name
  }

  node(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): void {
    this.nodes.push({ name: outputs[0], op, domain: '', inputs, outputs, attributes: toAttributes(attributes) })
  }

  finish(): Uint8Array {
    const { nodes, tensors: initializers, inputs, outputs } = this
    const more = { values: new Map(), metadata: new Map(), producer: 'ristretto bench' }
    return writeGraph({ name: 'net', opset: OPSET, nodes, initializers, inputs, outputs, ...more })
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
        alpha: float(op.alpha),
        beta: float(op.beta),
        bias: float(op.k),
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
      model.node('BatchNormalization', [inputs[0], ...constants], [output], { epsilon: float(op.eps) })
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
