import type { UnaryOperation } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { erf, erfSlope } from './erf.js'

type Real = (x: number) => number

const RATE = Math.sqrt(2 / Math.PI)
const CUBE = 0.044715

const flat: Real = () => 0
const inside: Real = x => RATE * (x + CUBE * x * x * x)
/** The normal distribution. */
const phi: Real = x => 0.5 * (1 + erf(x * Math.SQRT1_2))

function geluTanhSlope(x: number): number {
  const t = Math.tanh(inside(x))
  return 0.5 * (1 + t + x * (1 - t * t) * RATE * (1 + 3 * CUBE * x * x))
}

/** To the nearest whole number, halves to the even one. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x)
  if (x - down !== 0.5) return Math.round(x)
  return down % 2 === 0 ? down : down + 1
}

/** The function and its derivative, 0 where it goes in steps. */
const functions: Readonly<Record<UnaryOperation, readonly [value: Real, slope: Real]>> = {
  ERF: [erf, erfSlope],
  FLOOR: [Math.floor, flat],
  CEIL: [Math.ceil, flat],
  ROUND: [roundHalfEven, flat],
  SIGN: [Math.sign, flat],
  SOFTSIGN: [x => x / (1 + Math.abs(x)), x => 1 / (1 + Math.abs(x)) ** 2],
  SIN: [Math.sin, Math.cos],
  COS: [Math.cos, x => -Math.sin(x)],
  TAN: [Math.tan, x => 1 / Math.cos(x) ** 2],
  ASIN: [Math.asin, x => 1 / Math.sqrt(1 - x * x)],
  ACOS: [Math.acos, x => -1 / Math.sqrt(1 - x * x)],
  ATAN: [Math.atan, x => 1 / (1 + x * x)],
  SINH: [Math.sinh, Math.cosh],
  COSH: [Math.cosh, Math.sinh],
  ASINH: [Math.asinh, x => 1 / Math.sqrt(x * x + 1)],
  ACOSH: [Math.acosh, x => 1 / Math.sqrt(x * x - 1)],
  ATANH: [Math.atanh, x => 1 / (1 - x * x)],
  GELU: [x => x * phi(x), x => phi(x) + 0.5 * x * Math.SQRT1_2 * erfSlope(x * Math.SQRT1_2)],
  GELU_TANH: [x => 0.5 * x * (1 + Math.tanh(inside(x))), geluTanhSlope],
}

export function unary(operation: UnaryOperation, n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  const [value] = functions[operation]
  for (let i = 0; i < n; i++) ys[i] = value(xs[i])
}

export function unaryGradient(operation: UnaryOperation, n: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  const [, slope] = functions[operation]
  for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope(xs[i])
}
