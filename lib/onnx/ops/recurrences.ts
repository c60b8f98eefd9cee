import { numbersOf } from '../fold/arrays.js'
import { int, string, type Tensor } from '../graph.js'
import { floatsOf, type Operand, one, permute, power, reshape, type Step, type Weight } from '../pieces.js'
import { constant, input, maybeConstant, type Ops, refused } from './handler.js'

/** One direction of a node that goes along steps. */
interface Direction {
  readonly step: Step
  readonly index: number
  /** Behind names of its layers. */
  readonly suffix: string
  /** (T, N, I), turned round where it goes backwards. */
  readonly x: Operand
  /** The state before the first step, (1, N, H); of zeros where it must be there and is not given. */
  state(k: number): Operand
  given(k: number): Operand | undefined
  readonly W: Tensor
  readonly R: Tensor
  readonly B: Tensor | undefined
  /** Names of functions, if they are written. */
  readonly functions: readonly string[] | undefined
  readonly sizes: { readonly T: number; readonly N: number; readonly I: number; readonly H: number }
}

/** What kinds of nodes differ in. */
interface Cell {
  readonly gates: number
  readonly functions: number
  /** Inputs that are states, and outputs that are the last ones. */
  readonly states: number
  /** Layers of one direction: all steps, (T, N, H), then the last states that are asked for. */
  build(d: Direction, isUsed: (k: number) => boolean): readonly (Operand | undefined)[]
}

const turned = (step: Step, x: Operand, suffix: string): Operand => {
  const strided_slice_param = { axis: [0], start: [-1], end: [1 - 2 ** 31], step: [-1] }
  return one(step, 'StridedSlice', x, x.shape, { strided_slice_param }, [], suffix)
}

/** One place along the first axis. */
function part(step: Step, x: Operand, start: number, end: number, suffix: string): Operand {
  const strided_slice_param = { axis: [0], start: [start], end: [end] }
  return one(step, 'StridedSlice', x, [1, ...x.shape.slice(1)], { strided_slice_param }, [], suffix)
}

/** Ones as many as an input has along some axes, and one along the others: of any batch, since they are made of it. */
function onesLike(step: Step, x: Operand, kept: readonly number[], suffix: string): Operand {
  const axis = x.shape.map((_, i) => i).filter(i => !kept.includes(i))
  const strided_slice_param = { axis, start: axis.map(() => 0), end: axis.map(() => 1) }
  const shape = x.shape.map((size, i) => (kept.includes(i) ? size : 1))
  const fields = { strided_slice_param, propagate_down: [false] }
  const some = one(step, 'StridedSlice', x, shape, fields, [], `${suffix}_like`)
  return one(step, 'Power', some, shape, { power_param: { power: 0 } }, [], suffix)
}

/** A state of zeros, (1, N, H), before the first step of x (T, N, …). */
function noState(step: Step, x: Operand, H: number): Operand {
  const zero = power(step, onesLike(step, x, [1], '_one'), { scale: -1, shift: 1 }, '_nothing')
  return one(step, 'Tile', zero, [1, x.shape[1], H], { tile_param: { axis: 2, tiles: H } }, [], '_zero')
}

/** What no layer does: sequences of several lengths, bounds of what goes into functions. */
function refuseOthers(step: Step, T: number): void {
  const { node } = step
  if (node.attributes.has('clip')) throw refused(step, 'clip is not there')
  if (int(node, 'input_forget', 0)) throw refused(step, 'input_forget is not there')
  const lengths = maybeConstant(step, 4, 'the lengths')
  if (lengths && numbersOf(lengths).some(length => length !== T))
    throw refused(step, `sequences of ${numbersOf(lengths).join(', ')} steps of ${T} are not there: all are as long`)
  const peepholes = maybeConstant(step, 7, 'the peepholes')
  if (peepholes && floatsOf(peepholes).some(value => value !== 0)) throw refused(step, 'peepholes are not there')
}

function functionsOf(step: Step, cell: Cell, directions: number): readonly string[] | undefined {
  const written = step.node.attributes.get('activations')
  if (written?.type !== 'strings' || !written.value.length) return undefined
  if (written.value.length !== cell.functions * directions)
    throw refused(step, `activations are ${written.value.length}, not ${cell.functions * directions}`)
  return written.value
}

