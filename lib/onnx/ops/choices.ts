import { checkCount, filled, numbersOf } from '../fold/arrays.js'
import { countOf, float, int, nodeText } from '../graph.js'
import { type Operand, one, permute, power, reshape, type Step, turn } from '../pieces.js'
import { binary } from './arithmetic.js'
import { constant, input, type Ops, refused } from './handler.js'

// What takes places by indices that are constant, and what says where something holds.

function axisOf(step: Step, written: number, axes: number): number {
  const axis = written < 0 ? written + axes : written
  if (!(axis >= 0 && axis < axes)) throw refused(step, `axis ${written} is none of ${axes}`)
  return axis
}

/** Places of the first axis of x, (places, …), in a shape of their own. */
function taken(step: Step, x: Operand, places: readonly number[], shape: readonly number[]): Operand {
  const gather_param = { index: [...places], ...(shape.length !== 1 && { shape: { dim: [...shape] } }) }
  return one(step, 'Gather', x, [...shape, ...x.shape.slice(1)], { gather_param })
}

/** An index below 0 counts from the end. */
function placeOf(step: Step, index: number, size: number): number {
  if (!(index >= -size && index < size)) throw refused(step, `index ${index} is none of ${size} places`)
  return index < 0 ? index + size : index
}

function gatherElements(step: Step): Operand {
  const x = input(step, 0)
  const index = constant(step, 1, 'the indices')
  const axis = axisOf(step, int(step.node, 'axis', 0), x.shape.length)
  if (index.shape.length !== x.shape.length)
    throw refused(step, `indices of ${index.shape.length} axes are not for ${x.shape.length}`)
  const strides = x.shape.map((_, i) => countOf(x.shape.slice(i + 1)))
  const places = numbersOf(index).map((own, k) => {
    let [rest, flat] = [k, 0]
    for (let i = index.shape.length - 1; i >= 0; i--) {
      const at = rest % index.shape[i]
      rest = Math.floor(rest / index.shape[i])
      flat += strides[i] * placeOf(step, i === axis ? own : at, x.shape[i])
    }
    return flat
  })
  return taken(step, reshape(step, x, [countOf(x.shape)], '_flat'), places, index.shape)
}

function gatherND(step: Step): Operand {
  const x = input(step, 0)
  const index = constant(step, 1, 'the indices')
  if (int(step.node, 'batch_dims', 0) !== 0) throw refused(step, 'batch_dims is not there')
  const depth = index.shape[index.shape.length - 1] ?? 0
  if (depth < 1 || depth > x.shape.length)
    throw refused(step, `indices of ${depth} places are not for ${x.shape.length} axes`)
  const all = numbersOf(index)
  const places = Array.from({ length: all.length / depth }, (_, k) =>
    x.shape.slice(0, depth).reduce((flat, size, i) => flat * size + placeOf(step, all[k * depth + i], size), 0),
  )
  const rows = reshape(step, x, [countOf(x.shape.slice(0, depth)), ...x.shape.slice(depth)], '_rows')
  return taken(step, rows, places, index.shape.slice(0, -1))
}

function compress(step: Step): Operand {
  const [x, condition] = [input(step, 0), input(step, 1)]
  const isFlat = !step.node.attributes.has('axis')
  const from = isFlat ? reshape(step, x, [countOf(x.shape)], '_flat') : x
  const axis = isFlat ? 0 : axisOf(step, int(step.node, 'axis', 0), x.shape.length)
  if (!condition.constant) return passing(step, from, condition, axis)
  const chosen = numbersOf(condition.constant).flatMap((value, i) => (value ? [i] : []))
  if (!chosen.length) throw refused(step, 'its condition takes nothing')
  const index = chosen.map(i => placeOf(step, i, from.shape[axis]))
  const shape = from.shape.map((size, i) => (i === axis ? index.length : size))
  return one(step, 'Gather', from, shape, { gather_param: { ...(axis !== 0 && { axis }), index } })
}

/** Items along an axis for which a condition that is computed holds. */
function passing(step: Step, x: Operand, condition: Operand, axis: number): Operand {
  if (condition.shape.join() !== `${x.shape[axis]}`)
    throw refused(
      step,
      `its condition, '${step.node.inputs[1]}', is [${condition.shape.join(', ')}] for ${x.shape[axis]} places`,
    )
  const others = x.shape.map((_, i) => i).filter(i => i !== axis)
  const front = permute(step, x, [axis, ...others], '_front')
  const shape = [step.found, ...others.map(i => x.shape[i])]
  const found = one(step, 'Filter', [front, condition], shape, {}, [], axis === 0 ? '' : '_found')
  const back = x.shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i))
  return turn(step, found, back, '')
}

const scalar = (step: Step, value: number, suffix: string): Operand => ({
  name: `${step.node.outputs[0]}${suffix}`,
  shape: [],
  type: 'float',
  constant: filled('float', [], () => value),
})

