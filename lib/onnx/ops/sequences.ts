import { numbersOf } from '../fold/arrays.js'
import { int, string, type Tensor } from '../graph.js'
import { floatsOf, type Operand, one, permute, power, reshape, type Step, type Weight } from '../pieces.js'
import { constant, input, maybeConstant, type Ops, refused } from './handler.js'

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

const stepsBack = (step: Step, x: Operand, suffix: string): Operand =>
  one(
    step,
    'StridedSlice',
    x,
    x.shape,
    { strided_slice_param: { axis: [0], start: [-1], end: [1 - 2 ** 31], step: [-1] } },
    [],
    suffix,
  )

/** One of the directions that lie along the first axis of a state. */
function stateOf(step: Step, x: Operand, direction: number, directions: number, suffix: string): Operand {
  if (directions === 1) return x
  const strided_slice_param = { axis: [0], start: [direction], end: [direction + 1] }
  return one(step, 'StridedSlice', x, [1, ...x.shape.slice(1)], { strided_slice_param }, [], suffix)
}

/** Ones as many as an input has along some axes, and one along the others: of any batch, since they are made of it. */
function onesLike(step: Step, x: Operand, kept: readonly number[], suffix: string): Operand {
  const axis = x.shape.map((_, i) => i).filter(i => !kept.includes(i))
  const strided_slice_param = { axis, start: axis.map(() => 0), end: axis.map(() => 1) }
  const shape = x.shape.map((size, i) => (kept.includes(i) ? size : 1))
  const fields = { strided_slice_param, propagate_down: [false] }
  const part = one(step, 'StridedSlice', x, shape, fields, [], `${suffix}_like`)
  return one(step, 'Power', part, shape, { power_param: { power: 0 } }, [], suffix)
}

/** A state of zeros, (1, N, H), before the first step of x (T, N, …). */
function noState(step: Step, x: Operand, H: number): Operand {
  const [, N] = x.shape
  const zero = power(step, onesLike(step, x, [1], '_one'), { scale: -1, shift: 1 }, '_nothing')
  return one(step, 'Tile', zero, [1, N, H], { tile_param: { axis: 2, tiles: H } }, [], '_zero')
}

/** What an LSTM layer cannot: it has the usual functions, and no peepholes, and all sequences are as long. */
function refuseOthers(step: Step, directions: number, T: number): void {
  const { node } = step
  const functions = node.attributes.get('activations')
  const usual = Array(directions).fill('Sigmoid,Tanh,Tanh').join()
  if (functions?.type === 'strings' && functions.value.length && functions.value.join() !== usual)
    throw refused(step, `activations [${functions.value.join(', ')}] are not there: Sigmoid, Tanh, Tanh are`)
  if (node.attributes.has('clip')) throw refused(step, 'clip is not there')
  if (int(node, 'input_forget', 0)) throw refused(step, 'input_forget is not there')
  const lengths = maybeConstant(step, 4, 'the lengths')
  if (lengths && numbersOf(lengths).some(length => length !== T))
    throw refused(step, `sequences of ${numbersOf(lengths).join(', ')} steps of ${T} are not there: all are as long`)
  const peepholes = maybeConstant(step, 7, 'the peepholes')
  if (peepholes && floatsOf(peepholes).some(value => value !== 0)) throw refused(step, 'peepholes are not there')
}

function lstm(step: Step): readonly Operand[] {
  const { node } = step
  const byBatch = int(node, 'layout', 0) === 1
  const given = input(step, 0)
  const x = byBatch ? permute(step, given, [1, 0, 2], '_steps') : given
  const [W, R] = [constant(step, 1, 'W'), constant(step, 2, 'R')]
  if (x.shape.length !== 3) throw refused(step, `its input is [${given.shape.join(', ')}], not steps × batch × values`)
  const [T, N, I] = x.shape
  const names = { forward: 1, reverse: 1, bidirectional: 2 } as const
  const direction = string(node, 'direction', 'forward')
  if (!Object.hasOwn(names, direction)) throw refused(step, `direction ${direction} is not there`)
  const directions = names[direction as keyof typeof names]
  const H = R.shape[2] ?? 0
  const fits = W.shape.join() === [directions, 4 * H, I].join() && R.shape.join() === [directions, 4 * H, H].join()
  const b = maybeConstant(step, 3, 'B')
  if (!fits || H < 1 || (b && b.data.length !== directions * 8 * H))
    throw refused(step, `W [${W.shape.join(', ')}] and R [${R.shape.join(', ')}] do not fit its input`)
  if (int(node, 'hidden_size', H) !== H)
    throw refused(step, `hidden_size ${int(node, 'hidden_size', H)} is not that of its weights, ${H}`)
  refuseOthers(step, directions, T)
  const states = [5, 6].map(i => {
    const state = step.inputs[i]
    return state && byBatch ? permute(step, state, [1, 0, 2], `_state${i}`) : state
  })
  const isUsed = (i: number) =>
    node.outputs[i] !== undefined && node.outputs[i] !== '' && step.reads(node.outputs[i]) > 0
  // all steps go on from the state that is given, or from zeros: nothing is left of the last pass
  const cont = reshape(step, onesLike(step, x, [0, 1], '_on'), [T, N], '_cont')
  let zero: Operand | undefined
  const tops = Array.from({ length: directions }, (_, d) => {
    const isBack = direction === 'reverse' || d === 1
    const suffix = directions === 2 ? `_${d}` : ''
    const from = isBack ? stepsBack(step, x, `${suffix}_turned`) : x
    const state = (k: number) => {
      const own = states[k]
      return own ? stateOf(step, own, d, directions, `${suffix}_state${k}`) : (zero ??= noState(step, x, H))
    }
    const weight = (shape: number[], data: () => Float32Array): Weight => ({ shape, data })
    const weights = [
      weight([4 * H, I], () => gatesOf(W, d, H, I)),
      weight([4 * H], () => (b ? biasOf(b, d, H) : new Float32Array(4 * H))),
      weight([4 * H, H], () => gatesOf(R, d, H, H)),
    ]
    const [steps, last] = [
      [T, N, H],
      [1, N, H],
    ] as const
    const [y, h, c] = step.workshop.add(
      step.name + suffix,
      'LSTM',
      [from, cont, state(0), state(1)],
      [steps, last, last],
      { recurrent_param: { num_output: H, expose_hidden: true } },
      weights,
    )
    return { y: isBack ? stepsBack(step, y, `${suffix}_back`) : y, h, c }
  })
  const joined = (all: readonly Operand[], axis: number, suffix: string): Operand => {
    if (all.length === 1) return all[0]
    const shape = all[0].shape.map((size, i) => (i === axis ? all.length * size : size))
    const fields = axis === 1 ? {} : { concat_param: { axis } }
    return one(step, 'Concat', all, shape, fields, [], suffix)
  }
  const dim = [0, 1, -1, H]
  const whole = tops.map(({ y }, d) =>
    one(step, 'Reshape', y, [T, 1, N, H], { reshape_param: { shape: { dim } } }, [], `_direction${d}`),
  )
  const all = joined(whole, 1, '_all')
  const turned = byBatch ? permute(step, all, [2, 0, 1, 3], '_batches') : all
  const ends = [1, 2].map(i => {
    if (!isUsed(i)) return []
    const end = joined(
      tops.map(top => (i === 1 ? top.h : top.c)),
      0,
      `_end${i}`,
    )
    return [byBatch ? permute(step, end, [1, 0, 2], `_end${i}_batches`) : end]
  })
  return [turned, ends[0][0] ?? turned, ends[1][0] ?? turned]
}

