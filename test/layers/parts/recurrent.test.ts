import { describe, expect, test } from 'vitest'
import { LSTMLayer } from '../../../lib/layers/lstm.js'
import { RNNLayer } from '../../../lib/layers/rnn.js'
import { checkLayer } from '../../../lib/testing.js'
import { hostEngines } from '../../engines.js'
import { shapesOf } from '../../shapes.js'
import { handNet, handPass } from '../hand.js'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const { tanh } = Math
const recurrent = (type: string, more = '') => `type: "${type}" recurrent_param { num_output: 1 ${more} }`

/** T = 2 steps of one stream: x, and where a sequence begins. */
const sequence = (x: number[], cont: number[]) => [
  { shape: [x.length, 1, 1], values: x },
  { shape: [x.length, 1], values: cont },
]

describe.each(hostEngines)('RNN and LSTM on %s', engine => {
  test('RNN hand-worked: two steps', async () => {
    const params = [[0.5], [0.1], [-1], [2], [0.3]]
    const run = await handPass(recurrent('RNN'), sequence([1, 2], [0, 1]), { engine, params, dy: [[0, 1]] })
    const h1 = tanh(0.5 + 0.1)
    const h2 = tanh(1 + 0.1 - h1)
    const o2 = tanh(2 * h2 + 0.3)
    expect(run.y[0][0]).toBeCloseTo(tanh(2 * h1 + 0.3), 5)
    expect(run.y[0][1]).toBeCloseTo(o2, 5)
    // back from o2: through Wo, h2, and to h1 through Wh
    const da2 = 2 * (1 - o2 * o2) * (1 - h2 * h2)
    const da1 = -da2 * (1 - h1 * h1)
    expect(run.dx[0][1]).toBeCloseTo(0.5 * da2, 5)
    expect(run.dx[0][0]).toBeCloseTo(0.5 * da1, 5)
    const dw = [da1 + 2 * da2, da1 + da2, da2 * h1, (1 - o2 * o2) * h2, 1 - o2 * o2]
    for (const [i, value] of dw.entries()) expect(run.dw[i][0]).toBeCloseTo(value, 5)
  })

  test('LSTM hand-worked: two steps', async () => {
    const params = [
      [0.5, -0.5, 1, 2],
      [0.1, 0.2, 0.3, 0.4],
      [1, 2, -1, 0.5],
    ]
    const run = await handPass(recurrent('LSTM'), sequence([1, 2], [0, 1]), { engine, params })
    const c1 = sigmoid(0.6) * tanh(2.4)
    const h1 = sigmoid(1.3) * tanh(c1)
    const c2 = sigmoid(-0.8 + 2 * h1) * c1 + sigmoid(1.1 + h1) * tanh(4.4 + 0.5 * h1)
    expect(run.y[0][0]).toBeCloseTo(h1, 5)
    expect(run.y[0][1]).toBeCloseTo(sigmoid(2.3 - h1) * tanh(c2), 5)
  })

  test.each(['RNN', 'LSTM'])('%s goes on where the last pass ended unless cont is 0; reset() forgets', async type => {
    const net = await handNet(recurrent(type, 'weight_filler { type: "constant" value: 0.7 }'), shapesOf('2×1×1 2×1'), {
      engine,
    })
    const run = async (x: number[], cont: number[]) => Array.from((await net.forward({ in0: x, in1: cont })).y0.data)
    const [a, b] = [await run([1, 2], [0, 1]), await run([3, 4], [1, 1])]
    const fresh = await run([3, 4], [0, 1])
    expect(b).not.toEqual(fresh)
    const whole = await handNet(
      recurrent(type, 'weight_filler { type: "constant" value: 0.7 }'),
      shapesOf('4×1×1 4×1'),
      { engine },
    )
    const { y0 } = await whole.forward({ in0: [1, 2, 3, 4], in1: [0, 1, 1, 1] })
    for (const [i, value] of [...a, ...b].entries()) expect(value).toBeCloseTo(y0.data[i], 6)
    const layer = net.layers.find(l => l.name === 'y') as LSTMLayer | RNNLayer
    layer.reset()
    expect(await run([3, 4], [1, 1])).toEqual(fresh)
    // a snapshot carries the state
    await run([1, 2], [0, 1])
    const state = layer.saveState()!
    await run([5, 5], [1, 1])
    layer.restoreState(JSON.parse(JSON.stringify(state)))
    expect(await run([3, 4], [1, 1])).toEqual(b)
  })

  test.each(['RNN', 'LSTM'])(
    '%s: the number of steps may change and keeps the state; other streams start afresh',
    async type => {
      const net = await handNet(
        recurrent(type, 'weight_filler { type: "constant" value: 0.7 }'),
        shapesOf('2×1×1 2×1'),
        { engine },
      )
      const run = async (x: number[], cont: number[], streams = 1) => {
        net.blobs.in0.reshape([x.length / streams, streams, 1])
        net.blobs.in1.reshape([x.length / streams, streams])
        return Array.from((await net.forward({ in0: x, in1: cont })).y0.data)
      }
      const whole = await run([1, 2, 3], [0, 1, 1])
      const parts = [...(await run([1, 2], [0, 1])), ...(await run([3], [1]))]
      for (const [i, value] of parts.entries()) expect(value).toBeCloseTo(whole[i], 6)
      const pair = await run([1, 1], [1, 1], 2)
      for (const value of pair) expect(value).toBeCloseTo(whole[0], 6)
    },
  )

  test('LSTM expose_hidden: states in and out', async () => {
    const params = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]
    const bottoms = [...sequence([9], [1]), { shape: [1, 1, 1], values: [5] }, { shape: [1, 1, 1], values: [4] }]
    const run = await handPass(recurrent('LSTM', 'expose_hidden: true'), bottoms, {
      engine,
      params,
      tops: 3,
      dy: [[1], [1], [1]],
    })
    // all gates are σ(0) = 1/2 and tanh(0) = 0, so half of c stays
    expect(run.y[2]).toEqual([2])
    expect(run.y[1][0]).toBeCloseTo(0.5 * tanh(2), 5)
    expect(run.y[0]).toEqual(run.y[1])
    expect(run.dx.slice(2)).toEqual([[0], [0]])
  })

  test('LSTM with x_static and expose_hidden: the static input comes before the states', async () => {
    const params = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [0, 0, 0, 0],
    ]
    const one = (value: number, ...shape: number[]) => ({ shape, values: [value] })
    const bottoms = [...sequence([9], [1]), one(2, 1, 1), one(5, 1, 1, 1), one(4, 1, 1, 1)]
    const run = await handPass(recurrent('LSTM', 'expose_hidden: true'), bottoms, {
      engine,
      params,
      tops: 3,
      dy: [[1], [1], [1]],
    })
    const c = 2 + 0.5 * tanh(2)
    expect(run.y[2][0]).toBeCloseTo(c, 5)
    expect(run.y[1][0]).toBeCloseTo(0.5 * tanh(c), 5)
    const dc = 0.5 * (1 - tanh(c) ** 2)
    expect(run.dx[2][0]).toBeCloseTo(dc * 0.5 * (1 - tanh(2) ** 2), 5)
  })

  const begin = (T: number, N: number) => ({
    shape: [T, N],
    values: Array.from({ length: T * N }, (_, i) => (i < N || i % 5 === 3 ? 0 : 1)),
    gradient: false,
  })
  test.each([
    ['RNN', RNNLayer],
    ['LSTM', LSTMLayer],
  ] as const)('%s checks', { tags: 'long' }, async (_, layer) => {
    const param = 'recurrent_param { num_output: 3 }'
    const common = { param, engine, mode: 'projected', step: 1e-3 } as const
    await checkLayer(layer, { ...common, bottoms: [[4, 3, 2], begin(4, 3)], reshapeTo: [[3, 5, 2], begin(3, 5)] })
    await checkLayer(layer, {
      ...common,
      bottoms: [[3, 2, 2, 2], begin(3, 2), [2, 5]],
      reshapeTo: [[5, 1, 4], begin(5, 1), [1, 5]],
    })
    await checkLayer(layer, { ...common, bottoms: [[1, 2, 3], begin(1, 2)], reshapeTo: false })
  })
})

