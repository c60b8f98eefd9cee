import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import { float, type OnnxGraph } from '../builder.js'
import type { Exporter, Exporters } from './entry.js'

/** A layer that is one operator without settings. */
const one = (op: string): Exporter => ({
  write: graph => {
    graph.last(op, graph.inputs)
  },
  ops: [op],
})

/** A chain of steps on a value; those that change nothing are left out, and the last one makes the top. */
class Chain {
  private readonly steps: [
    op: string,
    inputs: (x: string) => string[],
    attributes?: Parameters<OnnxGraph['node']>[2],
  ][] = []
  constructor(private readonly graph: OnnxGraph) {}

  /** `value` comes second, unless it is the neutral one. */
  by(op: 'Mul' | 'Add' | 'Pow', value: number): this {
    if (value !== (op === 'Add' ? 0 : 1)) this.steps.push([op, x => [x, this.graph.scalar(value)]])
    return this
  }
  step(op: string, attributes: Parameters<OnnxGraph['node']>[2] = {}): this {
    this.steps.push([op, x => [x], attributes])
    return this
  }
  /** The top is the bottom where no step is left. */
  end(): readonly string[] | undefined {
    let [x] = this.graph.inputs
    if (!this.steps.length) return [x]
    for (const [i, [op, inputs, attributes]] of this.steps.entries())
      x =
        i === this.steps.length - 1
          ? this.graph.last(op, inputs(x), attributes)
          : this.graph.node(op, inputs(x), attributes)
  }
}

/** y = slope·x below 0, and at most 6 if it is capped. */
function rectifier(graph: OnnxGraph, slope: number, capped: boolean): void {
  const [x] = graph.inputs
  if (!capped && slope === 0) graph.last('Relu', [x])
  else if (!capped) graph.last('LeakyRelu', [x], { alpha: float(slope) })
  else if (slope === 0) graph.last('Clip', [x, graph.scalar(0), graph.scalar(6)])
  else graph.last('Clip', [graph.node('LeakyRelu', [x], { alpha: float(slope) }), '', graph.scalar(6)])
}

function relu(graph: OnnxGraph, layer: Layer): void {
  const { negative_slope, relu6 } = withDefaults('ReLUParameter', layer.param.relu_param)
  rectifier(graph, negative_slope, relu6)
}

function relu6(graph: OnnxGraph, layer: Layer): void {
  rectifier(graph, withDefaults('ReLU6Parameter', layer.param.relu6_param).negative_slope, true)
}

function prelu(graph: OnnxGraph, layer: Layer): void {
  const { channel_shared } = withDefaults('PReLUParameter', layer.param.prelu_param)
  const ones = Array<number>(graph.bottom[0].numAxes - 2).fill(1)
  const slope = channel_shared ? graph.weight(0, [1]) : graph.weight(0, [layer.blobs[0].count, ...ones])
  graph.last('PRelu', [graph.inputs[0], slope])
}

/** x·f(x). */
function gated(graph: OnnxGraph, gate: (x: string) => string): void {
  const [x] = graph.inputs
  graph.last('Mul', [x, gate(x)])
}

function swish(graph: OnnxGraph, layer: Layer): void {
  const { beta } = withDefaults('SwishParameter', layer.param.swish_param)
  gated(graph, x => graph.node('Sigmoid', [beta === 1 ? x : graph.node('Mul', [x, graph.scalar(beta)])]))
}

function power(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { power, scale, shift } = withDefaults('PowerParameter', layer.param.power_param)
  if (power * scale !== 0) return new Chain(graph).by('Mul', scale).by('Add', shift).by('Pow', power).end()
  const value = { type: 'float', shape: [1], data: new Float32Array([shift ** power]) } as const
  graph.last('ConstantOfShape', [graph.node('Shape', graph.inputs)], { value: { type: 'tensor', value } })
}

function exponential(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { base, scale, shift } = withDefaults('ExpParameter', layer.param.exp_param)
  const logBase = base === -1 ? 1 : Math.log(base)
  return new Chain(graph)
    .by('Mul', logBase * scale)
    .step('Exp')
    .by('Mul', Math.exp(logBase * shift))
    .end()
}

function logarithm(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { base, scale, shift } = withDefaults('LogParameter', layer.param.log_param)
  return new Chain(graph)
    .by('Mul', scale)
    .by('Add', shift)
    .step('Log')
    .by('Mul', base === -1 ? 1 : 1 / Math.log(base))
    .end()
}

function hardSigmoid(graph: OnnxGraph, layer: Layer): void {
  const { alpha, beta } = withDefaults('HardSigmoidParameter', layer.param.hard_sigmoid_param)
  graph.last('HardSigmoid', graph.inputs, { alpha: float(alpha), beta: float(beta) })
}

