import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import type { ExportOptions, OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'
import { lstmSteps, lstmUnitStep, rnnSteps, type Steps } from './steps.js'

/** The layer in sizes and names: (T, N, …), cont (T, N)[, static (N, …)], states (1, N, H). */
function recurrenceOf(graph: OnnxGraph, layer: Layer, states: readonly ('h' | 'c')[], gates: number): Steps {
  const { num_output: H, expose_hidden: exposed } = withDefaults('RecurrentParameter', layer.param.recurrent_param)
  const [x, , fixed] = graph.bottom
  const first = graph.bottom.length - states.length
  const hasStatic = graph.bottom.length > 2 + (exposed ? states.length : 0)
  const shape = [1, x.dim(1), H]
  // a state goes on from pass to pass: it is an input and an output where it is no bottom and top
  const name = (k: number, end: 'in' | 'out') => `${graph.key}_${states[k]}_${end}`
  return {
    ...{ H, gates },
    x: { name: graph.inputs[0], shape: x.shape },
    cont: graph.inputs[1],
    ...(hasStatic && { fixed: { name: graph.inputs[2], shape: fixed.shape } }),
    before: states.map((_, k) => (exposed ? graph.inputs[first + k] : graph.input(name(k, 'in'), shape))),
    after: states.map((_, k) => {
      if (!exposed) return graph.output(name(k, 'out'), shape)
      if (graph.top[1 + k].name === name(k, 'out')) graph.isState(1 + k)
      return graph.outputs[1 + k]
    }),
    y: graph.outputs[0],
  }
}

function lstm(graph: OnnxGraph, layer: Layer, { sequence }: ExportOptions): void {
  if (sequence === 'whole') wholeLstm(graph, layer)
  else lstmSteps(graph, recurrenceOf(graph, layer, ['h', 'c'], 4))
}

const rnn = (graph: OnnxGraph, layer: Layer): void => rnnSteps(graph, recurrenceOf(graph, layer, ['h'], 1))

/** Caffe's gates are input, forget, output, candidate; ONNX's are input, output, forget, candidate. */
function inOrder(values: Float32Array, H: number): Float32Array {
  const size = (values.length / (4 * H)) * H
  const ordered = new Float32Array(values.length)
  for (const [to, from] of [0, 2, 1, 3].entries())
    ordered.set(values.subarray(from * size, (from + 1) * size), to * size)
  return ordered
}

/** One node, for sequences that begin at step 0: cont is not looked at. */
function wholeLstm(graph: OnnxGraph, layer: Layer): void {
  const { num_output: H, expose_hidden: exposed } = withDefaults('RecurrentParameter', layer.param.recurrent_param)
  if (graph.bottom.length > (exposed ? 4 : 2))
    throw graph.error("a static input does not go into one LSTM node: write it step by step, sequence: 'steps'")
  const [bottom] = graph.bottom
  const [T, N, width] = [bottom.dim(0), bottom.dim(1), bottom.size(2)]
  const [wx, b, wh] = layer.blobs.map(blob => blob.memory.data.values)
  const bias = new Float32Array(8 * H)
  bias.set(inOrder(b, H))
  const x = bottom.numAxes === 3 ? graph.inputs[0] : graph.reshape(graph.inputs[0], bottom.shape, [T, N, width])
  const params = [
    graph.derived(0, [1, 4 * H, width], inOrder(wx, H)),
    graph.derived(2, [1, 4 * H, H], inOrder(wh, H)),
    graph.derived(1, [1, 8 * H], bias),
  ]
  const states = exposed ? ['', ...graph.inputs.slice(-2)] : []
  const all = graph.value('steps')
  graph.node('LSTM', [x, ...params, ...states], { hidden_size: H }, [all, ...(exposed ? graph.outputs.slice(1) : [])])
  graph.last('Squeeze', [all, graph.ints(1)])
}

const FUNCTIONS = { TANH: 'Tanh', RELU: 'Relu', SIGMOID: 'Sigmoid' } as const

/** One node, whose weights are as the layer has them. */
function recurrence(graph: OnnxGraph, layer: Layer): void {
  const {
    num_output: H = 0,
    cell,
    activation,
    linear_before_reset,
  } = withDefaults('RecurrenceParameter', layer.param.recurrence_param)
  const [x] = graph.bottom
  const [T, N, I] = [x.dim(0), x.dim(1), x.size(2)]
  const rows = (cell === 'GRU' ? 3 : 1) * H
  const [, b, , c] = layer.blobs.map(blob => blob.memory.data.values)
  const biases = new Float32Array(2 * rows)
  biases.set(b)
  biases.set(c, rows)
  const inputs = [
    x.numAxes === 3 ? graph.inputs[0] : graph.reshape(graph.inputs[0], x.shape, [T, N, I]),
    graph.weight(0, [1, rows, I]),
    graph.weight(2, [1, rows, H]),
    graph.derived(1, [1, 2 * rows], biases),
    ...(graph.bottom.length > 1 ? ['', graph.inputs[1]] : []),
  ]
  const functions = [...(cell === 'GRU' ? ['Sigmoid'] : []), FUNCTIONS[activation]]
  const attributes = {
    ...(activation !== 'TANH' && { activations: { type: 'strings', value: functions } as const }),
    hidden_size: H,
    ...(linear_before_reset && { linear_before_reset: 1 }),
  }
  graph.last('Squeeze', [graph.node(cell, inputs, attributes), graph.ints(1)])
}

function lstmUnit(graph: OnnxGraph): void {
  const [c] = graph.bottom
  const cont = graph.reshape(graph.inputs[2], graph.bottom[2].shape, [1, c.dim(1), 1])
  lstmUnitStep(graph, c.dim(2), graph.inputs[1], cont, graph.inputs[0], graph.outputs)
}

/** 0 where a sequence begins, else 1: at step 0, unless the bottom says that an item goes on. */
function continuation(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const p = withDefaults('ContinuationIndicatorParameter', layer.param.continuation_indicator_param)
  const { time_step: T, batch_size: N } = p
  const [given] = graph.bottom
  const rest = graph.constant(
    [T - (given ? 1 : 0), N],
    new Float32Array((T - (given ? 1 : 0)) * N).fill(1).fill(0, 0, given ? 0 : N),
  )
  if (!given) return [rest]
  const flat = graph.slice(graph.reshape(graph.inputs[0], given.shape, [given.count]), 0, 0, N)
  const off = graph.node('Abs', [graph.node('Sub', [flat, graph.scalar(1)])])
  const goesOn = graph.node('Cast', [graph.node('Not', [graph.node('Greater', [off, graph.scalar(0.01)])])], { to: 1 })
  graph.last('Concat', [graph.reshape(goesOn, [N], [1, N]), rest], { axis: 0 })
}

const steps = ['Reshape', 'Gemm', 'Gather', 'Mul', 'Tanh', 'Concat', 'Add']
const carried = 'steps are written out, so that their number is fixed'

export const recurrent: Exporters = {
  ContinuationIndicator: {
    write: continuation,
    ops: ['Reshape', 'Slice', 'Sub', 'Abs', 'Greater', 'Not', 'Cast', 'Concat'],
  },
  LSTM: {
    write: lstm,
    ops: [...steps, 'Split', 'Sigmoid', 'LSTM', 'Squeeze'],
    note: `${carried}; the state is an input and an output of its own, NAME_h_in and NAME_h_out, NAME_c_in and NAME_c_out; sequence: 'whole' makes one LSTM node instead`,
  },
  Recurrence: { write: recurrence, ops: ['GRU', 'RNN', 'Squeeze', 'Reshape'] },
  LSTMUnit: { write: lstmUnit, ops: ['Reshape', 'Split', 'Sigmoid', 'Tanh', 'Mul', 'Add'] },
  RNN: {
    write: rnn,
    ops: steps,
    note: `${carried}; the state is an input and an output of its own, NAME_h_in and NAME_h_out`,
  },
}
