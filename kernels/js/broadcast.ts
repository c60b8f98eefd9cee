import type { BroadcastOperation, BroadcastShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

type Formula = (a: number, b: number, c: number) => number

const truth = (holds: boolean): number => (holds ? 1 : 0)

/** The value, then its derivatives by the operands: none of comparisons, nor of what a choice goes by. */
const formulas: Readonly<Record<BroadcastOperation, readonly [value: Formula, ...slopes: (Formula | null)[]]>> = {
  ADD: [(a, b) => a + b, () => 1, () => 1],
  SUB: [(a, b) => a - b, () => 1, () => -1],
  MUL: [(a, b) => a * b, (_, b) => b, a => a],
  DIV: [(a, b) => a / b, (_, b) => 1 / b, (a, b) => -a / (b * b)],
  // of equal values the second is taken, as Eltwise does
  MAX: [(a, b) => (a > b || Number.isNaN(a) ? a : b), (a, b) => truth(a > b), (a, b) => truth(!(a > b))],
  MIN: [(a, b) => (a < b || Number.isNaN(a) ? a : b), (a, b) => truth(a < b), (a, b) => truth(!(a < b))],
  POW: [(a, b) => a ** b, (a, b) => (b === 0 ? 0 : b * a ** (b - 1)), (a, b) => (a > 0 ? a ** b * Math.log(a) : 0)],
  WHERE: [(a, b, c) => (a !== 0 ? b : c), null, a => truth(a !== 0), a => truth(a === 0)],
  EQUAL: [(a, b) => truth(a === b)],
  GREATER: [(a, b) => truth(a > b)],
  GREATER_EQUAL: [(a, b) => truth(a >= b)],
  LESS: [(a, b) => truth(a < b)],
  LESS_EQUAL: [(a, b) => truth(a <= b)],
}

export function broadcast(operation: BroadcastOperation, s: BroadcastShape, xs: readonly Memory[], y: Memory): void {
  const arrays = xs.map(x => x.array)
  const ys = y.array
  const row = rows[operation] ?? rowOf(formulas[operation][0])
  eachRow(s, (n, to, from) => row(n, arrays, from, s, ys, to))
}

export function broadcastGradient(
  operation: BroadcastOperation,
  s: BroadcastShape,
  index: number,
  xs: readonly Memory[],
  dy: Memory,
  slope: Memory,
): void {
  const [as, bs, cs = bs] = xs.map(x => x.array)
  const dys = dy.array
  const slopes = slope.array
  const formula = formulas[operation][1 + index]
  if (!formula) throw new TypeError(`${operation} has no gradient by operand ${index}`)
  const [p, q, r = q] = s.steps.map(lastStep)
  eachRow(s, (n, to, [a, b, c = b]) => {
    for (let i = 0; i < n; i++) slopes[to + i] = dys[to + i] * formula(as[a + i * p], bs[b + i * q], cs[c + i * r])
  })
}

type Row = (
  n: number,
  arrays: readonly Float32Array[],
  from: readonly number[],
  s: BroadcastShape,
  ys: Float32Array,
  y: number,
) => void

const lastStep = (steps: readonly number[]): number => steps[steps.length - 1] ?? 0

const rowOf =
  (value: Formula): Row =>
  (n, [as, bs, cs = bs], [a, b, c = b], { steps }, ys, y) => {
    const [p, q, r] = [lastStep(steps[0]), lastStep(steps[1]), lastStep(steps[2] ?? steps[1])]
    for (let i = 0; i < n; i++) ys[y + i] = value(as[a + i * p], bs[b + i * q], cs[c + i * r])
  }

/** The four that nets are full of, without a call a value. */
const rows: Partial<Record<BroadcastOperation, Row>> = {
  ADD: (n, [as, bs], [a, b], { steps }, ys, y) => {
    const [p, q] = [lastStep(steps[0]), lastStep(steps[1])]
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] + bs[b + i * q]
  },
  SUB: (n, [as, bs], [a, b], { steps }, ys, y) => {
    const [p, q] = [lastStep(steps[0]), lastStep(steps[1])]
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] - bs[b + i * q]
  },
  MUL: (n, [as, bs], [a, b], { steps }, ys, y) => {
    const [p, q] = [lastStep(steps[0]), lastStep(steps[1])]
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] * bs[b + i * q]
  },
  DIV: (n, [as, bs], [a, b], { steps }, ys, y) => {
    const [p, q] = [lastStep(steps[0]), lastStep(steps[1])]
    for (let i = 0; i < n; i++) ys[y + i] = as[a + i * p] / bs[b + i * q]
  },
}

/** Visits rows of y: where each starts in it and in the operands, as long as the last size. */
function eachRow(
  { sizes, steps }: BroadcastShape,
  visit: (length: number, to: number, from: readonly number[]) => void,
): void {
  const last = sizes.length - 1
  const length = sizes[last] ?? 1
  const from = steps.map(() => 0)
  const places = sizes.map(() => 0)
  const rows = sizes.slice(0, -1).reduce((a, b) => a * b, 1)
  if (length === 0) return
  for (let row = 0; row < rows; row++) {
    visit(length, row * length, from)
    for (let axis = last - 1; axis >= 0; axis--) {
      for (let k = 0; k < from.length; k++) from[k] += steps[k][axis]
      if (++places[axis] < sizes[axis]) break
      places[axis] = 0
      for (let k = 0; k < from.length; k++) from[k] -= sizes[axis] * steps[k][axis]
    }
  }
}
