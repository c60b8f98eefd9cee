import { isWhole } from '../fold/arrays.js'
import { int } from '../graph.js'
import { type Operand, one, type Step } from '../pieces.js'
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

/** The quotient of whole numbers, which is one. */
const wholeQuotient = (step: Step, a: Operand, b: Operand): Operand =>
  truncated(step, binary(step, 'DIV', a, b, '_ratio'), '')

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
  if (!isCut && !(isWhole(a.type) && isWhole(b.type))) throw refused(step, 'fmod must be 1 for real numbers')
  const ratio = binary(step, 'DIV', a, b, '_ratio')
  const whole = isCut ? truncated(step, ratio, '_times') : unary(step, 'FLOOR', ratio, '_times')
  return binary(step, 'SUB', a, binary(step, 'MUL', whole, b, '_taken'))
}

const divided = two('DIV')

export const wholeNumbers: Ops = {
  Div: {
    ...divided,
    note: 'of whole numbers without the fraction',
    build: step => {
      const [a, b] = [input(step, 0), input(step, 1)]
      return isWhole(a.type) && isWhole(b.type) ? wholeQuotient(step, a, b) : divided.build(step)
    },
  },
  Mod: { layers: 'Broadcast, Unary, as Mul and Sub', note: 'whole numbers to 2^24', build: modulo },
}
