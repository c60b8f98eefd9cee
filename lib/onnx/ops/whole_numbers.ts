import { commonShape, filled, isWhole } from '../fold/arrays.js'
import * as shapes from '../fold/shapes.js'
import { int } from '../graph.js'
import { type Operand, one, power, type Step } from '../pieces.js'
import { typeOf } from '../tensor.js'
import { binary, two } from './arithmetic.js'
import { input, type Ops, refused } from './handler.js'

// Quotients that have no fraction. Whole numbers are float32, and right to 2^24.

const unary = (step: Step, operation: 'FLOOR' | 'SIGN', x: Operand, suffix: string): Operand =>
  one(step, 'Unary', x, x.shape, { unary_param: { operation } }, [], suffix)

/** Without its fraction, which is cut off: −1.5 is −1. */
function truncated(step: Step, x: Operand, suffix: string): Operand {
  const size = one(step, 'AbsVal', x, x.shape, {}, [], `${suffix}_size`)
  return binary(
    step,
    'MUL',
    unary(step, 'FLOOR', size, `${suffix}_whole`),
    unary(step, 'SIGN', x, `${suffix}_sign`),
    suffix,
  )
}

/** A true quotient: times the inverse of a constant it could fall short of a whole number. */
function ratioOf(step: Step, a: Operand, b: Operand): Operand {
  const shape = commonShape([a.shape, b.shape])
  if (!shape) throw refused(step, `the shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] do not go together`)
  return one(step, 'Broadcast', [a, b], shape, { broadcast_param: { operation: 'DIV' } }, [], '_ratio')
}

/** The quotient of whole numbers, which is one. */
const wholeQuotient = (step: Step, a: Operand, b: Operand): Operand => truncated(step, ratioOf(step, a, b), '')

/** Which place of its plane a place of a max pooling is, where it is counted through all planes. */
function placeInPlane(x: Operand, divisor: Operand): Operand | undefined {
  const [mask] = x.maker?.type === 'Broadcast' ? x.maker.bottoms : []
  const pooled = mask?.maker?.type === 'Pooling' && mask === mask.maker.tops[1] ? mask.maker.bottoms[0] : undefined
  if (!pooled || divisor.constant?.data.length !== 1) return undefined
  return divisor.constant.data[0] === pooled.shape[2] * pooled.shape[3] ? mask : undefined
}

/** What is left of a when it is divided by b: with the sign of a if fmod, else with that of b. */
function modulo(step: Step): Operand {
  const [a, b] = [input(step, 0), input(step, 1)]
  const place = placeInPlane(a, b)
  if (place) return place
  const isCut = int(step.node, 'fmod', 0) !== 0
  if (!isCut && !step.types.every(isWhole)) throw refused(step, 'fmod must be 1 for real numbers')
  const ratio = ratioOf(step, a, b)
  const whole = isCut ? truncated(step, ratio, '_times') : unary(step, 'FLOOR', ratio, '_times')
  return binary(step, 'SUB', a, binary(step, 'MUL', whole, b, '_taken'))
}

/** Real numbers lose their fraction when they become whole, and are true when they are not 0. */
function cast(step: Step): Operand {
  const x = input(step, 0)
  const [from = 'float'] = step.types
  const to = typeOf(shapes.castTo(step.node))
  const isReal = (type: string) => /float|double/.test(type)
  if (to === 'bool' && from !== 'bool') {
    const zero = {
      name: `${step.name}_zero`,
      shape: [],
      type: 'float',
      constant: filled('float', [], () => 0),
    } as const
    const is = one(step, 'Broadcast', [x, zero], x.shape, { broadcast_param: { operation: 'EQUAL' } }, [], '_none')
    return power(step, is, { scale: -1, shift: 1 }, '')
  }
  if (isWhole(to) && isReal(from)) return truncated(step, x, '')
  if (isReal(to) || to === from || isWhole(to)) return x
  throw refused(step, `values of type ${from} that are computed do not become ${to}`)
}

const divided = two('DIV')

export const wholeNumbers: Ops = {
  Cast: {
    layers: 'none, or AbsVal, Unary, Eltwise, or Broadcast, Power',
    note: 'to whole numbers without the fraction',
    build: cast,
  },
  Div: {
    ...divided,
    note: 'of whole numbers without the fraction',
    build: step => {
      return step.types.every(isWhole) ? wholeQuotient(step, input(step, 0), input(step, 1)) : divided.build(step)
    },
  },
  Mod: { layers: 'Broadcast, Unary, as Mul and Sub', note: 'whole numbers to 2^24', build: modulo },
}
