import type { Blob } from '../blob.js'
import type { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { erf, erfSlope } from './parts/erf.js'
import { NeuronLayer } from './parts/neuron.js'

type Operation = NonNullable<NonNullable<Layer['param']['unary_param']>['operation']>
type Real = (x: number) => number

const flat: Real = () => 0

/** To the nearest whole number, halves to the even one. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x)
  if (x - down !== 0.5) return Math.round(x)
  return down % 2 === 0 ? down : down + 1
}

/** The function and its derivative, 0 where it goes in steps. */
const functions: Readonly<Record<Operation, readonly [value: Real, slope: Real]>> = {
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
}

/** top = operation(bottom), value by value. */
export class UnaryLayer extends NeuronLayer {
  static override readonly param = ['unary_param'] as const
  private function!: readonly [value: Real, slope: Real]

  override setup(): void {
    const { operation } = withDefaults('UnaryParameter', this.param.unary_param)
    if (operation === undefined)
      throw this.error(`operation must be written: one of ${Object.keys(functions).join(', ')}`)
    this.function = functions[operation]
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    super.reshape(bottom, top)
  }

  override forward([bottom]: Blob[], [top]: Blob[]): void {
    const [xs, ys] = [bottom.dataArray, top.dataArray]
    const [value] = this.function
    for (let i = 0; i < xs.length; i++) ys[i] = value(xs[i])
  }

  override backward([top]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    const [xs, dys, dxs] = [bottom.dataArray, top.diffArray, bottom.diffArray]
    const [, slope] = this.function
    for (let i = 0; i < xs.length; i++) dxs[i] = dys[i] * slope(xs[i])
  }
}