/** Layers of a node that goes along steps: input, W, R, B, lengths, states; all steps and the last states. */
function recurrent(step: Step, cell: Cell): readonly Operand[] {
  const { node } = step
  const byBatch = int(node, 'layout', 0) === 1
  const whole = input(step, 0)
  const x = byBatch ? permute(step, whole, [1, 0, 2], '_steps') : whole
  const [W, R] = [constant(step, 1, 'W'), constant(step, 2, 'R')]
  if (x.shape.length !== 3) throw refused(step, `its input is [${whole.shape.join(', ')}], not steps × batch × values`)
  const [T, N, I] = x.shape
  const names = { forward: 1, reverse: 1, bidirectional: 2 } as const
  const direction = string(node, 'direction', 'forward')
  if (!Object.hasOwn(names, direction)) throw refused(step, `direction ${direction} is not there`)
  const directions = names[direction as keyof typeof names]
  const H = R.shape[2] ?? 0
  const rows = cell.gates * H
  const fits = W.shape.join() === [directions, rows, I].join() && R.shape.join() === [directions, rows, H].join()
  const B = maybeConstant(step, 3, 'B')
  if (!fits || H < 1 || (B && B.data.length !== directions * 2 * rows))
    throw refused(step, `W [${W.shape.join(', ')}] and R [${R.shape.join(', ')}] do not fit its input`)
  if (int(node, 'hidden_size', H) !== H)
    throw refused(step, `hidden_size ${int(node, 'hidden_size', H)} is not that of its weights, ${H}`)
  refuseOthers(step, T)
  const functions = functionsOf(step, cell, directions)
  const states = Array.from({ length: cell.states }, (_, k) => {
    const state = step.inputs[5 + k]
    return state && byBatch ? permute(step, state, [1, 0, 2], `_state${5 + k}`) : state
  })
  const isUsed = (k: number) => {
    const name = node.outputs[1 + k]
    return name !== undefined && name !== '' && step.reads(name) > 0
  }
  let zero: Operand | undefined
  const made = Array.from({ length: directions }, (_, index) => {
    const isBack = direction === 'reverse' || index === 1
    const suffix = directions === 2 ? `_${index}` : ''
    const given = (k: number) => {
      const own = states[k]
      return own && directions === 2 ? part(step, own, index, index + 1, `${suffix}_state${k}`) : own
    }
    const [y, ...ends] = cell.build(
      {
        step,
        index,
        suffix,
        x: isBack ? turned(step, x, `${suffix}_turned`) : x,
        given,
        state: k => given(k) ?? (zero ??= noState(step, x, H)),
        ...{ W, R, B },
        functions: functions?.slice(index * cell.functions, (index + 1) * cell.functions),
        sizes: { T, N, I, H },
      },
      isUsed,
    )
    return { y: isBack ? turned(step, y!, `${suffix}_back`) : y!, ends }
  })
  const joined = (all: readonly Operand[], axis: number, suffix: string): Operand => {
    if (all.length === 1) return all[0]
    const shape = all[0].shape.map((size, i) => (i === axis ? all.length * size : size))
    const fields = axis === 1 ? {} : { concat_param: { axis } }
    return one(step, 'Concat', all, shape, fields, [], suffix)
  }
  const dim = [0, 1, -1, H]
  const apart = made.map(({ y }, d) =>
    one(step, 'Reshape', y, [T, 1, N, H], { reshape_param: { shape: { dim } } }, [], `_direction${d}`),
  )
  const all = joined(apart, 1, '_all')
  const steps = byBatch ? permute(step, all, [2, 0, 1, 3], '_batches') : all
  const ends = states.map((_, k) => {
    if (!isUsed(k)) return steps
    const end = joined(
      made.map(({ ends }) => ends[k]!),
      0,
      `_end${1 + k}`,
    )
    return byBatch ? permute(step, end, [1, 0, 2], `_end${1 + k}_batches`) : end
  })
  return [steps, ...ends]
}

/** Gates of ONNX are input, output, forget, candidate; Caffe's are input, forget, output, candidate. */
const GATES = [0, 2, 1, 3]

/** The part of one direction of a tensor that is (directions, 4·H, …), its gates in Caffe's order. */
function gatesOf(tensor: Tensor, direction: number, H: number, width: number): Float32Array {
  const all = floatsOf(tensor)
  const first = direction * 4 * H * width
  const ordered = new Float32Array(4 * H * width)
  for (const [to, from] of GATES.entries())
    ordered.set(all.subarray(first + from * H * width, first + (from + 1) * H * width), to * H * width)
  return ordered
}

/** Both of ONNX's biases in one. */
function biasOf(tensor: Tensor, direction: number, H: number): Float32Array {
  const row: Tensor = { ...tensor, shape: [8 * H], data: floatsOf(tensor).slice(direction * 8 * H) }
  const [ofX, ofH] = [0, 1].map(i => gatesOf({ ...row, data: floatsOf(row).slice(i * 4 * H) }, 0, H, 1))
  return ofX.map((value, i) => value + ofH[i])
}