test('refuses bottoms that do not fit', async () => {
  const net = (param: string, ...shapes: number[][]) =>
    handNet(`type: "LSTM" recurrent_param { ${param} }`, shapes, { tops: param.includes('expose') ? 3 : 1 })
  await expect(net('', [3, 2, 4], [3, 2])).rejects.toThrow(/num_output of at least 1 \(it is 0\)/)
  await expect(net('num_output: 2', [3, 2], [3, 2])).rejects.toThrow(/at least 3 axes/)
  await expect(net('num_output: 2', [3, 2, 4], [2, 3])).rejects.toThrow(/must be 3×2/)
  await expect(net('num_output: 2', [3, 2, 4], [3, 2], [3, 4])).rejects.toThrow(/static input 'in2' \(3×4\)/)
  await expect(net('num_output: 2 expose_hidden: true', [3, 2, 4], [3, 2], [1, 2, 2], [1, 2, 3])).rejects.toThrow(
    /must be 1×2×2/,
  )
  await expect(net('num_output: 2 expose_hidden: true', [3, 2, 4], [3, 2])).rejects.toThrow(/at least 4 bottoms/)
  const wider = await net('num_output: 2', [3, 2, 4], [3, 2])
  wider.blobs.in0.reshape([3, 2, 5])
  await expect(wider.forward()).rejects.toThrow(/has 5 values, but the weights are for 4/)
})
