import type { OnnxGraph } from '../builder.js'
import { countOf } from '../graph.js'

// LSTM and RNN layers, step by step: what is written here is known again when it is read.

/** Where the nodes go to. */
export type Pen = Pick<OnnxGraph, 'node' | 'reshape' | 'int' | 'ints' | 'values' | 'weight'>

/** A value. */
interface Named {
  readonly name: string
  readonly shape: readonly number[]
}

/** A layer that goes along steps, in sizes and names of values. */
export interface Steps {
  readonly H: number
  readonly gates: number
  /** (T, N, …). */
  readonly x: Named
  /** (T, N). */
  readonly cont: string
  /** (N, …), the same for all steps. */
  readonly fixed?: Named
  /** States before the first step, (1, N, H). */
  readonly before: readonly string[]
  /** What states after the last step, and all steps, will be called. */
  readonly after: readonly string[]
  readonly y: string
}

interface Sizes {
  readonly T: number
  readonly N: number
  readonly H: number
}

const sizesOf = ({ x, H }: Steps): Sizes => ({ T: x.shape[0], N: x.shape[1], H })

/** What goes into the gates beside the state: (T, N, G·H). */
function gateInputs(pen: Pen, steps: Steps): string {
  const { x, fixed, gates } = steps
  const { T, N, H } = sizesOf(steps)
  const G = gates * H
  const flat = pen.reshape(x.name, x.shape, [T * N, countOf(x.shape.slice(2))])
  const all = pen.node('Gemm', [flat, pen.weight(0), pen.weight(1)], { transB: 1 })
  const each = pen.reshape(all, [T * N, G], [T, N, G])
  if (!fixed) return each
  const width = countOf(fixed.shape.slice(1))
  const rows = fixed.shape.length === 2 ? fixed.name : pen.reshape(fixed.name, fixed.shape, [N, width])
  return pen.node('Add', [each, pen.node('Gemm', [rows, pen.weight(2)], { transB: 1 })])
}

/** The t-th of T parts of a value along axis 0, without that axis. */
const step = (pen: Pen, value: string, t: number): string => pen.node('Gather', [value, pen.int(t)], { axis: 0 })

/** (T, N, H) from T times (N, H). */
function stacked(pen: Pen, { N, H }: Sizes, states: readonly string[], output?: string): string {
  const rows = states.map(state => pen.reshape(state, [N, H], [1, N, H]))
  return pen.node('Concat', rows, { axis: 0 }, output === undefined ? undefined : [output])
}

/** The states before the first step, (N, H). */
const firstStates = (pen: Pen, { before }: Steps, { N, H }: Sizes): string[] =>
  before.map(state => pen.reshape(state, [1, N, H], [N, H]))

function lastStates(pen: Pen, { after }: Steps, { N, H }: Sizes, states: readonly string[]): void {
  states.forEach((state, k) => {
    pen.reshape(state, [N, H], [1, N, H], after[k])
  })
}

/** Calls `next` for every step with what goes into its gates, the state before included, and what cont is there. */
function unrolled(pen: Pen, steps: Steps, next: (gates: string, cont: string) => string, first: string): string[] {
  const { T, N } = sizesOf(steps)
  const gates = gateInputs(pen, steps)
  const cont = pen.reshape(steps.cont, [T, N], [T, N, 1])
  const weight = pen.weight(steps.fixed ? 3 : 2)
  const states: string[] = []
  let h = first
  for (let t = 0; t < T; t++) {
    const goesOn = step(pen, cont, t)
    const kept = pen.node('Mul', [h, goesOn])
    h = next(pen.node('Gemm', [kept, weight, step(pen, gates, t)], { transB: 1 }), goesOn)
    states.push(h)
  }
  return states
}

/** One step from gates (…, 4H), in the order input, forget, output, candidate, and c. */
function lstmStep(
  pen: Pen,
  H: number,
  axis: number,
  gates: string,
  cont: string,
  c: string,
  outputs: readonly string[] = [],
) {
  const parts = pen.values('gate', 4)
  pen.node('Split', [gates, pen.ints(H, H, H, H)], { axis }, parts)
  const [i, f, o] = parts.slice(0, 3).map(part => pen.node('Sigmoid', [part]))
  const forgotten = pen.node('Mul', [pen.node('Mul', [f, cont]), c])
  const added = pen.node('Mul', [i, pen.node('Tanh', [parts[3]])])
  const outputOf = (k: number) => (outputs[k] === undefined ? undefined : [outputs[k]])
  const cell = pen.node('Add', [forgotten, added], {}, outputOf(0))
  const h = pen.node('Mul', [o, pen.node('Tanh', [cell])], {}, outputOf(1))
  return { cell, h }
}

/** An LSTMUnit: c and h of one step, (1, N, H). */
export function lstmUnitStep(
  pen: Pen,
  H: number,
  gates: string,
  cont: string,
  c: string,
  outputs: readonly string[],
): void {
  lstmStep(pen, H, 2, gates, cont, c, outputs)
}

/** Weights 0 to 2 or 3: Wx, b[, Ws], Wh. States: h, c. */
export function lstmSteps(pen: Pen, steps: Steps): void {
  const sizes = sizesOf(steps)
  const [h, first] = firstStates(pen, steps, sizes)
  let c = first
  const next = (gates: string, cont: string): string => {
    const { cell, h } = lstmStep(pen, sizes.H, 1, gates, cont, c)
    c = cell
    return h
  }
  const states = unrolled(pen, steps, next, h)
  lastStates(pen, steps, sizes, [states[sizes.T - 1], c])
  stacked(pen, sizes, states, steps.y)
}

/** Weights 0 to 4 or 5: Wx, b[, Ws], Wh, Wo, bo. State: h. */
export function rnnSteps(pen: Pen, steps: Steps): void {
  const sizes = sizesOf(steps)
  const [h] = firstStates(pen, steps, sizes)
  const states = unrolled(pen, steps, gates => pen.node('Tanh', [gates]), h)
  const { T, N, H } = sizes
  lastStates(pen, steps, sizes, [states[T - 1]])
  const rows = pen.reshape(stacked(pen, sizes, states), [T, N, H], [T * N, H])
  const last = steps.fixed ? 4 : 3
  const outputs = pen.node('Gemm', [rows, pen.weight(last), pen.weight(last + 1)], { transB: 1 })
  pen.reshape(pen.node('Tanh', [outputs]), [T * N, H], [T, N, H], steps.y)
}
