import { FormatError } from '../errors.js'
import { stepsAlong } from '../layers/strided_slice.js'
import {
  axisIn,
  checkCount,
  commonShape,
  filled,
  isWhole,
  mapped,
  numbersOf,
  picked,
  placeIn,
  stepsOf,
} from './fold/arrays.js'
import * as shapes from './fold/shapes.js'
import { attribute, countOf, float, int, ints, intTensor, type Node, nodeText, type Tensor } from './graph.js'
import { typeOf } from './tensor.js'

// Nodes whose inputs are all constant are computed while a model is read: shapes, indices, weights that are put together.

type Inputs = readonly (Tensor | undefined)[]
type Fold = (node: Node, inputs: Inputs, opset: number) => Tensor[]

/** Input i, which must be there. */
function need(node: Node, inputs: Inputs, i: number): Tensor {
  const input = inputs[i]
  if (!input) throw new FormatError(`${nodeText(node)}: it has no input ${i}`)
  return input
}

const withShape = (x: Tensor, shape: readonly number[]): Tensor => ({ ...x, shape })

/** A function of each value. */
const each =
  (value: (x: number) => number): Fold =>
  (node, inputs) => {
    const x = need(node, inputs, 0)
    return [filled(x.type, x.shape, i => value(x.data[i]))]
  }

/** A function of two or more values, of the type of the first. */
const binary =
  (value: (a: number, b: number) => number, wholes = value): Fold =>
  (node, inputs) => {
    const first = need(node, inputs, 0)
    const f = isWhole(first.type) ? wholes : value
    let sum = first
    for (let i = 1; i < inputs.length; i++) sum = mapped(first.type, [sum, need(node, inputs, i)], f, nodeText(node))
    return [sum]
  }

const compare =
  (holds: (a: number, b: number) => boolean): Fold =>
  (node, inputs) => [
    mapped('bool', [need(node, inputs, 0), need(node, inputs, 1)], (a, b) => (holds(a, b) ? 1 : 0), nodeText(node)),
  ]

/** A function of all values along some axes. */
const reduce =
  (finish: (values: number[]) => number): Fold =>
  (node, inputs) => {
    const x = need(node, inputs, 0)
    const axes = shapes.reducedAxes(node, x.shape.length, inputs[1])
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    const steps = stepsOf(kept, x.shape)
    const lists: number[][] = Array.from({ length: countOf(kept) }, () => [])
    x.data.forEach((value, i) => {
      lists[placeIn(i, x.shape, steps)].push(value)
    })
    const keep = int(node, 'keepdims', 1)
    const top = keep ? kept : x.shape.filter((_, axis) => !axes.includes(axis))
    return [filled(x.type, top, i => finish(lists[i]))]
  }

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0)

/** The types that attributes of Constant have. */
function constant(node: Node): Tensor {
  const value = attribute(node, 'value', 'tensor')
  if (value) return value
  const number = attribute(node, 'value_float', 'float')
  if (number !== undefined) return filled('float', [], () => number)
  const whole = attribute(node, 'value_int', 'int')
  if (whole !== undefined) return filled('int64', [], () => whole)
  const numbers = attribute(node, 'value_floats', 'floats')
  if (numbers) return filled('float', [numbers.length], i => numbers[i])
  const wholes = ints(node, 'value_ints')
  if (wholes) return intTensor(wholes)
  throw new FormatError(`${nodeText(node)}: it has no value that is read: an array of numbers is`)
}

function concat(node: Node, inputs: Inputs): Tensor {
  const all = inputs.map((_, i) => need(node, inputs, i))
  const where = nodeText(node)
  const axis = axisIn(int(node, 'axis', 0), all[0].shape.length, where)
  const top = all[0].shape.map((size, i) => (i === axis ? sum(all.map(x => x.shape[axis])) : size))
  const wrong = all.find(x => x.shape.length !== top.length || x.shape.some((size, i) => i !== axis && size !== top[i]))
  if (wrong) throw new FormatError(`${where}: [${wrong.shape.join(', ')}] does not fit beside the others`)
  checkCount(top, where)
  const inner = countOf(top.slice(axis + 1))
  const row = top[axis] * inner
  const result = filled(all[0].type, top, () => 0)
  let offset = 0
  for (const x of all) {
    const width = x.shape[axis] * inner
    for (let i = 0; i < x.data.length; i++) result.data[Math.floor(i / width) * row + offset + (i % width)] = x.data[i]
    offset += width
  }
  return result
}