/** 0, 1, 2 … along an axis of so many. */
function counted(step: Step, size: number, behind: number, shift = 0): Operand {
  const shape = [size, ...Array<number>(behind).fill(1)]
  checkCount(shape, nodeText(step.node))
  const constant = filled('float', shape, i => i + shift)
  return { name: `${step.node.outputs[0]}_places${shift || ''}`, shape, type: 'float', constant }
}

const compared = (step: Step, operation: string, bottoms: readonly Operand[], shape: readonly number[], suffix = '') =>
  one(step, 'Broadcast', bottoms, shape, { broadcast_param: { operation: operation as 'EQUAL' } }, [], suffix)

/** 1 at the first of the largest. */
function hardmax(step: Step): Operand {
  const { node, opset } = step
  const given = input(step, 0)
  const written = axisOf(step, int(node, 'axis', opset < 13 ? 1 : -1), given.shape.length)
  // before opset 13 all axes from there on are one
  const x =
    opset < 13
      ? reshape(step, given, [countOf(given.shape.slice(0, written)), countOf(given.shape.slice(written))], '_flat')
      : given
  const axis = opset < 13 ? 1 : written
  const ends = x.shape.map((size, i) => (i === axis ? 1 : size))
  const reduce_param = { axis: [axis], operation: 'ARGMAX' as const, keep_dims: true }
  const best = one(step, 'Reduce', x, ends, { reduce_param }, [], '_best')
  const places = counted(step, x.shape[axis], x.shape.length - axis - 1)
  const y = compared(step, 'EQUAL', [best, places], x.shape, x === given ? '' : '_hard')
  return reshape(step, y, given.shape, '')
}

function isInfinite(step: Step): Operand {
  const x = input(step, 0)
  const [above, below] = [int(step.node, 'detect_positive', 1), int(step.node, 'detect_negative', 1)]
  const size = above && below ? one(step, 'AbsVal', x, x.shape, {}, [], '_size') : x
  const limit = scalar(step, above ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY, '_limit')
  const y = compared(step, above || below ? 'EQUAL' : 'GREATER', [size, limit], x.shape)
  y.type = 'bool'
  return y
}

/** What is further from 0 than lambd, brought nearer by bias; 0 within. */
function shrink(step: Step): Operand {
  const x = input(step, 0)
  const [lambd, bias] = [float(step.node, 'lambd', 0.5), float(step.node, 'bias', 0)]
  const choose = (operation: string, limit: number, shift: number, rest: Operand, suffix: string): Operand => {
    const is = compared(step, operation, [x, scalar(step, limit, `${suffix}_limit`)], x.shape, `${suffix}_is`)
    const moved = power(step, x, { shift }, `${suffix}_moved`)
    return one(step, 'Where', [is, moved, rest], x.shape, {}, [], suffix === '_above' ? '' : suffix)
  }
  const below = choose('LESS', -lambd, bias, scalar(step, 0, '_within'), '_below')
  return choose('GREATER', lambd, -bias, below, '_above')
}

/** Two values: one where a place along a new axis is that of the index, which may count from the end. */
function oneHot(step: Step): Operand {
  const index = input(step, 0)
  const depth = numbersOf(constant(step, 1, 'the depth'))[0]
  const [off, on] = numbersOf(constant(step, 2, 'the values'))
  if (!Number.isInteger(depth) || depth < 1) throw refused(step, `a depth of ${depth} is not there`)
  const axes = index.shape.length + 1
  const axis = axisOf(step, int(step.node, 'axis', -1), axes)
  const own = [...index.shape.slice(0, axis), 1, ...index.shape.slice(axis)]
  const shape = own.map((size, i) => (i === axis ? depth : size))
  const among = reshape(step, index, own, '_index')
  const hits = [0, -depth].map(shift =>
    compared(step, 'EQUAL', [among, counted(step, depth, axes - axis - 1, shift)], shape, shift ? '_back' : '_hit'),
  )
  const sum = binary(step, 'ADD', hits[0], hits[1], on === 1 && off === 0 ? '' : '_is')
  return power(step, sum, { scale: on - off, shift: off }, '')
}

export const choices: Ops = {
  GatherElements: { layers: 'Reshape, Gather', note: 'constant indices', build: gatherElements },
  GatherND: { layers: 'Reshape, Gather', note: 'constant indices, no batch_dims', build: gatherND },
  Compress: {
    layers: 'Gather, or Filter',
    note: 'a condition that is computed is as long as the axis; no layer behind it may depend on how many items pass',
    build: compress,
  },
  Hardmax: { layers: 'Reduce, Broadcast', note: 'no gradient', build: hardmax },
  IsNaN: {
    layers: 'Broadcast, Power',
    note: 'gives 1 and 0',
    build: step => {
      const x = input(step, 0)
      const y = power(step, compared(step, 'EQUAL', [x, x], x.shape, '_number'), { scale: -1, shift: 1 }, '')
      y.type = 'bool'
      return y
    },
  },
  IsInf: { layers: 'AbsVal, Broadcast', note: 'gives 1 and 0', build: isInfinite },
  Shrink: { layers: 'Broadcast, Power, Where', build: shrink },
  OneHot: { layers: 'Broadcast, Eltwise, Power', note: 'depth and values must be constant', build: oneHot },
}
