/** What goes along steps and places: LSTM, GRU, RNN, CumSum, TopK. */
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import type { Attribute } from '../../lib/onnx/graph.js'
import { importGraph } from '../../lib/onnx/import.js'
import { floats, type GraphText, graphOf, layersOf, outputsOf, wholes } from './graphs.js'

const [T, N, I, H] = [3, 2, 2, 2]
const drawn = (count: number, phase: number) => Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + phase)))
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

interface Weights {
  readonly W: number[]
  readonly R: number[]
  readonly B: number[]
}
const weightsOf = (directions: number): Weights => ({
  W: drawn(directions * 4 * H * I, 1),
  R: drawn(directions * 4 * H * H, 2),
  B: drawn(directions * 8 * H, 3),
})

/** One direction by ONNX's formulas: x(t, n) in, h of each step, then the last h and c, all (N, H). */
function steps(
  { W, R, B }: Weights,
  d: number,
  back: boolean,
  x: (t: number, n: number, i: number) => number,
  first: { h: (n: number, k: number) => number; c: (n: number, k: number) => number },
) {
  const cells = (f: (n: number, k: number) => number) => [0, 1].map(n => [0, 1].map(k => f(n, k)))
  let [h, c] = [cells(first.h), cells(first.c)]
  const all: number[][][] = []
  for (let s = 0; s < T; s++) {
    const t = back ? T - 1 - s : s
    const before = h
    const gate = (g: number, n: number, k: number) => {
      const row = d * 4 * H + g * H + k
      let sum = B[d * 8 * H + g * H + k] + B[d * 8 * H + 4 * H + g * H + k]
      for (let i = 0; i < I; i++) sum += W[row * I + i] * x(t, n, i)
      for (let j = 0; j < H; j++) sum += R[row * H + j] * before[n][j]
      return sum
    }
    const old = c
    c = cells((n, k) => sigmoid(gate(2, n, k)) * old[n][k] + sigmoid(gate(0, n, k)) * Math.tanh(gate(3, n, k)))
    const now = c
    h = cells((n, k) => sigmoid(gate(1, n, k)) * Math.tanh(now[n][k]))
    all[t] = h
  }
  return { all, h, c }
}

describe.each(['forward', 'reverse', 'bidirectional'])('an LSTM that goes %s', direction => {
  const directions = direction === 'bidirectional' ? 2 : 1
  const weights = weightsOf(directions)
  const constants = {
    w: floats([directions, 4 * H, I], ...weights.W),
    r: floats([directions, 4 * H, H], ...weights.R),
    b: floats([directions, 8 * H], ...weights.B),
    lengths: wholes(T, T),
  }
  const settings = { hidden_size: H, direction }
  const values = drawn(T * N * I, 7)
  const expected = (state: readonly number[], layout = 0) => {
    const x = (t: number, n: number, i: number) => values[layout ? (n * T + t) * I + i : (t * N + n) * I + i]
    return Array.from({ length: directions }, (_, d) => {
      const at = (n: number, k: number) => state[layout ? (n * directions + d) * H + k : (d * N + n) * H + k] ?? 0
      return steps(weights, d, direction === 'reverse' || d === 1, x, { h: at, c: (n, k) => -at(n, k) })
    })
  }

  test('gives all steps, and forgets between passes', async () => {
    const text: GraphText = {
      inputs: { x: [T, N, I] },
      outputs: ['y'],
      constants,
      nodes: [['y = LSTM(x, w, r, b, lengths)', settings]],
    }
    const right = Array.from({ length: T }, (_, t) => expected([]).map(({ all }) => all[t])).flat(3)
    const net = await Net.create(importGraph(graphOf(text)).net, { engine: 'wasm', threads: 1, phase: 'TEST' })
    for (let pass = 0; pass < 2; pass++) {
      const { y } = await net.forward({ x: Float32Array.from(values) })
      expect(y.shape).toEqual([T, directions, N, H])
      for (const [i, value] of right.entries()) expect(y.data[i]).toBeCloseTo(value, 5)
    }
  })

  test('takes any batch and any number of steps, and learns', async () => {
    const text: GraphText = {
      inputs: { x: [T, N, I] },
      outputs: ['y'],
      constants: { w: constants.w, r: constants.r, b: constants.b },
      nodes: [['y = LSTM(x, w, r, b)', settings]],
    }
    const { net: param } = importGraph(graphOf(text))
    const net = await Net.create({ ...param, force_backward: true }, { engine: 'wasm', threads: 1 })
    // the first sequence alone, and one step more of nothing
    net.blobs.x.reshape([T, 1, I])
    net.reshape()
    const first = values.filter((_, i) => Math.floor(i / I) % N === 0)
    const { y } = await net.forward({ x: Float32Array.from(first) })
    expect(y.shape).toEqual([T, directions, 1, H])
    const right = Array.from({ length: T }, (_, t) => expected([]).map(({ all }) => all[t][0])).flat(2)
    for (const [i, value] of right.entries()) expect(y.data[i]).toBeCloseTo(value, 5)
    net.blobs.y.diffArray.fill(1)
    await net.backward()
    expect(net.blobs.x.diffArray.every(slope => Number.isFinite(slope) && slope !== 0)).toBe(true)
    net.blobs.x.reshape([T + 1, N, I])
    net.reshape()
    expect(net.blobs.y.shape).toEqual([T + 1, directions, N, H])
    net.dispose()
  })

  test.each([0, 1])('goes on from a state and gives the last ones, layout %i', async layout => {
    const state = drawn(directions * N * H, 5)
    const shape = layout ? [N, directions, H] : [directions, N, H]
    const out = await outputsOf(
      {
        inputs: { x: layout ? [N, T, I] : [T, N, I], s: shape },
        outputs: ['y', 'h', 'c'],
        constants,
        nodes: [['minus = Neg(s)'], ['y, h, c = LSTM(x, w, r, b, _, s, minus)', { ...settings, layout }]],
      },
      { x: values, s: state },
    )
    const right = expected(state, layout)
    const ends = (kind: 'h' | 'c') =>
      layout
        ? Array.from({ length: N }, (_, n) => right.map(end => end[kind][n])).flat(2)
        : right.map(end => end[kind]).flat(2)
    expect(out.h.shape).toEqual(shape)
    for (const kind of ['h', 'c'] as const)
      for (const [i, value] of ends(kind).entries()) expect(out[kind].values[i]).toBeCloseTo(value, 5)
    const all = layout
      ? Array.from({ length: N }, (_, n) => Array.from({ length: T }, (_, t) => right.map(end => end.all[t][n]))).flat(
          3,
        )
      : Array.from({ length: T }, (_, t) => right.map(end => end.all[t])).flat(3)
    expect(out.y.shape).toEqual(layout ? [N, T, directions, H] : [T, directions, N, H])
    for (const [i, value] of all.entries()) expect(out.y.values[i]).toBeCloseTo(value, 5)
  })
})

