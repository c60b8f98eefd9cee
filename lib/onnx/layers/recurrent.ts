import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import type { ExportOptions, OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'

/** What LSTM and RNN layers have in common: (T, N, …), cont (T, N)[, static (N, …)][, states (1, N, H)]. */
interface Recurrence {
  readonly T: number
  readonly N: number
  readonly H: number
  /** Values that go into each step. */
  readonly width: number
  readonly gates: number
  readonly hasStatic: boolean
  readonly exposed: boolean
  readonly states: readonly ('h' | 'c')[]
}

function recurrenceOf(graph: OnnxGraph, layer: Layer, states: readonly ('h' | 'c')[], gates: number): Recurrence {
  const { num_output: H, expose_hidden: exposed } = withDefaults('RecurrentParameter', layer.param.recurrent_param)
  const [x] = graph.bottom
  const hasStatic = graph.bottom.length > 2 + (exposed ? states.length : 0)
  return { T: x.dim(0), N: x.dim(1), H, width: x.size(2), gates, hasStatic, exposed, states }
}

/** What goes into the gates beside the state: (T, N, G·H). */
function gateInputs(graph: OnnxGraph, { T, N, H, width, gates, hasStatic }: Recurrence): string {
  const [x, , fixed] = graph.bottom
  const G = gates * H
  const flat = graph.reshape(graph.inputs[0], x.shape, [T * N, width])
  const all = graph.node('Gemm', [flat, graph.weight(0), graph.weight(1)], { transB: 1 })
  const steps = graph.reshape(all, [T * N, G], [T, N, G])
  if (!hasStatic) return steps
  const rows = fixed.numAxes === 2 ? graph.inputs[2] : graph.reshape(graph.inputs[2], fixed.shape, [N, fixed.size(1)])
  return graph.node('Add', [steps, graph.node('Gemm', [rows, graph.weight(2)], { transB: 1 })])
}

/** The state before the first step, (N, H): a bottom, or an input of its own, since it goes on from pass to pass. */
function initialState(graph: OnnxGraph, r: Recurrence, k: number): string {
  const shape = [1, r.N, r.H]
  const first = graph.bottom.length - r.states.length
  const state = r.exposed ? graph.inputs[first + k] : graph.input(`${graph.key}_${r.states[k]}_in`, shape)
  return graph.reshape(state, shape, [r.N, r.H])
}

/** The state after the last step, as a top or as an output of its own. */
function lastState(graph: OnnxGraph, r: Recurrence, k: number, state: string): void {
  const shape = [1, r.N, r.H]
  const output = r.exposed ? graph.outputs[1 + k] : graph.output(`${graph.key}_${r.states[k]}_out`, shape)
  graph.reshape(state, [r.N, r.H], shape, output)
}

/** The t-th of T parts of a value along axis 0, without that axis. */
const step = (graph: OnnxGraph, value: string, t: number): string =>
  graph.node('Gather', [value, graph.int(t)], { axis: 0 })

/** (T, N, H) from T times (N, H). */
function stacked(graph: OnnxGraph, r: Recurrence, states: readonly string[], output?: string): string {
  const rows = states.map(state => graph.reshape(state, [r.N, r.H], [1, r.N, r.H]))
  return graph.node('Concat', rows, { axis: 0 }, output === undefined ? undefined : [output])
}

/** Calls `next` for every step with what goes into its gates, the state before included, and what cont is there. */
function unrolled(graph: OnnxGraph, r: Recurrence, next: (gates: string, cont: string) => string, h: string): string[] {
  const gates = gateInputs(graph, r)
  const cont = graph.reshape(graph.inputs[1], [r.T, r.N], [r.T, r.N, 1])
  const weight = graph.weight(r.hasStatic ? 3 : 2)
  const states: string[] = []
  for (let t = 0; t < r.T; t++) {
    const goesOn = step(graph, cont, t)
    const kept = graph.node('Mul', [h, goesOn])
    h = next(graph.node('Gemm', [kept, weight, step(graph, gates, t)], { transB: 1 }), goesOn)
    states.push(h)
  }
  return states
}

/** One step from gates (…, 4H), in the order input, forget, output, candidate, and c. */
function lstmStep(
  graph: OnnxGraph,
  H: number,
  axis: number,
  gates: string,
  cont: string,
  c: string,
  outputs: readonly string[] = [],
) {
  const parts = graph.values('gate', 4)
  graph.node('Split', [gates, graph.ints(H, H, H, H)], { axis }, parts)
  const [i, f, o] = parts.slice(0, 3).map(part => graph.node('Sigmoid', [part]))
  const forgotten = graph.node('Mul', [graph.node('Mul', [f, cont]), c])
  const added = graph.node('Mul', [i, graph.node('Tanh', [parts[3]])])
  const outputOf = (k: number) => (outputs[k] === undefined ? undefined : [outputs[k]])
  const cell = graph.node('Add', [forgotten, added], {}, outputOf(0))
  const h = graph.node('Mul', [o, graph.node('Tanh', [cell])], {}, outputOf(1))
  return { cell, h }
}

function lstm(graph: OnnxGraph, layer: Layer, { sequence }: ExportOptions): void {
  const r = recurrenceOf(graph, layer, ['h', 'c'], 4)
  if (sequence === 'whole') {
    wholeLstm(graph, layer, r)
    return
  }
  const [h, first] = [0, 1].map(k => initialState(graph, r, k))
  let c = first
  const states = unrolled(
    graph,
    r,
    (gates, cont) => {
      const { cell, h } = lstmStep(graph, r.H, 1, gates, cont, c)
      c = cell
      return h
    },
    h,
  )
  lastState(graph, r, 0, states[r.T - 1])
  lastState(graph, r, 1, c)
  stacked(graph, r, states, graph.outputs[0])
}

/** Caffe's gates are input, forget, output, candidate; ONNX's are input, output, forget, candidate. */
function inOrder(values: Float32Array, H: number): Float32Array {
  const size = (values.length / (4 * H)) * H
  const ordered = new Float32Array(values.length)
  for (const [to, from] of [0, 2, 1, 3].entries())
    ordered.set(values.subarray(from * size, (from + 1) * size), to * size)
  return ordered
}

/** One node, for sequences that begin at step 0: cont is not looked at. */
function wholeLstm(graph: OnnxGraph, layer: Layer, r: Recurrence): void {
  if (r.hasStatic)
    throw graph.error("a static input does not go into one LSTM node: write it step by step, sequence: 'steps'")
  const { T, N, H, width, exposed } = r
  const [wx, b, wh] = layer.blobs.map(blob => blob.memory.data.values)
  const bias = new Float32Array(8 * H)
  bias.set(inOrder(b, H))
  const x =
    graph.bottom[0].numAxes === 3
      ? graph.inputs[0]
      : graph.reshape(graph.inputs[0], graph.bottom[0].shape, [T, N, width])
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

function rnn(graph: OnnxGraph, layer: Layer): void {
  const r = recurrenceOf(graph, layer, ['h'], 1)
  const states = unrolled(graph, r, gates => graph.node('Tanh', [gates]), initialState(graph, r, 0))
  lastState(graph, r, 0, states[r.T - 1])
  const { T, N, H } = r
  const rows = graph.reshape(stacked(graph, r, states), [T, N, H], [T * N, H])
  const last = layer.blobs.length - 2
  const outputs = graph.node('Gemm', [rows, graph.weight(last), graph.weight(last + 1)], { transB: 1 })
  graph.reshape(graph.node('Tanh', [outputs]), [T * N, H], [T, N, H], graph.outputs[0])
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
  lstmStep(graph, c.dim(2), 2, graph.inputs[1], cont, graph.inputs[0], graph.outputs)
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
