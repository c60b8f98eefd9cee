import type { Layer } from '../../layer.js'
import { numbersOf } from '../fold/arrays.js'
import * as shapes from '../fold/shapes.js'
import { float, int, ints, string, type Tensor } from '../graph.js'
import { type Operand, one, reshape, type Step } from '../pieces.js'
import { input, maybeConstant, type Op, type Ops, refused } from './handler.js'
import { globalPooling } from './pooling.js'

type Operation = NonNullable<NonNullable<Layer['param']['reduce_param']>['operation']>

/** Those that Caffe's Reduction does, over trailing axes. */
const REDUCTION: Partial<Record<Operation, 'SUM' | 'MEAN' | 'ASUM' | 'SUMSQ'>> = {
  SUM: 'SUM',
  MEAN: 'MEAN',
  ASUM: 'ASUM',
  SUMSQ: 'SUMSQ',
}

function reduced(step: Step, operation: Operation, suffix = ''): Operand {
  const x = input(step, 0)
  const axes = shapes.reducedAxes(step.node, x.shape.length, maybeConstant(step, 1, 'the axes'))
  if (!axes.length && x.shape.length) return x
  const keep = int(step.node, 'keepdims', 1) !== 0
  const isIn = (axis: number) => axes.includes(axis)
  const kept = x.shape.map((size, axis) => (isIn(axis) ? 1 : size))
  const shape = keep ? kept : x.shape.filter((_, axis) => !isIn(axis))
  const isSpace = x.shape.length === 4 && axes.join() === '2,3'
  if (isSpace && (operation === 'MEAN' || operation === 'MAX'))
    return reshape(step, globalPooling(step, x, operation === 'MEAN' ? 'AVE' : 'MAX'), shape, `${suffix}_axes`)
  const simple = REDUCTION[operation]
  if (simple && axes[0] === x.shape.length - axes.length && axes.length) {
    const reduction_param = { ...(simple !== 'SUM' && { operation: simple }), ...(axes[0] !== 0 && { axis: axes[0] }) }
    const top = x.shape.slice(0, axes[0])
    const y = one(step, 'Reduction', x, top, { reduction_param }, [], keep ? `${suffix}_reduced` : suffix)
    return reshape(step, y, shape, suffix)
  }
  const reduce_param = {
    axis: axes,
    ...(operation !== 'SUM' && { operation }),
    ...(keep && { keep_dims: true }),
  }
  return one(step, 'Reduce', x, shape, { reduce_param }, [], suffix)
}

const reduce = (operation: Operation, layers = 'Reduce'): Op => ({
  layers,
  build: step => reduced(step, operation),
})

const best = (operation: 'ARGMAX' | 'ARGMIN'): Op => ({
  layers: 'Reduce',
  build: step => {
    const x = input(step, 0)
    const written = int(step.node, 'axis', 0)
    const axis = written < 0 ? written + x.shape.length : written
    if (!(axis >= 0 && axis < x.shape.length)) throw refused(step, `axis ${written} is none of ${x.shape.length}`)
    const keep = int(step.node, 'keepdims', 1) !== 0
    const last = int(step.node, 'select_last_index', 0) !== 0
    const shape = x.shape.flatMap((size, i) => (i !== axis ? [size] : keep ? [1] : []))
    const reduce_param = { axis: [axis], operation, ...(keep && { keep_dims: true }), ...(last && { last }) }
    const y = one(step, 'Reduce', x, shape, { reduce_param })
    y.type = 'int64'
    return y
  },
})

const COORDINATES = {
  half_pixel: 'HALF_PIXEL',
  align_corners: 'ALIGN_CORNERS',
  asymmetric: 'ASYMMETRIC',
  pytorch_half_pixel: 'PYTORCH_HALF_PIXEL',
  tf_half_pixel_for_nn: 'TF_HALF_PIXEL_FOR_NN',
} as const
const METHODS = { nearest: 'NEAREST', linear: 'LINEAR', bilinear: 'LINEAR', cubic: 'CUBIC' } as const
const ROUNDINGS = {
  round_prefer_floor: 'ROUND_PREFER_FLOOR',
  round_prefer_ceil: 'ROUND_PREFER_CEIL',
  floor: 'FLOOR',
  ceil: 'CEIL',
} as const

