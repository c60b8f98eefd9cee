import { commonShape, numbersOf } from '../fold/arrays.js'
import { countOf, float, int, type Tensor } from '../graph.js'
import {
  type Fields,
  floatsOf,
  type Operand,
  one,
  permute,
  power,
  reshape,
  type Step,
  turn,
  type Weight,
  weightFrom,
  weightOf,
} from '../pieces.js'
import { binary } from './arithmetic.js'
import { input, type Ops, refused } from './handler.js'

/** One value an output of a bias that is [N], [1, N] or a single one for all; undefined where it is none of these. */
function rowOf(bias: Tensor, outputs: number, beta: number): Weight | undefined {
  const { shape, data } = bias
  const isRow = shape[shape.length - 1] === outputs && data.length === outputs
  if (!isRow && data.length !== 1) return undefined
  if (isRow && beta === 1) return weightOf(bias, [outputs])
  return {
    shape: [outputs],
    data: () => {
      const values = floatsOf(bias)
      return Float32Array.from({ length: outputs }, (_, i) => beta * values[isRow ? i : 0])
    },
  }
}

function innerProduct(
  step: Step,
  x: Operand,
  weight: Weight,
  transposed: boolean,
  outputs: number,
  bias: Weight | undefined,
  suffix = '',
): Operand {
  const axis = x.shape.length - 1
  // what a Reshape or Flatten only makes flat, the layer takes as it is
  const maker = x.maker?.type === 'Reshape' && axis === 1 ? x.maker : undefined
  // a net of this library has a layer of its own for it, or the layer wrote it by itself
  const isLayer = step.isOwn && maker?.asked !== `${step.name}/Reshape`
  const made = isLayer ? undefined : maker?.bottoms[0]
  const flat = made && made.shape.length > 1 && made.shape[0] === x.shape[0] && !x.fixed ? made : x
  const inner_product_param = {
    num_output: outputs,
    ...(!bias && { bias_term: false }),
    ...(axis !== 1 && { axis }),
    ...(transposed && { transpose: true }),
  }
  const fields: Fields = { inner_product_param }
  const weights = bias ? [weight, bias] : [weight]
  return one(step, 'InnerProduct', flat, [...x.shape.slice(0, axis), outputs], fields, weights, suffix)
}

function gemm(step: Step): Operand {
  const { node } = step
  const [alpha, beta] = [float(node, 'alpha', 1), float(node, 'beta', 1)]
  const [turnA, turnB] = [int(node, 'transA', 0) !== 0, int(node, 'transB', 0) !== 0]
  const [a, b, c] = [input(step, 0), input(step, 1), step.inputs[2]]
  if (a.shape.length !== 2 || b.shape.length !== 2) throw refused(step, 'its inputs must be matrices')
  const [M, K] = turnA ? [a.shape[1], a.shape[0]] : a.shape
  const [rows, N] = turnB ? [b.shape[1], b.shape[0]] : b.shape
  if (rows !== K) throw refused(step, `its matrices do not fit: ${M}×${K} by ${rows}×${N}`)
  const added = (y: Operand): Operand => {
    if (!c || beta === 0) return y
    const scaled = c.constant && beta !== 1 ? scaledConstant(c, beta) : c
    return binary(step, 'ADD', y, c.constant ? scaled : power(step, c, { scale: beta }, '_beta'))
  }
  if (b.constant && !a.constant) {
    const x = turnA ? permute(step, a, [1, 0]) : a
    const bias = c?.constant && beta !== 0 ? rowOf(c.constant, N, beta) : undefined
    const weight = alpha === 1 ? weightOf(b.constant) : weightFrom(b.constant, v => alpha * v)
    const rest = c && !bias && beta !== 0
    const y = innerProduct(step, x, weight, !turnB, N, bias, rest ? '_product' : '')
    return rest ? added(y) : y
  }
  const rest = c !== undefined && beta !== 0
  const matmul_param = { ...(turnA && { transpose_a: true }), ...(turnB && { transpose_b: true }) }
  const suffix = rest || alpha !== 1 ? '_product' : ''
  const product = one(step, 'MatMul', [a, b], [M, N], { matmul_param }, [], suffix)
  return added(power(step, product, { scale: alpha }, rest ? '_alpha' : ''))
}

const scaledConstant = (c: Operand, factor: number): Operand => {
  const tensor: Tensor = { type: 'float', shape: c.shape, data: floatsOf(c.constant!).map(v => v * factor) }
  return { ...c, name: `${c.name}_scaled`, constant: tensor, maker: undefined }
}