/** A product with the triangle of ones that adds up what lies before, and the place itself. */
function cumulated(step: Step): Operand {
  const x = input(step, 0)
  const written = numbersOf(constant(step, 1, 'the axis'))[0]
  const axis = written < 0 ? written + x.shape.length : written
  if (!(axis >= 0 && axis < x.shape.length)) throw refused(step, `axis ${written} is none of ${x.shape.length}`)
  const size = x.shape[axis]
  if (size > 4096) throw refused(step, `${size} places along its axis are too many: 4096 at most`)
  const others = x.shape.map((_, i) => i).filter(i => i !== axis)
  const order = [...others, axis]
  const turned = permute(step, x, order, '_last')
  const [exclusive, back] = [int(step.node, 'exclusive', 0), int(step.node, 'reverse', 0)]
  const data = () =>
    Float32Array.from({ length: size * size }, (_, i) => {
      const [to, from] = [Math.floor(i / size), i % size]
      const before = back ? from - to : to - from
      return before > 0 || (before === 0 && !exclusive) ? 1 : 0
    })
  const inner_product_param = { num_output: size, bias_term: false, axis: order.length - 1 }
  const fields = { inner_product_param, param: [{ lr_mult: 0, decay_mult: 0 }] }
  const sums = one(step, 'InnerProduct', turned, turned.shape, fields, [{ shape: [size, size], data }], '_sums')
  const home = x.shape.map((_, i) => order.indexOf(i))
  return permute(step, sums, home, '')
}

/** Of equal values ONNX takes the first, Caffe's ArgMax the last: it looks from the other end, where places are asked for. */
function topK(step: Step): readonly Operand[] {
  const { node, opset } = step
  const x = input(step, 0)
  const k = opset < 10 ? int(node, 'k', 0) : numbersOf(constant(step, 1, 'k'))[0]
  const written = int(node, 'axis', -1)
  const axis = written < 0 ? written + x.shape.length : written
  if (!(axis >= 0 && axis < x.shape.length)) throw refused(step, `axis ${written} is none of ${x.shape.length}`)
  const size = x.shape[axis]
  if (!(k >= 1 && k <= size)) throw refused(step, `the ${k} best of ${size} are not there`)
  const shape = x.shape.map((own, i) => (i === axis ? k : own))
  const smallest = int(node, 'largest', 1) === 0
  const line = (of: Operand, power_param: { scale: number; shift?: number }, suffix: string) =>
    one(step, 'Power', of, of.shape, { power_param }, [], suffix)
  const signed = smallest ? line(x, { scale: -1 }, '_neg') : x
  const best = (of: Operand, more: { out_max_val?: boolean }, suffix: string) =>
    one(step, 'ArgMax', of, shape, { argmax_param: { axis, top_k: k, ...more } }, [], suffix)
  const found = best(signed, { out_max_val: true }, smallest ? '_best' : '')
  const worth = smallest ? line(found, { scale: -1 }, '') : found
  if (!node.outputs[1] || step.reads(node.outputs[1]) === 0) return [worth, worth]
  const strided_slice_param = { axis: [axis], start: [-1], end: [1 - 2 ** 31], step: [-1] }
  const turned = one(step, 'StridedSlice', signed, x.shape, { strided_slice_param }, [], '_turned')
  const places = line(best(turned, {}, '_places'), { scale: -1, shift: size - 1 }, '_indices')
  places.type = 'int64'
  return [worth, places]
}

export const sequences: Ops = {
  LSTM: {
    layers: 'LSTM, StridedSlice, Concat, Reshape',
    note: 'any direction; the usual functions, all sequences as long, no peepholes',
    build: lstm,
  },
  CumSum: { layers: 'InnerProduct', note: 'up to 4096 places', build: cumulated },
  TopK: { layers: 'ArgMax, StridedSlice, Power', note: 'k must be constant; no gradient', build: topK },
}