function chosen<T extends object>(step: Step, name: string, table: T, standard: string): T[keyof T] {
  const value = string(step.node, name, standard)
  if (!Object.hasOwn(table, value)) throw refused(step, `${name} ${value} is not there`)
  return table[value as keyof T]
}

function resize(step: Step): Operand {
  const { node, opset } = step
  const x = input(step, 0)
  const isOld = node.op === 'Upsample' || opset < 11
  const known: (Tensor | undefined)[] = step.inputs.map((operand, i) =>
    i === 0 || !operand ? undefined : maybeConstant(step, i, 'where it goes'),
  )
  const list = (tensor: Tensor | undefined) => (tensor?.data.length ? numbersOf(tensor) : undefined)
  const attribute = node.attributes.get('scales')
  const scales = attribute?.type === 'floats' ? [...attribute.value] : list(isOld ? known[1] : known[2])
  const sizes = list(known[3])
  const given = scales ?? sizes
  if (!given) throw refused(step, 'it has neither scales nor sizes')
  if (int(node, 'antialias', 0)) throw refused(step, 'antialias is not there')
  if (string(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    throw refused(step, 'keep_aspect_ratio_policy is not there')
  const axes = ints(node, 'axes') ?? x.shape.map((_, axis) => axis)
  if (given.length !== axes.length) throw refused(step, `${given.length} numbers do not fit ${axes.length} axes`)
  const [shape, factors] = [[...x.shape], x.shape.map(() => 1)]
  axes.forEach((axis, i) => {
    const at = axis < 0 ? axis + x.shape.length : axis
    shape[at] = sizes && !scales ? sizes[i] : Math.floor(x.shape[at] * given[i])
    factors[at] = sizes && !scales ? sizes[i] / x.shape[at] : given[i]
  })
  const method = chosen(step, 'mode', METHODS, 'nearest')
  const coordinates = isOld ? 'ASYMMETRIC' : chosen(step, 'coordinate_transformation_mode', COORDINATES, 'half_pixel')
  const rounding = isOld ? 'FLOOR' : chosen(step, 'nearest_mode', ROUNDINGS, 'round_prefer_floor')
  const first = factors.findIndex((factor, axis) => factor !== 1 || shape[axis] !== x.shape[axis])
  if (first < 0) return x
  if (shape.some(size => size < 1)) throw refused(step, `[${shape.join(', ')}] is no size`)
  if (coordinates === 'ALIGN_CORNERS' && scales && factors.some((f, axis) => x.shape[axis] * f !== shape[axis]))
    throw refused(step, 'align_corners with scales that give no whole sizes is read in two ways: give sizes')
  const cubic = float(node, 'cubic_coeff_a', -0.75)
  const resize_param = {
    ...(scales ? { scale: factors.slice(first) } : { size: shape.slice(first) }),
    ...(first !== 2 && { axis: first }),
    ...(method !== 'NEAREST' && { method }),
    ...(coordinates !== 'HALF_PIXEL' && { coordinates }),
    ...(method === 'NEAREST' && rounding !== 'ROUND_PREFER_FLOOR' && { rounding }),
    ...(method === 'CUBIC' && cubic !== -0.75 && { cubic_coeff: cubic }),
    ...(method === 'CUBIC' && int(node, 'exclude_outside', 0) && { exclude_outside: true }),
  }
  return one(step, 'Resize', x, shape, { resize_param })
}

export const reductions: Ops = {
  ReduceSum: reduce('SUM', 'Reduction or Reduce'),
  ReduceMean: reduce('MEAN', 'Reduction, Pooling or Reduce'),
  ReduceMax: reduce('MAX', 'Pooling or Reduce'),
  ReduceMin: reduce('MIN'),
  ReduceProd: reduce('PROD'),
  ReduceL1: reduce('ASUM', 'Reduction or Reduce'),
  ReduceL2: reduce('L2'),
  ReduceSumSquare: reduce('SUMSQ', 'Reduction or Reduce'),
  ReduceLogSumExp: reduce('LOG_SUM_EXP'),
  ReduceLogSum: {
    layers: 'Reduce, Log',
    build: step => {
      const sum = reduced(step, 'SUM', '_sum')
      return one(step, 'Log', sum, sum.shape)
    },
  },
  ArgMax: best('ARGMAX'),
  ArgMin: best('ARGMIN'),
  Resize: {
    layers: 'Resize',
    note: 'no tf_crop_and_resize, no antialias',
    build: resize,
  },
  Upsample: { layers: 'Resize', build: resize },
}
