import type { FilledRecurrenceParameter } from '../../generated/caffe.js'

/** A pass along T steps of N streams. */
export interface Run {
  readonly steps: number
  readonly batch: number
  readonly inputs: number
  readonly hidden: number
  readonly activation: FilledRecurrenceParameter['activation']
  /** Of a GRU: the reset gate comes behind the product with the state. */
  readonly isLinear: boolean
  /** (T, N, gates·H): W·x + b before the cell's forward, what the gates are after it. */
  readonly gates: Float64Array
  /** ∂E / ∂(what comes into the gates from x). */
  readonly slopes: Float64Array
  /** Of a GRU, (T, N, H): the value's R·h + c where `isLinear`. */
  readonly kept: Float64Array
}

/** What is done at each step. */
export interface Cell {
  readonly gates: number
  /** h of all steps ← from `first`, or from zeros. */
  forward(run: Run, R: Float32Array, c: Float32Array, first: Float32Array | undefined, h: Float32Array): void
  /** Fills run.slopes, adds to the sums of R and c, and gives the gradient of the first state, (N, H). */
  backward(
    run: Run,
    R: Float32Array,
    first: Float32Array | undefined,
    h: Float32Array,
    dh: Float32Array,
    sums: { readonly R: Float64Array; readonly c: Float64Array },
  ): Float64Array
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The function of values, and its slope from what it gave. */
const functions: Readonly<
  Record<Run['activation'], readonly [value: (x: number) => number, slope: (y: number) => number]>
> = {
  TANH: [Math.tanh, y => 1 - y * y],
  RELU: [x => Math.max(0, x), y => (y > 0 ? 1 : 0)],
  SIGMOID: [sigmoid, y => y * (1 - y)],
}

/** The state before step t, of stream n: where it is in h, or in `first`; undefined: zeros. */
function before(
  { batch, hidden }: Run,
  t: number,
  n: number,
  first: Float32Array | undefined,
  h: Float32Array,
): { values: Float32Array; at: number } | undefined {
  if (t > 0) return { values: h, at: ((t - 1) * batch + n) * hidden }
  return first && { values: first, at: n * hidden }
}

/** Row j of R times the state. */
function product(R: Float32Array, j: number, H: number, state: ArrayLike<number>, at: number): number {
  let sum = 0
  for (let k = 0, r = j * H; k < H; k++) sum += R[r++] * state[at + k]
  return sum
}

/** With a slope behind row j of R times a state: adds to the sums of R, and to the state's gradient. */
function spread(
  slope: number,
  j: number,
  H: number,
  R: Float32Array,
  sums: Float64Array,
  state: ArrayLike<number> | undefined,
  at: number,
  dstate: Float64Array,
  to: number,
): void {
  if (slope === 0) return
  const r = j * H
  if (state) for (let k = 0; k < H; k++) sums[r + k] += slope * state[at + k]
  for (let k = 0; k < H; k++) dstate[to + k] += slope * R[r + k]
}

export const rnn: Cell = {
  gates: 1,
  forward(run, R, c, first, h) {
    const { steps, batch, hidden: H, gates } = run
    const [value] = functions[run.activation]
    for (let t = 0; t < steps; t++) {
      for (let n = 0; n < batch; n++) {
        const state = before(run, t, n, first, h)
        const row = (t * batch + n) * H
        for (let j = 0; j < H; j++) {
          const sum = gates[row + j] + c[j] + (state ? product(R, j, H, state.values, state.at) : 0)
          gates[row + j] = value(sum)
        }
        for (let j = 0; j < H; j++) h[row + j] = gates[row + j]
      }
    }
  },
  backward(run, R, first, h, dh, sums) {
    const { steps, batch, hidden: H, gates, slopes } = run
    const [, slopeOf] = functions[run.activation]
    let dstate = new Float64Array(batch * H)
    for (let t = steps - 1; t >= 0; t--) {
      const next = new Float64Array(batch * H)
      for (let n = 0; n < batch; n++) {
        const state = before(run, t, n, first, h)
        const row = (t * batch + n) * H
        for (let j = 0; j < H; j++) {
          const slope = (dh[row + j] + dstate[n * H + j]) * slopeOf(gates[row + j])
          slopes[row + j] = slope
          sums.c[j] += slope
          spread(slope, j, H, R, sums.R, state?.values, state?.at ?? 0, next, n * H)
        }
      }
      dstate = next
    }
    return dstate
  },
}

/** z = σ(…), r = σ(…), v = f(… + R·(r∘h) + c), or f(… + r∘(R·h + c)); h' = (1 − z)∘v + z∘h. */
export const gru: Cell = {
  gates: 3,
  forward(run, R, c, first, h) {
    const { steps, batch, hidden: H, isLinear, gates, kept } = run
    const [value] = functions[run.activation]
    const reset = new Float64Array(H)
    for (let t = 0; t < steps; t++) {
      for (let n = 0; n < batch; n++) {
        const state = before(run, t, n, first, h)
        const row = t * batch + n
        const g = row * 3 * H
        const from = (j: number) => c[j] + (state ? product(R, j, H, state.values, state.at) : 0)
        for (let j = 0; j < 2 * H; j++) gates[g + j] = sigmoid(gates[g + j] + from(j))
        for (let j = 0; j < H; j++) reset[j] = state ? gates[g + H + j] * state.values[state.at + j] : 0
        for (let j = 0; j < H; j++) {
          const own = 2 * H + j
          if (isLinear) kept[row * H + j] = from(own)
          const more = isLinear ? gates[g + H + j] * kept[row * H + j] : c[own] + product(R, own, H, reset, 0)
          gates[g + own] = value(gates[g + own] + more)
        }
        for (let j = 0; j < H; j++) {
          const z = gates[g + j]
          h[row * H + j] = (1 - z) * gates[g + 2 * H + j] + (state ? z * state.values[state.at + j] : 0)
        }
      }
    }
  },
  backward(run, R, first, h, dh, sums) {
    const { steps, batch, hidden: H, isLinear, gates, slopes, kept } = run
    const [, slopeOf] = functions[run.activation]
    const [reset, dreset] = [new Float64Array(H), new Float64Array(H)]
    let dstate = new Float64Array(batch * H)
    for (let t = steps - 1; t >= 0; t--) {
      const next = new Float64Array(batch * H)
      for (let n = 0; n < batch; n++) {
        const state = before(run, t, n, first, h)
        const old = (j: number) => (state ? state.values[state.at + j] : 0)
        const row = t * batch + n
        const [g, to] = [row * 3 * H, n * H]
        for (let j = 0; j < H; j++) reset[j] = gates[g + H + j] * old(j)
        dreset.fill(0)
        for (let j = 0; j < H; j++) {
          const [z, v] = [gates[g + j], gates[g + 2 * H + j]]
          const d = dh[row * H + j] + dstate[to + j]
          next[to + j] += d * z
          slopes[g + j] = d * (old(j) - v) * z * (1 - z)
          const slope = d * (1 - z) * slopeOf(v)
          slopes[g + 2 * H + j] = slope
          const behind = isLinear ? slope * gates[g + H + j] : slope
          sums.c[2 * H + j] += behind
          if (isLinear) {
            dreset[j] = slope * kept[row * H + j]
            spread(behind, 2 * H + j, H, R, sums.R, state?.values, state?.at ?? 0, next, to)
          } else spread(behind, 2 * H + j, H, R, sums.R, reset, 0, dreset, 0)
        }
        for (let j = 0; j < H; j++) {
          const r = gates[g + H + j]
          // by the gate itself: of r·(R·h + c), or of r·h, which the state gets its part of
          const slope = isLinear ? dreset[j] : dreset[j] * old(j)
          if (!isLinear) next[to + j] += dreset[j] * r
          slopes[g + H + j] = slope * r * (1 - r)
        }
        for (let j = 0; j < 2 * H; j++) {
          sums.c[j] += slopes[g + j]
          spread(slopes[g + j], j, H, R, sums.R, state?.values, state?.at ?? 0, next, to)
        }
      }
      dstate = next
    }
    return dstate
  },
}
