import { describe, expect, test } from 'vitest'
import { createSolver, Net, parseNet, parseSolver, RistrettoError, type Solver } from '../../lib/index.js'
import { evaluate, LmdbReader } from '../../lib/tools/index.js'
import { goldenPath } from '../golden.js'

const judge = `
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
  layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" }`
const options = { engine: 'js', seed: 1, phase: 'TEST' } as const

describe('a net with data of its own', () => {
  const source = goldenPath('io/mnist_200_lmdb')
  const data = (batch: number, more = '') => `
    layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 }
      data_param { source: "${source}" batch_size: ${batch} backend: LMDB ${more} } } ${judge}`

  test('every item once, by key, whatever the batch', async () => {
    const reader = await LmdbReader.open(source)
    const keys = Array.from(reader, ({ key }) => new TextDecoder().decode(key))
    reader.close()
    const results = []
    for (const batch of [64, 200, 1, 300]) {
      const net = await Net.create(parseNet(data(batch, batch === 64 ? 'rand_skip: 50' : '')), options)
      await net.forward()
      const result = await evaluate(net, undefined, { hardest: 5 })
      expect(result).toMatchObject({ items: 200, places: 200 })
      results.push({ ...result, confusion: result.confusion.toRows() })
      for (const { index, name } of [...result.hardest, ...result.wrong]) expect(name).toBe(keys[index])
      net.dispose()
    }
    for (const result of results.slice(1)) expect(result).toEqual(results[0])
  })

  test('as many batches as asked for agree with the layers of the net', async () => {
    const net = await Net.create(parseNet(data(50)), options)
    const result = await evaluate(net, 4, { top: 1 })
    let [loss, accuracy] = [0, 0]
    for (let i = 0; i < 4; i++) {
      const values = await net.forward()
      loss += (values['loss'] as { data: Float32Array }).data[0] / 4
      accuracy += (values['accuracy'] as { data: Float32Array }).data[0] / 4
    }
    expect(result.loss).toBeCloseTo(loss, 5)
    expect(result.accuracy).toBeCloseTo(accuracy, 6)
    expect(result.topShares).toEqual([result.accuracy])
    net.dispose()
  })

  test('between two tests changes neither them nor the training; two data layers start together', async () => {
    const run = async (between: (solver: Solver) => Promise<unknown>) => {
      const solver = await createSolver(
        {
          net_param: parseNet(data(30)),
          ...{ base_lr: 0.01, lr_policy: 'fixed', max_iter: 9, random_seed: 3 },
          ...{ test_iter: [4], test_interval: 1000, test_initialization: false },
        },
        { engine: 'js' },
      )
      const seen: unknown[] = []
      for (let i = 0; i < 3; i++) {
        await solver.step(1)
        await between(solver)
        seen.push(await solver.loss(), await solver.testAll())
      }
      solver.dispose()
      return seen
    }
    const plain = await run(async () => {})
    expect(await run(solver => evaluate(solver.testNets[0]))).toEqual(plain)
    expect(await run(solver => evaluate(solver.net))).toEqual(plain)

    const [one, two] = await Promise.all(
      [
        data(30),
        `layer { name: "labels" type: "Data" top: "pixels" top: "label" data_param { source: "${source}" batch_size: 30 backend: LMDB } }
        ${data(30).replace('top: "label"', 'top: "unused"')}
        layer { name: "silence" type: "Silence" bottom: "pixels" bottom: "unused" }`,
      ].map(text => Net.create(parseNet(text), options)),
    )
    // in the middle of its set
    await two.forward()
    const [first, second] = [await evaluate(one), await evaluate(two)]
    expect(second).toEqual(first)
    one.dispose()
    two.dispose()
  })

  test('stops when it is told to', async () => {
    const net = await Net.create(parseNet(data(50)), options)
    const abort = new AbortController()
    const { items } = await evaluate(net, undefined, { signal: abort.signal, onBatch: () => abort.abort() })
    expect(items).toBe(50)
    net.dispose()
  })
})

test('files of a list are named, shuffled ones too', async () => {
  const folder = goldenPath('io/images')
  const net = await Net.create(
    parseNet(`
    layer { name: "data" type: "ImageData" top: "data" top: "label" image_data_param { source: "${folder}/list.txt"
      root_folder: "${folder}/" batch_size: 3 shuffle: true new_height: 8 new_width: 8 } } ${judge}`),
    options,
  )
  const { hardest, items } = await evaluate(net, undefined, { hardest: 100 })
  expect(hardest.length).toBe(items)
  const { readFileSync } = await import('node:fs')
  const lines = readFileSync(`${folder}/list.txt`, 'utf8').trim().split('\n')
  expect(new Set(hardest.map(({ name, label }) => `${name} ${label}`))).toEqual(new Set(lines))
  net.dispose()
})

