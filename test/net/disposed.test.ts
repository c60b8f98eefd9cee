import { describe, expect, test } from 'vitest'
import { Blob } from '../../lib/blob.js'
import { RistrettoError } from '../../lib/errors.js'
import { Memory } from '../../lib/memory.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

const param = parseNet(`name: "small"
  layer { name: "in" type: "Input" top: "data" top: "label" input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`)
const make = () => Net.create(param, { engine: 'js', seed: 1 })
const values = { data: [1, 2, 3, 4, 5, 6], label: [0, 1] }

/** What a call that may throw at once or reject gives, as a promise. */
const call = async (task: () => unknown) => task()

const uses: [string, (net: Net) => unknown][] = [
  ['forward', net => net.forward(values)],
  ['backward', net => net.backward()],
  ['forwardAll', net => net.forwardAll(values)],
  ['forwardBackwardAll', net => net.forwardBackwardAll(values)],
  ['loss', net => net.loss()],
  ['statistics', net => net.statistics('ip')],
  ['clearParamDiffs', net => net.clearParamDiffs()],
  ['pull', net => net.pull()],
  ['reshape', net => net.reshape()],
  ['copyFrom', async net => net.copyFrom(await make())],
  ['copyFrom of another', async net => (await make()).copyFrom(net)],
  ['shareWith', async net => net.shareWith(await make())],
  ['shareWith of another', async net => (await make()).shareWith(net)],
  ['save', net => net.save('never.caffemodel')],
  ['toBytes', net => net.toBytes()],
  ['feed', net => net.feed('data', [[1, 2, 3]])],
]

describe('a disposed net refuses', () => {
  test.each(uses)('%s', async (_, use) => {
    const net = await make()
    await net.forward(values)
    net.dispose()
    net.dispose()
    const used = call(() => use(net))
    await expect(used).rejects.toBeInstanceOf(RistrettoError)
    await expect(used).rejects.toThrow(/net 'small' was disposed/)
  })

  test('a pass that is under way or waits, whatever it lacked first', async () => {
    const net = await make()
    const passes = [net.forward(values), net.forward(values), net.exclusive(async () => 'never')]
    net.dispose()
    for (const pass of passes) await expect(pass).rejects.toThrow("net 'small' was disposed")
  })

  test('its values, and prints no zeros for them', async () => {
    const net = await make()
    await net.forward(values)
    net.dispose()
    expect(() => net.blobs.ip.data).toThrow("these values of blob 'ip' were given back by dispose()")
    expect(() => net.blobs.ip.diff).toThrow(RistrettoError)
    expect(String(net.blobs.ip)).toBe("blob 'ip' 2×3 (6): given back by dispose()")
  })
})

describe('nets that share params', () => {
  const tied = parseNet(`name: "tied"
    layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "a" param { name: "w" } param { name: "b" } inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "ip2" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" } param { name: "b" } inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }`)
  const untied = { ...tied, layer: tied.layer!.map(({ param: _, ...layer }) => layer) }

  test('go on when the one that they share with is disposed', async () => {
    const [net, source] = [await make(), await Net.create(param, { engine: 'js', seed: 2 })]
    const { loss } = await source.forward(values)
    net.shareWith(source)
    source.dispose()
    expect((await net.forward(values)).loss.data).toEqual(loss.data)
  })

  test('predict with what they share now', async () => {
    const [net, source] = [await make(), await Net.create(param, { engine: 'js', seed: 2 })]
    const items = [[1, 2, 3]]
    await net.predict(items)
    net.shareWith(source)
    expect(await net.predict(items)).toEqual(await source.predict(items))
  })

  test('leave one what is one, and refuse two for it', async () => {
    const [net, other] = [
      await Net.create(tied, { engine: 'js', seed: 1 }),
      await Net.create(untied, { engine: 'js', seed: 2 }),
    ]
    expect(() => net.shareWith(other)).toThrow("layer 'ip2' (InnerProduct): param 0 is shared with layer 'ip'")
    const { layer } = untied
    for (const only of [1, 2]) {
      const part = { ...untied, layer: layer.map((each, i) => (i === 3 - only ? { ...each, name: 'other' } : each)) }
      net.shareWith(await Net.create(part, { engine: 'js', seed: 3 }))
      expect(net.params.ip2[0].dataArray).toBe(net.params.ip[0].dataArray)
      await net.forward({ data: [1, 2, 3] })
    }
  })
})