function matmul(step: Step): Operand {
  const [a, b] = [input(step, 0), input(step, 1)]
  if (a.shape.length < 1 || b.shape.length < 1) throw refused(step, 'its inputs need axes')
  if (b.constant && !a.constant && b.shape.length === 2 && a.shape.length >= 2) {
    if (a.shape[a.shape.length - 1] !== b.shape[0]) throw misfit(step, a, b)
    return innerProduct(step, a, weightOf(b.constant), true, b.shape[1], undefined)
  }
  // a vector is a matrix of one row or column, which goes again
  const [row, column] = [a.shape.length === 1, b.shape.length === 1]
  const x = row ? reshape(step, a, [1, ...a.shape], '_row') : a
  const y = column ? reshape(step, b, [...b.shape, 1], '_column') : b
  const batch = commonShape([x.shape.slice(0, -2), y.shape.slice(0, -2)])
  if (!batch || x.shape[x.shape.length - 1] !== y.shape[y.shape.length - 2]) throw misfit(step, a, b)
  const [M, N] = [x.shape[x.shape.length - 2], y.shape[y.shape.length - 1]]
  const product = one(step, 'MatMul', [x, y], [...batch, M, N], {}, [], row || column ? '_product' : '')
  return reshape(step, product, [...batch, ...(row ? [] : [M]), ...(column ? [] : [N])], '')
}

const misfit = (step: Step, a: Operand, b: Operand) =>
  refused(step, `its inputs do not fit: [${a.shape.join(', ')}] by [${b.shape.join(', ')}]`)

/** Places along an axis: those that are known, rows of a constant table, or those that are computed. */
function gather(step: Step): Operand {
  const [x, index] = [input(step, 0), input(step, 1)]
  const axes = x.shape.length
  const written = int(step.node, 'axis', 0)
  const axis = written < 0 ? written + axes : written
  if (!(axis >= 0 && axis < axes)) throw refused(step, `axis ${written} is none of ${axes}`)
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)]
  if (index.constant) {
    const places = numbersOf(index.constant)
    const wrong = places.find(place => place < -x.shape[axis] || place >= x.shape[axis])
    if (wrong !== undefined) throw refused(step, `index ${wrong} is none of ${x.shape[axis]} places`)
    const gather_param = {
      ...(axis !== 0 && { axis }),
      index: places,
      ...(index.shape.length !== 1 && { shape: { dim: [...index.shape] } }),
    }
    return one(step, 'Gather', x, shape, { gather_param })
  }
  if (!x.constant || axis !== 0 || axes < 2) return items(step, x, index, axis)
  const width = countOf(x.shape.slice(1))
  const embed_param = { num_output: width, input_dim: x.shape[0], bias_term: false }
  const weight = weightOf(x.constant, [x.shape[0], width])
  const rows = one(step, 'Embed', index, [...index.shape, width], { embed_param }, [weight], axes === 2 ? '' : '_rows')
  return reshape(step, rows, shape, '')
}

/** Items along an axis by indices that are computed, from 0 on; the axes of the indices take its place. */
function items(step: Step, x: Operand, index: Operand, axis: number): Operand {
  const others = x.shape.map((_, i) => i).filter(i => i !== axis)
  const rest = others.map(i => x.shape[i])
  const front = permute(step, x, [axis, ...others], '_front')
  const count = countOf(index.shape)
  const places = reshape(step, index, [count], '_places')
  const isDone = axis === 0 && index.shape.length === 1
  const rows = one(step, 'BatchReindex', [front, places], [count, ...rest], {}, [], isDone ? '' : '_rows')
  const spread = reshape(step, rows, [...index.shape, ...rest], axis === 0 ? '' : '_spread')
  const own = index.shape.map((_, i) => i)
  const behind = rest.map((_, i) => own.length + i)
  return turn(step, spread, [...behind.slice(0, axis), ...own, ...behind.slice(axis)], '')
}

export const matrices: Ops = {
  Gemm: { layers: 'InnerProduct, or MatMul and as Add', build: gemm },
  MatMul: { layers: 'InnerProduct or MatMul', build: matmul },
  Gather: {
    layers: 'Gather, Embed or BatchReindex',
    note: 'indices that are computed count from 0 on: one below is refused in the pass',
    build: gather,
  },
}
