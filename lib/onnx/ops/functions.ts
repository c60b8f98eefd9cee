import type { Layer } from '../../layer.js'
import { float, int, string, type Tensor } from '../graph.js'
import { type Fields, type Operand, one, power, reshape, type Step, weightOf } from '../pieces.js'
import { binary } from './arithmetic.js'
import { input, type Op, type Ops, refused } from './handler.js'

/** Largest float32: where there is no bound. */
const MOST = 3.4028234663852886e38

const layer = (type: string, fields: (step: Step) => Fields = () => ({}), note?: string): Op => ({
  layers: type,
  note,
  build: step => {
    const x = input(step, 0)
    return one(step, type, x, x.shape, fields(step))
  },
})

const powered = (values: { scale?: number; shift?: number; exponent?: number }): Op => ({
  layers: 'Power',
  build: step => power(step, input(step, 0), values, ''),
})

type Function = NonNullable<NonNullable<Layer['param']['unary_param']>['operation']>
const unary = (operation: Function): Op => layer('Unary', () => ({ unary_param: { operation } }))

function clip(step: Step): Operand {
  const x = input(step, 0)
  const bound = (i: number, name: string, none: number): number => {
    const given: Tensor | undefined = step.inputs[i]?.constant
    const value = given ? given.data[0] : float(step.node, name, none)
    return Math.max(-MOST, Math.min(MOST, value))
  }
  const isComputed = [1, 2].map(i => step.inputs[i] !== undefined && !step.inputs[i].constant)
  const [min, max] = [bound(1, 'min', -MOST), bound(2, 'max', MOST)]
  const within = [min, isComputed[1] ? MOST : max]
  let y = x
  // the upper bound counts where both cross
  if (isComputed[0]) y = binary(step, 'MAX', y, input(step, 1), isComputed[1] || max < MOST ? '_from' : '')
  if (isComputed[0] ? within[1] < MOST : within[0] > -MOST || within[1] < MOST) {
    const clip_param = { min: isComputed[0] ? -MOST : within[0], max: within[1] }
    y = one(step, 'Clip', y, x.shape, { clip_param }, [], isComputed[1] ? '_least' : '')
  }
  return isComputed[1] ? binary(step, 'MIN', y, input(step, 2)) : y
}

/** A slope a channel, one for all, or of any shape: x > 0 ? x : slope·x. */
function prelu(step: Step): Operand {
  const [x, slope] = [input(step, 0), input(step, 1)]
  const channels = x.shape[1]
  const isOne = slope.shape.every(size => size === 1)
  // [C, 1, 1] behind a batch; [C] alone where channels are the last axis
  // before operator set 7 a list is one of channels
  const isList = step.opset < 7 && slope.shape.length === 1 && slope.shape[0] === channels
  const padded = isList
    ? x.shape.map((_, axis) => (axis === 1 ? channels : 1))
    : [...Array<number>(Math.max(0, x.shape.length - slope.shape.length)).fill(1), ...slope.shape]
  const byChannel =
    x.shape.length >= 2 &&
    padded.length === x.shape.length &&
    padded.every((size, axis) => size === (axis === 1 ? channels : 1))
  if (slope.constant && (isOne || byChannel)) {
    const shared = isOne && !(byChannel && channels === 1)
    const weight = weightOf(slope.constant, shared ? [] : [channels])
    return one(step, 'PReLU', x, x.shape, shared ? { prelu_param: { channel_shared: true } } : {}, [weight])
  }
  // min(x, 0) is −ReLU(−x)
  const above = one(step, 'ReLU', x, x.shape, {}, [], '_above')
  const turned = power(step, x, { scale: -1 }, '_turned')
  const below = one(step, 'ReLU', turned, x.shape, {}, [], '_below')
  const sloped = binary(step, 'MUL', below, slope, '_slope')
  return binary(step, 'SUB', above, sloped)
}

/** Over one axis; before operator set 13 over that one and all behind it. */
function alongAxis(step: Step, make: (x: Operand, axis: number, suffix: string) => Operand): Operand {
  const x = input(step, 0)
  const axes = x.shape.length
  const written = int(step.node, 'axis', step.opset < 13 ? 1 : -1)
  const axis = written < 0 ? written + axes : written
  if (!(axis >= 0 && axis < Math.max(1, axes))) throw refused(step, `axis ${written} is none of ${axes}`)
  const behind = x.shape.slice(axis + 1)
  if (step.opset >= 13 || behind.every(size => size === 1)) return make(x, axis, '')
  const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
  const flat = reshape(step, x, [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))], '_flat')
  return reshape(step, make(flat, 1, ''), x.shape, '_out')
}

