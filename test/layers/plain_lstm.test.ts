import { describe, expect, test } from 'vitest'
import { PlainLSTMLayer } from '../../lib/layers/plain_lstm.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const values = (count: number, seed: number) => Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))
const [T, N, D, H] = [3, 2, 2, 2]
const x = { shape: [T, N, D], values: values(T * N * D, 1) }
const [Wx, Wh, b] = [values(4 * H * D, 2), values(4 * H * H, 3), values(4 * H, 4)]
const dy = [values(T * N * H, 5)]
const lstm = (more = '') => `type: "Lstm" lstm_param { num_output: ${H} ${more} }`

describe.each(hostEngines)('Lstm on %s', engine => {
  test('is LSTM with cont 0 at first and 1 from there on, its blobs in another order', async () => {
    const cont = { shape: [T, N], values: [0, 0, 1, 1, 1, 1] }
    const free = `type: "LSTM" recurrent_param { num_output: ${H} } propagate_down: true propagate_down: false`
    const wanted = await handPass(free, [x, cont], { engine, dy, params: [Wx, b, Wh] })
    const run = await handPass(lstm(), [x], { engine, dy, params: [Wx, Wh, b] })
    expect(run.y).toEqual(wanted.y)
    expect(run.dx[0]).toEqual(wanted.dx[0])
    expect(run.dw).toEqual([wanted.dw[0], wanted.dw[2], wanted.dw[1]])
  })

  test('rows are steps of batch_size sequences, and a second bottom says what goes on', async () => {
    const rows = await handPass(lstm(`batch_size: ${N}`), [{ ...x, shape: [T * N, D] }], {
      ...{ engine, dy, params: [Wx, Wh, b] },
    })
    const whole = await handPass(lstm(), [x], { engine, dy, params: [Wx, Wh, b] })
    expect(rows.shapes).toEqual([[T * N, H]])
    expect([rows.y, rows.dx, rows.dw]).toEqual([whole.y, whole.dx, whole.dw])
    const cont = { shape: [T * N], values: [0, 0, 0, 1, 1, 1] }
    const fields = `${lstm()} propagate_down: true propagate_down: false`
    const parted = await handPass(fields, [x, cont], { engine, dy, params: [Wx, Wh, b] })
    // stream 0 begins anew at step 1, stream 1 does not
    const afresh = await handPass(lstm(), [{ shape: [2, N, D], values: x.values.slice(N * D) }], {
      ...{ engine, params: [Wx, Wh, b] },
    })
    expect(parted.y[0].slice(N * H, N * H + H)).toEqual(afresh.y[0].slice(0, H))
    expect(parted.y[0].slice(N * H + H, 2 * N * H)).toEqual(whole.y[0].slice(N * H + H, 2 * N * H))
  })

  test('clipping_threshold: far away it changes nothing, near it bounds what reaches the gates', async () => {
    const options = { engine, dy, params: [Wx, Wh, b] }
    const free = await handPass(lstm(), [x], options)
    const far = await handPass(lstm('clipping_threshold: 9'), [x], options)
    far.dw.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(free.dw.flat()[i], 5)
    })
    far.dx[0].forEach((value, i) => {
      expect(value).toBeCloseTo(free.dx[0][i], 5)
    })
    const near = await handPass(lstm('clipping_threshold: 0.001'), [x], options)
    // T·N of them are added up in the bias
    for (const value of near.dw[2]) expect(Math.abs(value)).toBeLessThanOrEqual(0.001 * T * N * 1.001)
    expect(Math.max(...near.dw[2].map(Math.abs))).toBeGreaterThan(0.003)
  })

  test('gradients against differences, and other sizes', async () => {
    const param = 'lstm_param { num_output: 3 weight_filler { type: "uniform" min: -1 max: 1 } }'
    await checkLayer(PlainLSTMLayer, { param, bottoms: [[3, 2, 4]], reshapeTo: [[2, 3, 4]], engine })
  })
})

test('refuses', async () => {
  await expect(handNet('type: "Lstm"', shapesOf('2×1×3'))).rejects.toThrow(/num_output: give how many/)
  await expect(handNet(lstm('clipping_threshold: -1'), shapesOf('2×1×3'))).rejects.toThrow(/must not be negative/)
  await expect(handNet(lstm('batch_size: 2'), shapesOf('3×4'))).rejects.toThrow(/batch_size: 2 divides/)
  await expect(handNet(lstm(), shapesOf('2×3×4 3×2'))).rejects.toThrow(/'in1' \(3×2\) must have 2×3 values/)
})