describe.each([
  ['GRU', {}],
  ['GRU', { linear_before_reset: 1, direction: 'bidirectional' }],
  ['RNN', { direction: 'reverse' }],
  ['RNN', { activations: { type: 'strings', value: ['Relu', 'Sigmoid'] }, direction: 'bidirectional' }],
] as const)('%s %j', (op, settings) => {
  const directions = 'direction' in settings && settings.direction === 'bidirectional' ? 2 : 1
  const gates = op === 'GRU' ? 3 : 1
  const [W, R, B] = [
    drawn(directions * gates * H * I, 1),
    drawn(directions * gates * H * H, 2),
    drawn(directions * 2 * gates * H, 3),
  ]
  const constants = {
    w: floats([directions, gates * H, I], ...W),
    r: floats([directions, gates * H, H], ...R),
    b: floats([directions, 2 * gates * H], ...B),
  }
  const values = drawn(T * N * I, 7)
  const state = drawn(directions * N * H, 5)

  /** One step of one stream by ONNX's formulas. */
  const next = (d: number, n: number, t: number, h: number[]): number[] => {
    const x = values.slice((t * N + n) * I, (t * N + n + 1) * I)
    const of = (M: number[], width: number, row: number, v: number[]) =>
      v.reduce((sum, value, k) => sum + M[(d * gates * H + row) * width + k] * value, 0)
    const bias = (k: number, row: number) => B[d * 2 * gates * H + k * gates * H + row]
    const gate = (row: number) => of(W, I, row, x) + bias(0, row) + of(R, H, row, h) + bias(1, row)
    const value = 'activations' in settings ? [(v: number) => Math.max(0, v), sigmoid][d] : Math.tanh
    if (op === 'RNN') return h.map((_, j) => value(gate(j)))
    const [z, r] = [0, 1].map(g => h.map((_, j) => sigmoid(gate(g * H + j))))
    return h.map((old, j) => {
      const row = 2 * H + j
      const more =
        'linear_before_reset' in settings
          ? r[j] * (of(R, H, row, h) + bias(1, row))
          : of(
              R,
              H,
              row,
              h.map((v, k) => v * r[k]),
            ) + bias(1, row)
      return (1 - z[j]) * value(of(W, I, row, x) + bias(0, row) + more) + z[j] * old
    })
  }

  test('goes by the formulas, in and out again', async () => {
    const text: GraphText = {
      inputs: { x: [T, N, I], s: [directions, N, H] },
      outputs: ['y', 'last'],
      constants,
      nodes: [[`y, last = ${op}(x, w, r, b, _, s)`, { hidden_size: H, ...settings }]],
    }
    const net = await Net.create(importGraph(graphOf(text)).net, { engine: 'js', phase: 'TEST' })
    const back = await Net.create(await net.toBytes({ format: 'onnx' }), {
      engine: 'js',
      phase: 'TEST',
      dims: { N: T },
    })
    for (const one of [net, back]) {
      const { y, last } = await one.forward({ x: Float32Array.from(values), s: Float32Array.from(state) })
      expect(y.shape).toEqual([T, directions, N, H])
      for (let d = 0; d < directions; d++) {
        const isBack = d === 1 || ('direction' in settings && settings.direction === 'reverse')
        for (let n = 0; n < N; n++) {
          let h = state.slice((d * N + n) * H, (d * N + n + 1) * H)
          for (let i = 0; i < T; i++) {
            const t = isBack ? T - 1 - i : i
            h = next(d, n, t, h)
            for (const [j, right] of h.entries())
              expect(y.data[((t * directions + d) * N + n) * H + j]).toBeCloseTo(right, 5)
          }
          for (const [j, right] of h.entries()) expect(last.data[(d * N + n) * H + j]).toBeCloseTo(right, 5)
        }
      }
    }
  })
})