const softmax = (step: Step, x: Operand, axis: number, suffix: string): Operand =>
  one(step, 'Softmax', x, x.shape, axis === 1 ? {} : { softmax_param: { axis } }, [], suffix)

/** x − log Σ eˣ, whose sum cannot overflow. */
function logSoftmax(step: Step, x: Operand, axis: number): Operand {
  const shape = x.shape.map((size, i) => (i === axis ? 1 : size))
  const reduce_param = { axis: [axis], operation: 'LOG_SUM_EXP' as const, keep_dims: true }
  const sum = one(step, 'Reduce', x, shape, { reduce_param }, [], '_sum')
  return binary(step, 'SUB', x, sum)
}

export const functions: Ops = {
  Relu: layer('ReLU'),
  LeakyRelu: layer('ReLU', ({ node }) => ({ relu_param: { negative_slope: float(node, 'alpha', 0.01) } })),
  PRelu: { layers: 'PReLU', note: 'slopes of any shape, by several layers', build: prelu },
  Elu: layer('ELU', ({ node }) => {
    const alpha = float(node, 'alpha', 1)
    return alpha === 1 ? {} : { elu_param: { alpha } }
  }),
  Selu: layer('SeLU', ({ node }) => ({
    selu_param: {
      alpha: float(node, 'alpha', 1.6732632423543772),
      lambda: float(node, 'gamma', 1.0507009873554805),
    },
  })),
  Celu: {
    layers: 'Power, ELU, Power',
    build: step => {
      const alpha = float(step.node, 'alpha', 1)
      const scaled = power(step, input(step, 0), { scale: 1 / alpha }, '_in')
      const y = one(step, 'ELU', scaled, scaled.shape, {}, [], alpha === 1 ? '' : '_elu')
      return power(step, y, { scale: alpha }, '')
    },
  },
  ThresholdedRelu: {
    layers: 'Threshold, Eltwise',
    build: step => {
      const x = input(step, 0)
      const threshold_param = { threshold: float(step.node, 'alpha', 1) }
      const passes = one(step, 'Threshold', x, x.shape, { threshold_param }, [], '_passes')
      const fields: Fields = { eltwise_param: { operation: 'PROD' }, propagate_down: [true, false] }
      return one(step, 'Eltwise', [x, passes], x.shape, fields)
    },
  },
  Sigmoid: layer('Sigmoid'),
  Tanh: layer('TanH'),
  Softplus: layer('BNLL'),
  Softsign: unary('SOFTSIGN'),
  HardSigmoid: layer('HardSigmoid', ({ node }) => ({
    hard_sigmoid_param: { alpha: float(node, 'alpha', 0.2), beta: float(node, 'beta', 0.5) },
  })),
  HardSwish: layer('HardSwish'),
  Mish: layer('Mish'),
  Gelu: layer('Gelu', ({ node }) =>
    string(node, 'approximate', 'none') === 'tanh' ? { gelu_param: { approximation: 'TANH' } } : {},
  ),
  Abs: layer('AbsVal'),
  Exp: layer('Exp'),
  Log: layer('Log'),
  Sqrt: powered({ exponent: 0.5 }),
  Neg: powered({ scale: -1 }),
  Reciprocal: powered({ exponent: -1 }),
  Clip: { layers: 'Clip, or Broadcast with bounds that are computed', build: clip },
  Erf: unary('ERF'),
  Floor: unary('FLOOR'),
  Ceil: unary('CEIL'),
  Round: unary('ROUND'),
  Sign: unary('SIGN'),
  Sin: unary('SIN'),
  Cos: unary('COS'),
  Tan: unary('TAN'),
  Asin: unary('ASIN'),
  Acos: unary('ACOS'),
  Atan: unary('ATAN'),
  Sinh: unary('SINH'),
  Cosh: unary('COSH'),
  Asinh: unary('ASINH'),
  Acosh: unary('ACOSH'),
  Atanh: unary('ATANH'),
  Softmax: { layers: 'Softmax', build: step => alongAxis(step, (x, axis, suffix) => softmax(step, x, axis, suffix)) },
  LogSoftmax: {
    layers: 'Reduce, Broadcast',
    build: step => alongAxis(step, (x, axis) => logSoftmax(step, x, axis)),
  },
}