test('what is no list of batches is refused', async () => {
  const net = await Net.create(
    parseNet(
      `layer { name: "in" type: "Input" top: "data" top: "label" input_param { shape { dim: 2 dim: 10 } shape { dim: 2 } } } ${judge}`,
    ),
    options,
  )
  for (const source of [null, { data: [1], label: [0] }]) {
    const refused = evaluate(net, source as never)
    await expect(refused).rejects.toThrow(RistrettoError)
    await expect(refused).rejects.toThrow('evaluate takes a list of batches')
  }
  // items whose scores are no numbers are the hardest
  const batch = new Float32Array(20).fill(1, 0, 10).fill(Number.NaN, 10)
  const { hardest } = await evaluate(net, [{ data: batch, label: [0, 1] }])
  expect(hardest.map(({ index }) => index)).toEqual([1, 0])
  net.dispose()
})

describe('a net that is given its inputs', () => {
  const inputs = `
    layer { name: "in" type: "Input" top: "data" top: "label" input_param { shape { dim: 2 dim: 10 } shape { dim: 2 } } }`

  test('takes batches', async () => {
    const net = await Net.create(
      parseNet(`${inputs}
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" }`),
      options,
    )
    const data = Float32Array.from({ length: 20 }, (_, i) => (i === 3 || i === 14 ? 5 : 0))
    const result = await evaluate(net, [{ data, label: [3, 9] }])
    expect(result.confusion.mistakes()).toEqual([{ label: 9, prediction: 4, count: 1 }])
    await expect(evaluate(net)).rejects.toThrow(/no data layer with an end/)
    await expect(evaluate(net, 0)).rejects.toThrow(/whole number from 1 on, not 0/)
    net.dispose()
  })

  test('blobs may be named; without them, something must compare', async () => {
    const net = await Net.create(
      parseNet(`${inputs}
      layer { name: "prob" type: "Softmax" bottom: "data" top: "prob" }
      layer { name: "silence" type: "Silence" bottom: "label" }`),
      options,
    )
    const batch = { data: new Float32Array(20), label: [3, 9] }
    expect(await evaluate(net, [batch], { scores: 'prob', labels: 'label' })).toMatchObject({ items: 2, accuracy: 0 })
    await expect(evaluate(net, [batch])).rejects.toThrow(/compares no scores with labels/)
    await expect(evaluate(net, [batch], { scores: 'probs', labels: 'label' })).rejects.toThrow(
      /has no blob 'probs'.*'prob'/,
    )
    await expect(evaluate(net, [batch], { scores: 'label', labels: 'prob' })).rejects.toThrow(/are not N × classes/)
    net.dispose()
  })
})

test('an evaluation of the net that is trained leaves no trace in the training: draws, statistics, weights', async () => {
  const text = `base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" random_seed: 3 net_param {
    layer { name: "x" type: "Input" top: "x" top: "t" input_param { shape { dim: 4 dim: 6 } shape { dim: 4 } } }
    layer { name: "n" type: "DummyData" top: "n" dummy_data_param { shape { dim: 4 dim: 6 } data_filler { type: "gaussian" } refill: true } }
    layer { name: "sum" type: "Eltwise" bottom: "x" bottom: "n" top: "s" }
    layer { name: "bn" type: "BatchNorm" bottom: "s" top: "b" }
    layer { name: "drop" type: "Dropout" bottom: "b" top: "d" }
    layer { name: "ip" type: "InnerProduct" bottom: "d" top: "y" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "t" top: "loss" } }`.replace(' refill: true', '')
  const items = Array.from(
    { length: 8 },
    (_, i) => [Array.from({ length: 6 }, (_, k) => Math.sin(i + k)), i % 3] as const,
  )
  const run = async (looks: boolean) => {
    const solver = await createSolver(parseSolver(text), { engine: 'js' })
    solver.net.feed(['x', 't'], items as never)
    await solver.step(2)
    if (looks) {
      const x = Float32Array.from({ length: 24 }, (_, i) => i / 24)
      solver.net.feed('x', null)
      solver.net.feed('t', null)
      await evaluate(solver.net, [{ x, t: [0, 1, 2, 0] }])
      solver.net.feed(['x', 't'], items as never)
    }
    await solver.step(3)
    const weights = Object.values(solver.net.params).flatMap(blobs => blobs.flatMap(blob => [...blob.dataArray]))
    solver.dispose()
    return weights
  }
  const [plain, watched] = [await run(false), await run(true)]
  expect(new Uint32Array(Float32Array.from(watched).buffer)).toEqual(new Uint32Array(Float32Array.from(plain).buffer))
})
