/** net.predict: one row an item, whatever the batch. */
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Net, parseNet, RistrettoError, SGDSolver } from '../../lib/index.js'
import { inputLayer } from '../shapes.js'

const BODY = `
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }`
const TRAINING = `${inputLayer('data', '4×1×2×3')} ${inputLayer('label', '4')} ${BODY}
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
  layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" }`

const item = (i: number) => Float32Array.from({ length: 6 }, (_, k) => Math.sin(6 * i + k))
const items = (n: number) => Array.from({ length: n }, (_, i) => item(i))

describe('a deploy net', () => {
  let net: Net
  beforeAll(async () => {
    net = await Net.create(parseNet(`${inputLayer('data', '5×1×2×3')} ${BODY}`), { engine: 'js', seed: 2 })
  })
  afterAll(() => net.dispose())

  test('gives each item its row, for any number of items and any batch, and stays as large as it was', async () => {
    const rows = await net.predict(items(11))
    expect(rows).toHaveLength(11)
    for (const batch of [1, 2, 3, 11, 100]) expect(await net.predict(items(11), { batch })).toEqual(rows)
    const { ip } = await net.forward({ data: Float32Array.from([...Array(5).keys()].flatMap(i => [...item(i)])) })
    expect([...ip.data]).toEqual(rows.slice(0, 5).flatMap(row => [...row]))
    expect(net.blobs['data'].shape).toEqual([5, 1, 2, 3])
    expect(await net.predict([])).toEqual([])
  })

  test('takes arrays of every kind, iterables, bytes as values, and another output', async () => {
    const [row] = await net.predict([item(3)])
    const values = [...item(3)]
    const nested = [[values.slice(0, 3), values.slice(3)]]
    expect(await net.predict([values, nested, ndarray(item(3), [1, 2, 3]), { data: values }])).toEqual([
      row,
      row,
      row,
      row,
    ])
    async function* later() {
      yield item(3)
    }
    expect(await net.predict(later())).toEqual([row])
    const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6])
    expect(await net.predict([bytes])).toEqual(await net.predict([[1, 2, 3, 4, 5, 6]]))
    expect(await net.predict([item(3)], { output: 'data' })).toEqual([item(3)])
  })

  test('passes queue up: predictions and forwards that overlap each get their own', async () => {
    const [rows, again, { ip }] = await Promise.all([
      net.predict(items(7), { batch: 2 }),
      net.predict(items(7), { batch: 3 }),
      net.forward({ data: new Float32Array(30) }),
    ])
    expect(again).toEqual(rows)
    expect(ip.shape).toEqual([5, 2])
  })

  test('what fits no input is named with its place', async () => {
    await expect(net.predict([item(0), [1, 2]])).rejects.toThrow(
      'predict: item 1 has 2 values, an item of the input has 1×2×3 = 6',
    )
    // one item where a list is wanted: its values are taken for items
    await expect(net.predict(item(0))).rejects.toThrow(
      'predict: item 0 is one value, an item of the input has 1×2×3 = 6; for one item predict([item])',
    )
    await expect(net.predict([null as never])).rejects.toThrow('predict: item 0 is null')
    await expect(net.predict(['cat.png'])).rejects.toThrow('says how pictures become its input')
    await expect(net.predict([item(0)], { batch: 0 })).rejects.toThrow(RistrettoError)
    await expect(net.predict([item(0)], { output: 'ib' })).rejects.toThrow("no blob 'ib'")
    await expect(net.predict([item(0)], { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(net.blobs['data'].shape).toEqual([5, 1, 2, 3])
  })

  test('pictures go through the preparation that is set: RGBA pixels', async () => {
    net.setPreparation({
      channels: 1,
      height: 2,
      width: 3,
      resize: [2, 3],
      fit: 'squash',
      order: 'BGR',
      scale: 0.5,
      meanValues: [10],
    })
    const data = Uint8ClampedArray.from({ length: 24 }, (_, i) => (i % 4 === 3 ? 255 : 10 * (i >> 2)))
    expect(await net.predict([{ width: 3, height: 2, data }])).toEqual(await net.predict([[-5, 0, 5, 10, 15, 20]]))
    await expect(net.predict([{ width: 3, height: 3, data }])).rejects.toThrow('item 0: its 24 bytes are no 3×3 pixels')
    await expect(net.predict([new Uint8Array(20)])).rejects.toThrow('predict: item 0:')
  })
})

test('a net that is trained predicts through its deploy net, with the weights of the moment and without dropout', async () => {
  const net = { ...parseNet(TRAINING), state: { phase: 'TRAIN' as const } }
  const solver = await SGDSolver.create(
    { net_param: net, base_lr: 0.5, lr_policy: 'fixed', max_iter: 4, random_seed: 1 },
    { engine: 'js' },
  )
  solver.net.feed(
    ['data', 'label'],
    items(8).map((data, i) => ({ data, label: i % 2 })),
  )
  const before = await solver.net.predict(items(3))
  await solver.step(2)
  const after = await solver.net.predict(items(3))
  expect(after).not.toEqual(before)
  const deployed = await solver.deploy()
  expect(await deployed.predict(items(3))).toEqual(after)
  after.forEach(row => expect(row[0] + row[1]).toBeCloseTo(1))
  await solver.step(1)
  expect(await deployed.predict(items(3))).toEqual(after)
  deployed.dispose()
  solver.dispose()
})

test('several inputs are given by name; a net without an input for it says so', async () => {
  const net = await Net.create(
    parseNet(
      `${inputLayer('a', '1×2')} ${inputLayer('b', '1×2')} layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }`,
    ),
    { engine: 'js' },
  )
  expect(
    await net.predict([
      { a: [1, 2], b: [10, 20] },
      { a: [3, 4], b: [0, 0] },
    ]),
  ).toEqual([Float32Array.of(11, 22), Float32Array.of(3, 4)])
  await expect(net.predict([{ a: [1, 2] }])).rejects.toThrow("item 0, input 'b' is undefined")
  await expect(net.predict([[1, 2]])).rejects.toThrow(
    "item 0 is no object with values for each input of net '': { 'a': …, 'b': … }",
  )
  net.dispose()
})

test('an input that only the training reads is not asked for, and not the answer', async () => {
  const text = `${inputLayer('given', '4')} ${inputLayer('data', '4×1×2×3')} ${BODY}
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "given" top: "loss" include { phase: TRAIN } }`
  const net = await Net.create(parseNet(text), { engine: 'js', phase: 'TEST', seed: 2 })
  const plain = await Net.create(parseNet(`${inputLayer('data', '4×1×2×3')} ${BODY}`), {
    engine: 'js',
    phase: 'TEST',
    seed: 2,
  })
  expect(net.outputs).toEqual(['given', 'ip'])
  await net.copyFrom(plain)
  const expected = await plain.predict(items(5))
  expect(await net.predict(items(5))).toEqual(expected)
  expect(await net.predict(items(5).map(data => ({ data })))).toEqual(expected)
  for (const each of [net, plain]) each.dispose()
})

test('a training net that is told how pictures become its input predicts them, before and after, and keeps it when deployed or saved', async () => {
  const net = await Net.create(parseNet(TRAINING), { engine: 'js', seed: 2 })
  const picture = { width: 3, height: 2, data: new Uint8Array(24).map((_, i) => 10 * i) }
  await expect(net.predict([picture])).rejects.toThrow('net.setPreparation')
  const size = { channels: 1, height: 2, width: 3, resize: [2, 3] } as const
  const preparation = { ...size, fit: 'squash', order: 'BGR', scale: 0.01, meanValues: [] } as const
  net.setPreparation(preparation)
  const [row] = await net.predict([picture])
  const deployed = await net.deploy()
  expect(await deployed.preparation()).toEqual(preparation)
  expect(await deployed.predict([picture])).toEqual([row])
  deployed.dispose()
  const loaded = await Net.load(await net.toBytes({ format: 'zip' }), { engine: 'js' })
  expect(await loaded.predict([picture])).toEqual([row])
  loaded.dispose()
  net.setPreparation({ ...preparation, scale: 1 })
  expect(await net.predict([picture])).not.toEqual([row])
  net.dispose()
})

test('what is no list of items is refused, a text too, which is a list of letters', async () => {
  const net = await Net.create(parseNet(`${inputLayer('data', '5×1×2×3')} ${BODY}`), { engine: 'js' })
  for (const [given, said] of [
    ['cat.jpg', 'not a string'],
    [undefined, 'not nothing'],
    [null, 'not null'],
    [7, 'not a number'],
    [{ data: item(0) }, 'not an object'],
  ]) {
    const refused = net.predict(given as never)
    await expect(refused).rejects.toThrow(RistrettoError)
    await expect(refused).rejects.toThrow(said as string)
  }
  net.dispose()
})

test('a source of items may use the net that predicts', async () => {
  const net = await Net.create(parseNet(TRAINING), { engine: 'js', seed: 2 })
  const expected = await net.predict(items(3))
  async function* source() {
    for (const one of items(3)) {
      await net.forward({ data: new Float32Array(24), label: [0, 1, 0, 1] })
      yield one
    }
  }
  expect(await net.predict(source(), { batch: 2 })).toEqual(expected)
  net.dispose()
})