function selu(graph: OnnxGraph, layer: Layer): void {
  const { alpha, lambda } = withDefaults('SeLUParameter', layer.param.selu_param)
  graph.last('Selu', graph.inputs, { alpha: float(alpha), gamma: float(lambda) })
}

function clip(graph: OnnxGraph, layer: Layer): void {
  const { min = 0, max = 0 } = layer.param.clip_param ?? {}
  graph.last('Clip', [graph.inputs[0], graph.scalar(min), graph.scalar(max)])
}

function threshold(graph: OnnxGraph, layer: Layer): void {
  const { threshold: limit } = withDefaults('ThresholdParameter', layer.param.threshold_param)
  graph.last('Cast', [graph.node('Greater', [graph.inputs[0], graph.scalar(limit)])], { to: 1 })
}

/** In phase TEST nothing is dropped. */
function dropout(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { dropout_ratio, scale_train, sample_weights_test } = withDefaults(
    'DropoutParameter',
    layer.param.dropout_param,
  )
  if (layer.phase === 'TRAIN' || sample_weights_test)
    throw graph.error(
      `${sample_weights_test ? 'sample_weights_test: true' : 'in phase TRAIN it'} drops values at random, which has no ONNX form here: write the net in phase TEST`,
    )
  return new Chain(graph).by('Mul', scale_train ? 1 : 1 - dropout_ratio).end()
}

function spatialDropout(graph: OnnxGraph, layer: Layer): readonly string[] {
  if (layer.phase === 'TRAIN')
    throw graph.error(
      'in phase TRAIN it drops channels at random, which has no ONNX form here: write the net in phase TEST',
    )
  return graph.inputs
}

function eltwise(graph: OnnxGraph, layer: Layer): void {
  const { operation, coeff } = withDefaults('EltwiseParameter', layer.param.eltwise_param)
  if (operation === 'MAX') {
    graph.last('Max', graph.inputs)
    return
  }
  const isSum = operation === 'SUM'
  const factor = (i: number): number => (isSum ? (coeff[i] ?? 1) : 1)
  const subtracts = (i: number): boolean => i > 0 && factor(i) === -1
  const terms = graph.inputs.map((x, i) =>
    factor(i) === 1 || subtracts(i) ? x : graph.node('Mul', [x, graph.scalar(factor(i))]),
  )
  terms.reduce((sum, term, i) => {
    const op = isSum ? (subtracts(i) ? 'Sub' : 'Add') : 'Mul'
    return i === terms.length - 1 ? graph.last(op, [sum, term]) : graph.node(op, [sum, term])
  })
}

const hardSwish: Exporter = {
  write: graph => gated(graph, x => graph.node('HardSigmoid', [x], { alpha: float(1 / 6), beta: float(0.5) })),
  ops: ['HardSigmoid', 'Mul'],
}
const scaledElu: Exporter = { write: selu, ops: ['Selu'] }

export const elementwise: Exporters = {
  AbsVal: one('Abs'),
  BNLL: one('Softplus'),
  Clip: { write: clip, ops: ['Clip'] },
  SpatialDropout: { write: spatialDropout, ops: [], note: 'phase TEST; nothing is left of it' },
  Dropout: { write: dropout, ops: ['Mul'], note: 'phase TEST; nothing is left of it, or of scale_train: false a Mul' },
  Eltwise: { write: eltwise, ops: ['Add', 'Sub', 'Mul', 'Max'] },
  ELU: {
    write: (graph, layer) => {
      graph.last('Elu', graph.inputs, { alpha: float(withDefaults('ELUParameter', layer.param.elu_param).alpha) })
    },
    ops: ['Elu'],
  },
  Exp: { write: exponential, ops: ['Mul', 'Exp'] },
  HardSigmoid: { write: hardSigmoid, ops: ['HardSigmoid'] },
  HardSwish: hardSwish,
  HSwish: hardSwish,
  Log: { write: logarithm, ops: ['Mul', 'Add', 'Log'] },
  Mish: {
    write: graph => gated(graph, x => graph.node('Tanh', [graph.node('Softplus', [x])])),
    ops: ['Softplus', 'Tanh', 'Mul'],
  },
  Power: { write: power, ops: ['Mul', 'Add', 'Pow', 'Shape', 'ConstantOfShape'] },
  PReLU: { write: prelu, ops: ['PRelu'] },
  ReLU: { write: relu, ops: ['Relu', 'LeakyRelu', 'Clip'] },
  ReLU6: { write: relu6, ops: ['Clip', 'LeakyRelu'] },
  SeLu: scaledElu,
  SeLU: scaledElu,
  Sigmoid: one('Sigmoid'),
  Swish: { write: swish, ops: ['Sigmoid', 'Mul'] },
  TanH: one('Tanh'),
  Threshold: { write: threshold, ops: ['Greater', 'Cast'] },
}
