/** Feeds in another order each epoch, told of its end, resumed where they were. */
import { describe, expect, test } from 'vitest'
import { createSolver, Net, parseNet, type SolverEvent } from '../../lib/index.js'
import { inputLayer } from '../shapes.js'

const net = (batch = 4) =>
  Net.create(
    parseNet(
      `${inputLayer('data', [batch, 1])} ${inputLayer('label', [batch])} layer { name: "s" type: "Silence" bottom: "data" bottom: "label" }`,
    ),
    {
      engine: 'js',
      seed: 7,
    },
  )
const batches = async (made: Net, n: number, name = 'data') => {
  const all: number[] = []
  for (let i = 0; i < n; i++) {
    await made.forward()
    all.push(...made.blobs[name].dataArray)
  }
  return all
}
const sorted = (values: number[]) => [...values].sort((a, b) => a - b)
const ten = Array.from({ length: 10 }, (_, i) => i)

describe('shuffle', () => {
  test.each([
    ['an array of numbers', Float32Array.from(ten)],
    ['an array of items', ten.map(i => [i])],
  ])('%s: every item once an epoch, in an order of its own', async (_, source) => {
    const made = await net()
    const epochs: number[] = []
    made.feed('data', source, { shuffle: true, onEpoch: epoch => epochs.push(epoch) })
    made.feed('label', source, { shuffle: true })
    const given = await batches(made, 5)
    expect(sorted(given.slice(0, 10))).toEqual(ten)
    expect(sorted(given.slice(10, 20))).toEqual(ten)
    expect(given.slice(0, 10)).not.toEqual(ten)
    expect(given.slice(10, 20)).not.toEqual(given.slice(0, 10))
    expect(epochs).toEqual([1, 2])
    // fed apart, they stay in step
    expect([...made.blobs['label'].dataArray]).toEqual([...made.blobs['data'].dataArray])
    const other = await net()
    other.feed('data', source, { shuffle: true })
    other.feed('label', source)
    expect(await batches(other, 5)).toEqual(given)
    made.dispose()
    other.dispose()
  })

  test('pairs stay together; what can only be iterated is refused', async () => {
    const made = await net()
    made.feed(
      ['data', 'label'],
      ten.map(i => ({ data: i, label: i + 100 })),
      { shuffle: true },
    )
    const given = await batches(made, 1)
    expect([...made.blobs['label'].dataArray]).toEqual(given.map(i => i + 100))
    const endless = {
      *[Symbol.iterator]() {
        yield [1]
      },
    }
    expect(() => made.feed('data', endless, { shuffle: true })).toThrow('shuffle needs an array of items')
    made.dispose()
  })

  test('lengths that differ are refused, unless it is said that they may', async () => {
    const made = await net()
    made.feed('data', Float32Array.from(ten))
    made.feed('label', Float32Array.of(1, 2, 3))
    await expect(made.forward()).rejects.toThrow("10 items, that of 'label' 3")
    made.feed('label', Float32Array.of(1, 2, 3), { anyLength: true })
    await made.forward()
    expect([...made.blobs['label'].dataArray]).toEqual([1, 2, 3, 1])
    made.dispose()
  })
})

describe('with a solver', () => {
  const param = {
    net_param: parseNet(`${inputLayer('data', '3×2')} ${inputLayer('label', '3')}
      layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`),
    base_lr: 0.1,
    momentum: 0.9,
    lr_policy: 'fixed' as const,
    max_iter: 20,
    random_seed: 5,
  }
  const pairs = Array.from({ length: 10 }, (_, i) => ({ data: [Math.sin(i), Math.cos(i)], label: i % 2 }))
  const weights = (solver: { net: Net }) => [...solver.net.params['ip'][0].dataArray]

  test('events tell of epochs; a snapshot keeps the place, so that a resumed run is the same to the last bit', async () => {
    const events: SolverEvent[] = []
    const whole = await createSolver(param, { engine: 'js', on: event => events.push(event) })
    whole.net.feed(['data', 'label'], pairs, { shuffle: true })
    await whole.step(5)
    const { model, state } = await whole.snapshot()
    await whole.step(6)
    expect(events.filter(({ type }) => type === 'epoch')).toEqual([
      { type: 'epoch', iter: 3, epoch: 1, inputs: ['data', 'label'] },
      { type: 'epoch', iter: 6, epoch: 2, inputs: ['data', 'label'] },
      { type: 'epoch', iter: 9, epoch: 3, inputs: ['data', 'label'] },
    ])
    for (const feedFirst of [true, false]) {
      const resumed = await createSolver({ ...param, random_seed: 99 }, { engine: 'js' })
      if (feedFirst) resumed.net.feed(['data', 'label'], pairs, { shuffle: true })
      await resumed.restore(state, model)
      if (!feedFirst) resumed.net.feed(['data', 'label'], pairs, { shuffle: true })
      await resumed.step(6)
      expect(weights(resumed)).toEqual(weights(whole))
      resumed.dispose()
    }
    whole.dispose()
  })
})

test('an array of items beside one of numbers goes on in the middle of an epoch', async () => {
  const feed = (made: Net, shuffle: boolean) => {
    made.feed(
      'data',
      ten.map(i => [i]),
      { shuffle },
    )
    made.feed('label', Float32Array.from(ten), { shuffle })
  }
  for (const shuffle of [true, false]) {
    const made = await net()
    feed(made, shuffle)
    await batches(made, 1)
    const { feedPlaces } = made.runner
    const given = await batches(made, 6)
    const other = await net()
    feed(other, shuffle)
    other.runner.restoreFeeds(feedPlaces)
    // over the ends of two epochs, of the first of which only a part was left
    expect(await batches(other, 6)).toEqual(given)
    made.dispose()
    other.dispose()
  }
})