const lstm: Cell = {
  gates: 4,
  functions: 3,
  states: 2,
  build(d) {
    const { step, index, x, W, R, B } = d
    const { T, N, I, H } = d.sizes
    if (d.functions && d.functions.join() !== 'Sigmoid,Tanh,Tanh')
      throw refused(step, `activations [${d.functions.join(', ')}] are not there: Sigmoid, Tanh, Tanh are`)
    // all steps go on from the state that is given, or from zeros: nothing is left of the last pass
    const cont = reshape(step, onesLike(step, x, [0, 1], `${d.suffix}_on`), [T, N], `${d.suffix}_cont`)
    const weight = (shape: number[], data: () => Float32Array): Weight => ({ shape, data })
    const weights = [
      weight([4 * H, I], () => gatesOf(W, index, H, I)),
      weight([4 * H], () => (B ? biasOf(B, index, H) : new Float32Array(4 * H))),
      weight([4 * H, H], () => gatesOf(R, index, H, H)),
    ]
    const last = [1, N, H]
    const fields = { recurrent_param: { num_output: H, expose_hidden: true } }
    const bottoms = [x, cont, d.state(0), d.state(1)]
    return step.workshop.add(step.name + d.suffix, 'LSTM', bottoms, [[T, N, H], last, last], fields, weights)
  },
}

const FUNCTIONS = { Tanh: 'TANH', Relu: 'RELU', Sigmoid: 'SIGMOID' } as const

/** Weights as ONNX has them, in a Recurrence layer. */
function recurrence(
  d: Direction,
  cell: 'GRU' | 'RNN',
  isUsed: (k: number) => boolean,
): readonly (Operand | undefined)[] {
  const { step, index, x, W, R, B, functions } = d
  const { T, N, I, H } = d.sizes
  const [gate, name] = cell === 'GRU' ? [functions?.[0] ?? 'Sigmoid', functions?.[1]] : ['Sigmoid', functions?.[0]]
  if (gate !== 'Sigmoid' || !Object.hasOwn(FUNCTIONS, name ?? 'Tanh'))
    throw refused(
      step,
      `activations [${functions?.join(', ')}] are not there: gates have Sigmoid, values ${Object.keys(FUNCTIONS).join(', ')}`,
    )
  const rows = (cell === 'GRU' ? 3 : 1) * H
  const of = (tensor: Tensor, at: number, count: number) => floatsOf(tensor).slice(at * count, (at + 1) * count)
  const weights: Weight[] = [
    { shape: [rows, I], data: () => of(W, index, rows * I) },
    { shape: [rows], data: () => (B ? of(B, 2 * index, rows) : new Float32Array(rows)) },
    { shape: [rows, H], data: () => of(R, index, rows * H) },
    { shape: [rows], data: () => (B ? of(B, 2 * index + 1, rows) : new Float32Array(rows)) },
  ]
  const activation = FUNCTIONS[(name ?? 'Tanh') as keyof typeof FUNCTIONS]
  const recurrence_param = {
    num_output: H,
    ...(cell === 'RNN' && { cell }),
    ...(activation !== 'TANH' && { activation }),
    ...(int(step.node, 'linear_before_reset', 0) !== 0 && { linear_before_reset: true }),
  }
  const first = d.given(0)
  const bottoms = first ? [x, first] : [x]
  const [y] = step.workshop.add(step.name + d.suffix, 'Recurrence', bottoms, [[T, N, H]], { recurrence_param }, weights)
  return [y, isUsed(0) ? part(step, y, -1, 2 ** 31 - 1, `${d.suffix}_last`) : undefined]
}

const along = 'any direction; all sequences as long'

export const recurrences: Ops = {
  LSTM: {
    layers: 'LSTM, StridedSlice, Power, Tile, Concat, Reshape',
    note: `${along}; the usual functions, no peepholes`,
    build: step => recurrent(step, lstm),
  },
  GRU: {
    layers: 'Recurrence, StridedSlice, Concat, Reshape',
    note: `${along}; gates through Sigmoid`,
    build: step =>
      recurrent(step, { gates: 3, functions: 2, states: 1, build: (d, isUsed) => recurrence(d, 'GRU', isUsed) }),
  },
  RNN: {
    layers: 'Recurrence, StridedSlice, Concat, Reshape',
    note: `${along}; Tanh, Relu or Sigmoid`,
    build: step =>
      recurrent(step, { gates: 1, functions: 1, states: 1, build: (d, isUsed) => recurrence(d, 'RNN', isUsed) }),
  },
}
