import { expect, test } from 'vitest'
import { parseSolver } from '../../lib/index.js'
import { findRate } from '../../lib/tools/index.js'

/** y = 2x + noise by one weight: a rate above some value must blow up, since the loss is a parabola of it. */
const text = `random_seed: 1 base_lr: 7 lr_policy: "step" stepsize: 1 gamma: 0 snapshot: 1 snapshot_prefix: "/nowhere/x"
  test_interval: 1 display: 1 net_param {
  layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 16 dim: 2 } data_filler { type: "gaussian" } } }
  layer { name: "y" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" } }`

test('finds where the loss falls, and where it blows up', async () => {
  const seen: number[] = []
  const search = await findRate(parseSolver(text), {
    engine: 'js',
    from: 1e-4,
    to: 100,
    onPoint: ({ rate }) => seen.push(rate),
  })
  expect(seen).toEqual(search.points.map(({ rate }) => rate))
  const { rate: first, loss, smoothed } = search.points[0]
  expect([first, smoothed]).toEqual([expect.closeTo(1e-4, 12), expect.closeTo(loss, 10)])
  expect(search.points[9].rate / search.points[8].rate).toBeCloseTo(1e6 ** (1 / 99), 10)
  expect(search.end).toBe('diverged')
  // the loss is |w − 2|² / 2 with the inputs' variance, 1: steps of more than 2 leave the parabola
  expect(search.points[search.points.length - 1].rate).toBeGreaterThan(2)
  expect(search.suggestion).toBeGreaterThan(1e-3)
  expect(search.suggestion).toBeLessThan(search.lowest)
  expect(search.lowest).toBeLessThan(search.points[search.points.length - 1].rate)
})

test('goes on to the last rate, or stops when it is told to', async () => {
  const options = { engine: 'js', from: 1e-4, to: 1e-2, iterations: 12 } as const
  const whole = await findRate(parseSolver(text), options)
  expect(whole).toMatchObject({ end: 'done', points: { length: 12 } })
  expect(whole.points[11].rate).toBeCloseTo(1e-2, 10)
  const abort = new AbortController()
  const stopped = await findRate(parseSolver(text), {
    ...options,
    signal: abort.signal,
    prepare: solver => solver.onIteration(({ iter }) => (iter === 3 ? abort.abort() : undefined)),
  })
  expect(stopped.end).toBe('stopped')
  expect(stopped.points.length).toBeLessThan(5)
})

test('a loss that never falls has no suggestion', async () => {
  const flat = text.replace('name: "ip"', 'name: "ip" param { lr_mult: 0 } param { lr_mult: 0 }')
  const rising = flat.replace('name: "loss"', 'name: "loss" loss_weight: 0')
  expect((await findRate(parseSolver(rising), { engine: 'js', iterations: 10 })).suggestion).toBeUndefined()
  // one that only differs from batch to batch, either: it is lower somewhere
  for (const seed of [1, 2, 3, 4, 5])
    expect((await findRate(parseSolver(flat), { engine: 'js', seed })).suggestion).toBeUndefined()
})

test('refuses rates that do not rise', async () => {
  for (const [options, message] of [
    [{ from: 0 }, /the rates go up from above 0, not from 0 to 1/],
    [{ from: 2 }, /not from 2 to 1/],
    [{ to: Number.POSITIVE_INFINITY }, /not from 0.000001 to Infinity/],
    [{ iterations: 9 }, /iterations is a whole number from 10 on, not 9/],
  ] as const)
    await expect(findRate(parseSolver(text), options)).rejects.toThrow(message)
})
