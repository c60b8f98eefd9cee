import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { eachRow, reshapeBroadcast, stepIn, type Walk } from './parts/broadcasting.js'

type Operation = NonNullable<NonNullable<Layer['param']['broadcast_param']>['operation']>
type Binary = (a: number, b: number) => number

/** Of a and b; then the derivatives by a and by b, none where there is no gradient. */
const functions: Readonly<Record<Operation, readonly [value: Binary, byA?: Binary, byB?: Binary]>> = {
  ADD: [(a, b) => a + b, () => 1, () => 1],
  SUB: [(a, b) => a - b, () => 1, () => -1],
  MUL: [(a, b) => a * b, (_, b) => b, a => a],
  DIV: [(a, b) => a / b, (_, b) => 1 / b, (a, b) => -a / (b * b)],
  // of equal values the second is taken, as Eltwise does
  MAX: [(a, b) => (a > b || Number.isNaN(a) ? a : b), (a, b) => (a > b ? 1 : 0), (a, b) => (a > b ? 0 : 1)],
  MIN: [(a, b) => (a < b || Number.isNaN(a) ? a : b), (a, b) => (a < b ? 1 : 0), (a, b) => (a < b ? 0 : 1)],
  POW: [(a, b) => a ** b, (a, b) => (b === 0 ? 0 : b * a ** (b - 1)), (a, b) => (a > 0 ? a ** b * Math.log(a) : 0)],
  EQUAL: [(a, b) => (a === b ? 1 : 0)],
  GREATER: [(a, b) => (a > b ? 1 : 0)],
  GREATER_EQUAL: [(a, b) => (a >= b ? 1 : 0)],
  LESS: [(a, b) => (a < b ? 1 : 0)],
  LESS_EQUAL: [(a, b) => (a <= b ? 1 : 0)],
}

/** top = operation(bottom 0, bottom 1), value by value; axes are compared from the last, one of size 1 is repeated. */
export class BroadcastLayer extends Layer {
  static override readonly param = ['broadcast_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly operation = withDefaults('BroadcastParameter', this.param.broadcast_param).operation
  override readonly passesGradient = functions[this.operation].length > 1
  private walk!: Walk

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.walk = reshapeBroadcast(this, bottom, top[0])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [as, bs, ys] = [bottom[0].dataArray, bottom[1].dataArray, top[0].dataArray]
    const row = rows[this.operation] ?? rowOf(functions[this.operation][0])
    const [p, q] = [stepIn(this.walk, 0), stepIn(this.walk, 1)]
    eachRow(this.walk, (n, to, [a, b]) => row(n, as, a, p, bs, b, q, ys, to))
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    for (const k of [0, 1]) if (propagateDown[k]) this.backwardTo(k, top[0], bottom)
  }

  private backwardTo(k: number, top: Blob, bottom: Blob[]): void {
    const [as, bs, dys] = [bottom[0].dataArray, bottom[1].dataArray, top.diffArray]
    const slope = functions[this.operation][1 + k]
    if (!slope) throw this.error(`operation: ${this.operation} has no gradient`)
    const [p, q] = [stepIn(this.walk, 0), stepIn(this.walk, 1)]
    const step = k === 0 ? p : q
    // what is repeated adds up in double precision
    const dxs = bottom[k].count === top.count ? bottom[k].diffArray : new Float64Array(bottom[k].count)
    dxs.fill(0)
    eachRow(this.walk, (n, to, from) => {
      const [a, b] = from
      for (let i = 0; i < n; i++) dxs[from[k] + i * step] += dys[to + i] * slope(as[a + i * p], bs[b + i * q])
    })
    if (dxs !== bottom[k].diffArray) bottom[k].diffArray.set(dxs)
  }
}

type Row = (
  n: number,
  as: Float32Array,
  a: number,
  p: number,
  bs: Float32Array,
  b: number,
  q: number,
  ys: Float32Array,
  y: number,
) => void

const rowOf =
  (value: Binary): Row =>
  (n, as, a, p, bs, b, q, ys, y) => {
    for (let i = 0; i < n; i++) ys[y + i] = value(as[a + i * p], bs[b + i * q])
  }

/** The four that nets are full of, without a call a value. */
const rows: Partial<Record<Operation, Row>> = {
  ADD: (n, as, a, p, bs, b, q, ys, y) => {
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] + bs[b + i * q]
  },
  SUB: (n, as, a, p, bs, b, q, ys, y) => {
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] - bs[b + i * q]
  },
  MUL: (n, as, a, p, bs, b, q, ys, y) => {
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] * bs[b + i * q]
  },
  DIV: (n, as, a, p, bs, b, q, ys, y) => {
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] / bs[b + i * q]
  },
}