test('a GRU or RNN with other functions is refused', () => {
  const make = (op: string, value: string[]) => () =>
    importGraph(
      graphOf({
        inputs: { x: [T, N, I] },
        outputs: ['y'],
        constants: {
          w: floats([1, 6, I], ...drawn(12, 1)),
          r: floats([1, 6, H], ...drawn(12, 2)),
          v: floats([1, 2, I], 1, 2, 3, 4),
        },
        nodes: [
          [
            op === 'GRU' ? 'y = GRU(x, w, r)' : 'y = RNN(x, v, v)',
            { hidden_size: H, activations: { type: 'strings', value } },
          ],
        ],
      }),
    )
  expect(make('GRU', ['Tanh', 'Tanh'])).toThrow('gates have Sigmoid')
  expect(make('GRU', ['Sigmoid'])).toThrow('activations are 1, not 2')
  expect(make('RNN', ['Elu'])).toThrow('activations [Elu] are not there')
})

test('what an LSTM layer is not is refused', () => {
  const strings = (...value: string[]): Attribute => ({ type: 'strings', value })
  const lstm = (inputs: string, settings: object) => () =>
    layersOf({
      inputs: { x: [T, N, I] },
      outputs: ['y'],
      constants: {
        w: floats([1, 4 * H, I], ...drawn(4 * H * I, 1)),
        r: floats([1, 4 * H, H], ...drawn(4 * H * H, 2)),
        p: floats([1, 3 * H], ...drawn(3 * H, 3)),
        short: wholes(3, 2),
      },
      nodes: [[`y = LSTM(x, ${inputs})`, { hidden_size: H, ...settings }]],
    })
  expect(lstm('w, r', { activations: strings('Relu', 'Tanh', 'Tanh') })).toThrow('activations [Relu, Tanh, Tanh]')
  expect(lstm('w, r', { activations: strings('Sigmoid', 'Tanh', 'Tanh') })).not.toThrow()
  expect(lstm('w, r', { clip: { type: 'float', value: 2 } })).toThrow('clip is not there')
  expect(lstm('w, r', { input_forget: 1 })).toThrow('input_forget is not there')
  expect(lstm('w, r', { hidden_size: 7 })).toThrow('hidden_size 7 is not that of its weights, 2')
  expect(lstm('w, r', { direction: 'sideways' })).toThrow('direction sideways is not there')
  expect(lstm('w, r, _, short', {})).toThrow('sequences of 3, 2 steps of 3')
  expect(lstm('w, r, _, _, _, _, p', {})).toThrow('peepholes are not there')
  expect(lstm('r, w, short', {})).toThrow('do not fit its input')
})

test('CumSum adds up what lies before, or behind, with the place or without', async () => {
  const sums = async (settings: Record<string, number>, axis = 1) => {
    const text = {
      inputs: { x: [2, 3] },
      outputs: ['y'],
      constants: { a: wholes(axis) },
      nodes: [['y = CumSum(x, a)', settings]] as GraphText['nodes'],
    }
    return (await outputsOf(text, { x: [1, 2, 3, 4, 5, 6] })).y.values
  }
  expect(await sums({})).toEqual([1, 3, 6, 4, 9, 15])
  expect(await sums({ exclusive: 1 })).toEqual([0, 1, 3, 0, 4, 9])
  expect(await sums({ reverse: 1 })).toEqual([6, 5, 3, 15, 11, 6])
  expect(await sums({ exclusive: 1, reverse: 1 })).toEqual([5, 3, 0, 11, 6, 0])
  expect(await sums({}, -2)).toEqual([1, 2, 3, 5, 7, 9])
})

test('TopK: of equal values the first', async () => {
  const best = async (settings: Record<string, number>) => {
    const text = {
      inputs: { x: [1, 5] },
      outputs: ['y', 'i'],
      constants: { k: wholes(3) },
      nodes: [['y, i = TopK(x, k)', settings]] as GraphText['nodes'],
    }
    const { y, i } = await outputsOf(text, { x: [1, 7, 7, -2, 1] })
    return [y.values, i.values]
  }
  expect(await best({})).toEqual([
    [7, 7, 1],
    [1, 2, 0],
  ])
  expect(await best({ largest: 0 })).toEqual([
    [-2, 1, 1],
    [3, 0, 4],
  ])
})