describe('names and arguments that are wrong', () => {
  test('blob and layer name the nearest one', async () => {
    using net = await make()
    expect(net.blob('ip')).toBe(net.blobs.ip)
    expect(net.layer('ip')).toBe(net.layerDict.ip)
    expect(() => net.blob('labell')).toThrow(
      "net 'small' has no blob 'labell'; did you mean 'label'?; its blobs are data, label, ip, loss",
    )
    expect(() => net.layer('losss')).toThrow("net 'small' has no layer 'losss'; did you mean 'loss'?")
    for (const name of [undefined, null, 7, '__proto__', 'toString']) {
      expect(() => net.blob(name as never)).toThrow(RistrettoError)
      expect(() => net.layer(name as never)).toThrow(RistrettoError)
    }
  })

  const wrong: [string, (net: Net) => unknown, string | RegExp][] = [
    ['copyFrom', net => net.copyFrom(undefined as never), 'copyFrom takes a path, URL, bytes, a NetParameter or a net'],
    ['shareWith', net => net.shareWith({} as never), 'shareWith takes a net'],
    ['save', net => net.save(undefined as never), 'save takes the path of a file, not undefined'],
    ['statistics', net => net.statistics(undefined as never), "no blob 'undefined'"],
    ['statistics of a part', net => net.statistics('ip', 'x' as never), "of 'data' or of 'diff', not of x"],
    [
      'feed',
      net => net.feed(undefined as never, []),
      'feed takes the name of an input, or a list of them, and what fills it, not undefined',
    ],
    ['forward', net => net.forward(null as never), 'values are given by name: { data: values }'],
    ['backward', net => net.backward(7 as never), 'values are given by name'],
    ['forwardAll', net => net.forwardAll(undefined as never), 'values are given by name'],
    ['forwardBackwardAll', net => net.forwardBackwardAll(null as never), 'values are given by name'],
    ['beforeForward', net => net.beforeForward(undefined as never), 'beforeForward takes a function, not undefined'],
    ['afterForward', net => net.afterForward({} as never), 'afterForward takes a function, not an object'],
    ['beforeBackward', net => net.beforeBackward('x' as never), 'beforeBackward takes a function, not a string'],
    ['afterBackward', net => net.afterBackward(null as never), 'afterBackward takes a function, not null'],
    ['exclusive', net => net.exclusive([] as never), 'exclusive takes a function, not an array'],
    ['shareData', () => new Blob([1]).shareData(undefined as never), 'this takes another Blob, not undefined'],
    ['shareDiff', () => new Blob([1]).shareDiff(1 as never), 'this takes another Blob, not a number'],
    ['reshapeLike', () => new Blob([1]).reshapeLike(null as never), 'this takes another Blob, not null'],
  ]
  test.each(wrong)('%s', async (_, use, message) => {
    using net = await make()
    const used = call(() => use(net))
    await expect(used).rejects.toBeInstanceOf(RistrettoError)
    await expect(used).rejects.toThrow(message)
  })
})

test('a batch that comes after its net was disposed is written into nobody else', async () => {
  const net = await Net.create(param, { engine: 'wasm', threads: 1, seed: 1 })
  let give = (_batch: number[]) => {}
  const batch = new Promise<number[]>(resolve => {
    give = resolve
  })
  net.feed(
    'data',
    (async function* () {
      yield await batch
    })(),
  )
  net.feed('label', [[0, 1]])
  const pass = net.forward()
  await new Promise(resolve => setImmediate(resolve))
  net.dispose()
  const others = Array.from({ length: 20 }, () => new Memory(6, net.engine.heap))
  for (const { array } of others) array.fill(7)
  give([1, 2, 3, 4, 5, 6])
  await expect(pass).rejects.toBeInstanceOf(RistrettoError)
  for (const { array } of others) expect([...array]).toEqual(Array(6).fill(7))
})
