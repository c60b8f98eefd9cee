import { describe, expect, test } from 'vitest'
import { RecurrenceLayer } from '../../lib/layers/recurrence.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const [T, N, I, H] = [3, 2, 2, 2]
const drawn = (count: number, phase: number) => Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + phase)))
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const layer = (fields: string) => `type: "Recurrence" recurrence_param { num_output: ${H} ${fields} }`
const x = { shape: [T, N, I], values: drawn(T * N * I, 1) }
const first = { shape: [1, N, H], values: drawn(N * H, 2) }
const params = (gates: number) => [
  drawn(gates * H * I, 3),
  drawn(gates * H, 4),
  drawn(gates * H * H, 5),
  drawn(gates * H, 6),
]

/** The next state of one stream by the formulas of the layer's page. */
function next(fields: string, [W, b, R, c]: number[][], x: number[], h: number[]): number[] {
  const of = (M: number[], row: number, v: number[]) =>
    v.reduce((sum, value, k) => sum + M[row * v.length + k] * value, 0)
  const [isGru, isLinear] = [!fields.includes('RNN'), fields.includes('linear')]
  const f = fields.includes('RELU') ? (v: number) => Math.max(0, v) : fields.includes('SIGMOID') ? sigmoid : Math.tanh
  const whole = (row: number) => of(W, row, x) + b[row] + of(R, row, h) + c[row]
  if (!isGru) return h.map((_, j) => f(whole(j)))
  const [z, r] = [0, 1].map(gate => h.map((_, j) => sigmoid(whole(gate * H + j))))
  const reset = h.map((value, j) => r[j] * value)
  return h.map((old, j) => {
    const row = 2 * H + j
    const more = isLinear ? r[j] * (of(R, row, h) + c[row]) : of(R, row, reset) + c[row]
    return (1 - z[j]) * f(of(W, row, x) + b[row] + more) + z[j] * old
  })
}

const kinds = ['', 'linear_before_reset: true', 'activation: SIGMOID', 'cell: RNN', 'cell: RNN activation: RELU']

describe.each(hostEngines)('Recurrence on %s', engine => {
  test.each(kinds)('goes by its formulas: %s', async fields => {
    const given = params(fields.includes('RNN') ? 1 : 3)
    for (const bottoms of [[x], [x, first]]) {
      const run = await handPass(layer(fields), bottoms, { engine, params: given })
      expect(run.shapes).toEqual([[T, N, H]])
      for (let n = 0; n < N; n++) {
        let h = bottoms.length > 1 ? first.values.slice(n * H, (n + 1) * H) : [0, 0]
        for (let t = 0; t < T; t++) {
          const at = t * N + n
          h = next(fields, given, x.values.slice(at * I, (at + 1) * I), h)
          for (const [j, value] of h.entries()) expect(run.y[0][at * H + j]).toBeCloseTo(value, 5)
        }
      }
    }
  })

  test.each(kinds)('gradients against differences, and other sizes: %s', { tags: 'long' }, async fields => {
    const filled =
      'weight_filler { type: "uniform" min: -0.7 max: 0.9 } bias_filler { type: "uniform" min: -0.4 max: 0.3 }'
    const param = `recurrence_param { num_output: ${H} ${fields} ${filled} }`
    await checkLayer(RecurrenceLayer, { param, bottoms: [[T, N, I]], engine, reshapeTo: [[T + 1, 1, I]] })
    await checkLayer(RecurrenceLayer, {
      param,
      bottoms: [
        [T, N, I],
        [1, N, H],
      ],
      engine,
      reshapeTo: false,
    })
  })
})

test('refuses', async () => {
  await expect(handNet('type: "Recurrence"', [[3, 2, 2]])).rejects.toThrow(/needs num_output of at least 1/)
  await expect(handNet(layer(''), [[3, 2]])).rejects.toThrow(/'in0' \(3×2\) must have at least 3 axes/)
  await expect(
    handNet(layer(''), [
      [3, 2, 2],
      [1, 2, 5],
    ]),
  ).rejects.toThrow(/'in1' \(1×2×5\) must be 1×2×2/)
  await expect(handNet(layer('cell: RNN linear_before_reset: true'), [[3, 2, 2]])).rejects.toThrow(/of cell: GRU alone/)
})