function gather(node: Node, inputs: Inputs): Tensor {
  const [x, index] = [need(node, inputs, 0), need(node, inputs, 1)]
  const where = nodeText(node)
  const axis = axisIn(int(node, 'axis', 0), x.shape.length, where)
  const size = x.shape[axis]
  const top = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)]
  checkCount(top, where)
  const inner = countOf(x.shape.slice(axis + 1))
  const many = index.data.length
  return filled(x.type, top, i => {
    const [rest, k] = [Math.floor(i / inner), i % inner]
    const [outer, j] = [Math.floor(rest / many), index.data[rest % many]]
    if (j < -size || j >= size) throw new FormatError(`${where}: index ${j} is none of ${size} places`)
    return x.data[(outer * size + (j < 0 ? j + size : j)) * inner + k]
  })
}

function slice(node: Node, inputs: Inputs): Tensor {
  const x = need(node, inputs, 0)
  const cuts = shapes.cutsOf(node, inputs, x.shape)
  const steps = stepsOf(x.shape, x.shape)
  let offset = 0
  const top = [...x.shape]
  for (const { axis, start, end, step, size } of cuts) {
    const [first = 0] = stepsAlong(x.shape[axis], start, end, step)
    offset += first * countOf(x.shape.slice(axis + 1))
    steps[axis] *= step
    top[axis] = size
  }
  return picked(x, top, steps, offset, nodeText(node))
}

function split(node: Node, inputs: Inputs): Tensor[] {
  const x = need(node, inputs, 0)
  const axis = axisIn(int(node, 'axis', 0), x.shape.length, nodeText(node))
  const inner = countOf(x.shape.slice(axis + 1))
  let offset = 0
  return shapes.partsOf(node, x.shape[axis], inputs[1]).map(size => {
    const top = x.shape.map((own, i) => (i === axis ? size : own))
    const part = picked(x, top, stepsOf(x.shape, x.shape), offset * inner, nodeText(node))
    offset += size
    return part
  })
}

function expand(node: Node, inputs: Inputs): Tensor {
  const x = need(node, inputs, 0)
  const target = numbersOf(need(node, inputs, 1))
  const top = commonShape([x.shape, target])
  if (!top) throw new FormatError(`${nodeText(node)}: [${x.shape.join(', ')}] does not become [${target.join(', ')}]`)
  return picked(x, top, stepsOf(x.shape, top), 0, nodeText(node))
}

function tile(node: Node, inputs: Inputs): Tensor {
  const x = need(node, inputs, 0)
  const repeats = numbersOf(need(node, inputs, 1))
  const top = x.shape.map((size, axis) => size * (repeats[axis] ?? 1))
  checkCount(top, nodeText(node))
  const steps = stepsOf(x.shape, x.shape)
  return filled(x.type, top, i => {
    let rest = i
    let place = 0
    for (let axis = top.length - 1; axis >= 0; axis--) {
      place += ((rest % top[axis]) % x.shape[axis]) * steps[axis]
      rest = Math.floor(rest / top[axis])
    }
    return x.data[place]
  })
}

function cast(node: Node, inputs: Inputs): Tensor {
  const x = need(node, inputs, 0)
  const type = typeOf(shapes.castTo(node))
  if (type === 'string' || type === 'unknown' || type.startsWith('complex'))
    throw new FormatError(`${nodeText(node)}: values of type ${type} are not read`)
  const to = type === 'bool' ? (v: number) => (v ? 1 : 0) : isWhole(type) ? Math.trunc : (v: number) => v
  return filled(type, x.shape, i => to(x.data[i]))
}

function range(node: Node, inputs: Inputs): Tensor {
  const [start, limit, delta] = [0, 1, 2].map(i => need(node, inputs, i).data[0])
  const count = Math.max(0, Math.ceil((limit - start) / delta))
  checkCount([count], nodeText(node))
  return filled(need(node, inputs, 0).type, [count], i => start + i * delta)
}

function constantOfShape(node: Node, inputs: Inputs): Tensor {
  const shape = numbersOf(need(node, inputs, 0))
  if (shape.some(size => size < 0)) throw new FormatError(`${nodeText(node)}: [${shape.join(', ')}] is no shape`)
  checkCount(shape, nodeText(node))
  const value = attribute(node, 'value', 'tensor')
  const { data, type } = filled(value?.type ?? 'float', shape)
  return { type, shape, data: data.fill(value?.data[0] ?? 0) }
}

/** Whole numbers are divided towards 0. */
const divideWhole = (a: number, b: number): number => Math.trunc(a / b)
/** The remainder has the sign of the divisor. */
const modulo = (a: number, b: number): number => a - b * Math.floor(a / b)

