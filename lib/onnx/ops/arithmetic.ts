import type { Layer } from '../../layer.js'
import { commonShape } from '../fold/arrays.js'
import { countOf, int, type Tensor } from '../graph.js'
import { type Operand, one, power, reshape, type Step, weightFrom, weightOf } from '../pieces.js'
import { input, type Op, type Ops, refused } from './handler.js'

/** The largest float32: a bound that there is not. */
const MOST = 3.4028234663852886e38

export type Operation = NonNullable<NonNullable<Layer['param']['broadcast_param']>['operation']>

/** Axes from..to of x along which another array lies, having the size 1 on all others. */
interface Run {
  readonly from: number
  readonly to: number
}

/**
 * Where `small` lies in x if it has x's sizes along axes that follow each other, and 1 elsewhere. A blob may have sizes
 * of 1 in common with x, the batch above all: they belong to the run, so that it holds when they change.
 */
function runIn(x: readonly number[], small: readonly number[], isBlob: boolean): Run | undefined {
  if (small.length > x.length) return undefined
  const sizes = [...Array<number>(x.length - small.length).fill(1), ...small]
  const first = x.length - small.length
  let from = sizes.findIndex((size, i) => (isBlob && i >= first ? size === x[i] : size !== 1))
  if (from < 0) from = x.length
  let to = x.length
  while (to > from && sizes[to - 1] === 1) to--
  // all ones that are the batch's: one value an item
  if (isBlob && to === from && from < x.length) to = from + 1
  for (let i = 0; i < x.length; i++) if (i >= from && i < to ? sizes[i] !== x[i] : sizes[i] !== 1) return undefined
  return { from, to }
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

/** operation(a, b) by the layer that does it best; `suffix` is for those that are not the node's last. */
export function binary(step: Step, operation: Operation, a: Operand, b: Operand, suffix = ''): Operand {
  const shape = commonShape([a.shape, b.shape])
  if (!shape) throw refused(step, `the shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] do not go together`)
  const known =
    b.constant && !a.constant && same(shape, a.shape)
      ? withConstant(step, operation, a, b.constant, false, suffix)
      : a.constant && !b.constant && same(shape, b.shape)
        ? withConstant(step, operation, b, a.constant, true, suffix)
        : undefined
  if (known) return known
  if (!a.constant && !b.constant) {
    const fast = same(a.shape, b.shape) ? alike(step, operation, a, b, suffix) : spread(step, operation, a, b, suffix)
    if (fast) return fast
  }
  return one(
    step,
    'Broadcast',
    [a, b],
    shape,
    operation === 'ADD' ? {} : { broadcast_param: { operation } },
    [],
    suffix,
  )
}

/** Of x and a constant; `turned`: the constant is the first. */
function withConstant(
  step: Step,
  operation: Operation,
  x: Operand,
  c: Tensor,
  turned: boolean,
  suffix: string,
): Operand | undefined {
  if (c.data.length === 1) return withNumber(step, operation, x, c.data[0], turned, suffix)
  const run = runIn(x.shape, c.shape, false)
  if (!run) return undefined
  const shape = x.shape.slice(run.from, run.to)
  const axes = { axis: run.from, ...(shape.length !== 1 && { num_axes: shape.length }) }
  const scaled = (from: Operand, value?: (v: number) => number) => {
    const weight = value ? weightFrom(c, value, shape) : weightOf(c, shape)
    return one(step, 'Scale', from, x.shape, { scale_param: axes }, [weight], suffix)
  }
  const biased = (from: Operand, sign: number) => {
    const weight = sign === 1 ? weightOf(c, shape) : weightFrom(c, v => -v, shape)
    return one(step, 'Bias', from, x.shape, { bias_param: axes }, [weight], suffix)
  }
  switch (operation) {
    case 'ADD':
      return biased(x, 1)
    case 'MUL':
      return scaled(x)
    case 'SUB':
      return turned ? biased(power(step, x, { scale: -1 }, `${suffix}_neg`), 1) : biased(x, -1)
    case 'DIV':
      return turned ? scaled(power(step, x, { exponent: -1 }, `${suffix}_inverse`)) : scaled(x, v => 1 / v)
    default:
      return undefined
  }
}

function withNumber(
  step: Step,
  operation: Operation,
  x: Operand,
  c: number,
  turned: boolean,
  suffix: string,
): Operand | undefined {
  const make = (values: { scale?: number; shift?: number; exponent?: number }) => power(step, x, values, suffix)
  switch (operation) {
    case 'ADD':
      return make({ shift: c })
    case 'SUB':
      return turned ? make({ scale: -1, shift: c }) : make({ shift: -c })
    case 'MUL':
      return make({ scale: c })
    case 'DIV':
      if (!turned) return make({ scale: 1 / c })
      return c === 0 ? undefined : make({ scale: 1 / c, exponent: -1 })
    case 'POW':
      return turned ? undefined : make({ exponent: c })
    case 'MAX':
    case 'MIN': {
      if (!Number.isFinite(c)) return undefined
      const clip_param = operation === 'MAX' ? { min: c, max: MOST } : { min: -MOST, max: c }
      return one(step, 'Clip', x, x.shape, { clip_param }, [], suffix)
    }
    default:
      return undefined
  }
}

const ELTWISE: Partial<Record<Operation, 'SUM' | 'PROD' | 'MAX'>> = { ADD: 'SUM', SUB: 'SUM', MUL: 'PROD', MAX: 'MAX' }

function alike(step: Step, operation: Operation, a: Operand, b: Operand, suffix: string): Operand | undefined {
  const kind = ELTWISE[operation]
  if (!kind) return undefined
  const eltwise_param = {
    ...(kind !== 'SUM' && { operation: kind }),
    ...(operation === 'SUB' && { coeff: [1, -1] }),
  }
  return one(
    step,
    'Eltwise',
    [a, b],
    a.shape,
    kind === 'SUM' && operation === 'ADD' ? {} : { eltwise_param },
    [],
    suffix,
  )
}

/** Two blobs of which one lies along a run of the other's axes. */
function spread(step: Step, operation: Operation, a: Operand, b: Operand, suffix: string): Operand | undefined {
  if (operation !== 'ADD' && operation !== 'MUL' && operation !== 'SUB') return undefined
  const [large, small, turned] = countOf(a.shape) >= countOf(b.shape) ? [a, b, false] : [b, a, true]
  const run = runIn(large.shape, small.shape, true)
  if (!run || run.from === run.to || (operation === 'SUB' && turned)) return undefined
  const flat = reshape(step, small, large.shape.slice(run.from, run.to), `${suffix}_flat`)
  const axis = run.from === 1 ? {} : { axis: run.from }
  if (operation === 'MUL')
    return one(step, 'Scale', [large, flat], large.shape, run.from === 1 ? {} : { scale_param: axis }, [], suffix)
  const added = operation === 'SUB' ? power(step, flat, { scale: -1 }, `${suffix}_neg`) : flat
  return one(step, 'Bias', [large, added], large.shape, run.from === 1 ? {} : { bias_param: axis }, [], suffix)
}

/** Several operands, two at a time; all of one shape and no constant: one layer. */
function several(step: Step, operation: 'ADD' | 'MAX' | 'MIN'): Operand {
  const all = step.inputs.map((_, i) => input(step, i))
  const [first, ...rest] = all
  const kind = ELTWISE[operation]
  if (kind && all.length > 2 && all.every(x => !x.constant && same(x.shape, first.shape)))
    return one(step, 'Eltwise', all, first.shape, kind === 'SUM' ? {} : { eltwise_param: { operation: kind } })
  return rest.reduce((sum, x, i) => binary(step, operation, sum, x, i === rest.length - 1 ? '' : `_${i}`), first)
}

/** Before operator set 7 the second operand lies where the attribute axis says. */
function placed(step: Step, a: Operand, b: Operand): Operand {
  const axis = int(step.node, 'axis', a.shape.length - b.shape.length)
  const behind = a.shape.length - b.shape.length - (axis < 0 ? axis + a.shape.length : axis)
  if (behind <= 0) return b
  const shape = [...b.shape, ...Array<number>(behind).fill(1)]
  return b.constant && !b.maker
    ? { ...b, shape, constant: { ...b.constant, shape } }
    : reshape(step, b, shape, '_placed')
}

export const two = (operation: Operation, layers = 'Eltwise, Scale, Bias, Power or Broadcast', note?: string): Op => ({
  layers,
  note,
  build: step => {
    const [a, b] = [input(step, 0), input(step, 1)]
    return binary(step, operation, a, step.opset < 7 ? placed(step, a, b) : b)
  },
})

const compared = (operation: Operation): Op => ({
  ...two(operation, 'Broadcast', 'gives 1 and 0'),
  build: step => {
    const y = binary(step, operation, input(step, 0), input(step, 1))
    y.type = 'bool'
    return y
  },
})

const isBool = (step: Step): void => {
  for (const [i, type] of step.types.entries())
    if (type !== undefined && type !== 'bool') throw refused(step, `input ${i} is of type ${type}, not bool`)
}

const logical = (layers: string, build: (step: Step) => Operand): Op => ({
  layers,
  build: step => {
    isBool(step)
    const y = build(step)
    y.type = 'bool'
    return y
  },
})

export const arithmetic: Ops = {
  Add: two('ADD'),
  Sub: two('SUB'),
  Mul: two('MUL'),
  Pow: two('POW', 'Power or Broadcast'),
  Sum: { layers: 'Eltwise or as Add', build: step => several(step, 'ADD') },
  Max: { layers: 'Eltwise, Clip or Broadcast', build: step => several(step, 'MAX') },
  Min: { layers: 'Clip or Broadcast', build: step => several(step, 'MIN') },
  Mean: {
    layers: 'as Sum, Power',
    build: step => {
      const all = step.inputs.map((_, i) => input(step, i))
      const sum = all.slice(1).reduce((x, y, i) => binary(step, 'ADD', x, y, `_${i}`), all[0])
      return power(step, sum, { scale: 1 / all.length }, '')
    },
  },
  Equal: compared('EQUAL'),
  Greater: compared('GREATER'),
  GreaterOrEqual: compared('GREATER_EQUAL'),
  Less: compared('LESS'),
  LessOrEqual: compared('LESS_EQUAL'),
  And: logical('as Mul', step => binary(step, 'MUL', input(step, 0), input(step, 1))),
  Or: logical('as Max', step => binary(step, 'MAX', input(step, 0), input(step, 1))),
  Xor: logical('as Sub, AbsVal', step => {
    const difference = binary(step, 'SUB', input(step, 0), input(step, 1), '_difference')
    return one(step, 'AbsVal', difference, difference.shape)
  }),
  Not: logical('Power', step => power(step, input(step, 0), { scale: -1, shift: 1 }, '')),
  Where: {
    layers: 'Where',
    build: step => {
      const all = [0, 1, 2].map(i => input(step, i))
      const shape = commonShape(all.map(x => x.shape))
      if (!shape) throw refused(step, 'the shapes of its inputs do not go together')
      return one(step, 'Where', all, shape, { propagate_down: [false, true, true] })
    },
  },
}