const folds: Readonly<Record<string, Fold>> = {
  Constant: node => [constant(node)],
  Identity: (node, inputs) => [need(node, inputs, 0)],
  Concat: (node, inputs) => [concat(node, inputs)],
  Gather: (node, inputs) => [gather(node, inputs)],
  Slice: (node, inputs) => [slice(node, inputs)],
  Split: (node, inputs) => split(node, inputs),
  Cast: (node, inputs) => [cast(node, inputs)],
  Range: (node, inputs) => [range(node, inputs)],
  Expand: (node, inputs) => [expand(node, inputs)],
  Tile: (node, inputs) => [tile(node, inputs)],
  ConstantOfShape: (node, inputs) => [constantOfShape(node, inputs)],
  Reshape: (node, inputs) => {
    const x = need(node, inputs, 0)
    return [withShape(x, shapes.reshaped(node, x.shape, numbersOf(need(node, inputs, 1))))]
  },
  Flatten: (node, inputs) => {
    const x = need(node, inputs, 0)
    return [withShape(x, shapes.flattened(node, x.shape))]
  },
  Squeeze: (node, inputs) => {
    const x = need(node, inputs, 0)
    return [withShape(x, shapes.squeezed(node, x.shape, shapes.listOf(node, 'axes', inputs[1])))]
  },
  Unsqueeze: (node, inputs) => {
    const x = need(node, inputs, 0)
    return [withShape(x, shapes.unsqueezed(node, x.shape, shapes.listOf(node, 'axes', inputs[1])))]
  },
  Transpose: (node, inputs) => {
    const x = need(node, inputs, 0)
    const order = shapes.orderOf(node, x.shape.length)
    const steps = stepsOf(x.shape, x.shape)
    const top = order.map(axis => x.shape[axis])
    // an axis of one place has no step, and needs none
    return [
      picked(
        x,
        top,
        order.map(axis => steps[axis]),
        0,
        nodeText(node),
      ),
    ]
  },
  Where: (node, inputs) => {
    const [condition, a, b] = [0, 1, 2].map(i => need(node, inputs, i))
    return [mapped(a.type, [condition, a, b], (c, x, y) => (c ? x : y), nodeText(node))]
  },
  Clip: (node, inputs) => {
    const x = need(node, inputs, 0)
    const low = inputs[1]?.data[0] ?? float(node, 'min', Number.NEGATIVE_INFINITY)
    const high = inputs[2]?.data[0] ?? float(node, 'max', Number.POSITIVE_INFINITY)
    return [filled(x.type, x.shape, i => Math.min(Math.max(x.data[i], low), high))]
  },
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b, divideWhole),
  Mod: (node, inputs, opset) => binary(int(node, 'fmod', 0) ? (a, b) => a % b : modulo)(node, inputs, opset),
  Pow: binary((a, b) => a ** b),
  Min: binary(Math.min),
  Max: binary(Math.max),
  Sum: binary((a, b) => a + b),
  And: compare((a, b) => a !== 0 && b !== 0),
  Or: compare((a, b) => a !== 0 || b !== 0),
  Xor: compare((a, b) => (a !== 0) !== (b !== 0)),
  Equal: compare((a, b) => a === b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  Not: each(x => (x ? 0 : 1)),
  Neg: each(x => -x),
  Abs: each(Math.abs),
  Sign: each(Math.sign),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Sqrt: each(Math.sqrt),
  Exp: each(Math.exp),
  Log: each(Math.log),
  Reciprocal: each(x => 1 / x),
  Sin: each(Math.sin),
  Cos: each(Math.cos),
  ReduceSum: reduce(sum),
  ReduceMean: reduce(values => sum(values) / values.length),
  ReduceMax: reduce(values => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  ReduceMin: reduce(values => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
  ReduceProd: reduce(values => values.reduce((a, b) => a * b, 1)),
}

/** The names of the operators that are computed where their inputs are constant, for the documentation. */
export const foldedOps: readonly string[] = [...Object.keys(folds), 'Shape', 'Size', 'If'].sort()

/** The values that a node gives, or undefined where it is not computed while reading. */
export function fold(node: Node, inputs: Inputs, opset: number): Tensor[] | undefined {
  if (node.domain !== '' || !Object.hasOwn(folds, node.op)) return undefined
  return folds[node.op](node, inputs, opset)
}

/** Shape and Size of anything: sizes are known. */
export function foldShape(node: Node, shape: readonly number[]): Tensor | undefined {
  if (node.op === 'Size') return filled('int64', [], () => countOf(shape))
  if (node.op !== 'Shape') return undefined
  return intTensor(shape.slice(int(node, 'start', 0), attribute(node, 'end', 'int') ?? shape.length))
}
