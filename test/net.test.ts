import ndarray from 'ndarray'
import { describe, expect, test } from 'vitest'
import { type Blob, Layer, Net, NetError, parseNet, RistrettoError, registerLayer } from '../lib/index.js'
import { inputLayer } from './shapes.js'

const input = (name: string, ...dims: number[]) => `${inputLayer(name, dims)}\n`

const mlp = `
name: "mlp"
${input('x', 2, 3)}
layer { name: "ip1" type: "InnerProduct" bottom: "x" top: "ip1" inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }
`
const make = (text = mlp, options = {}) => Net.create(parseNet(text), { engine: 'js', seed: 7, ...options })
const rows = (...values: number[]) => new Float32Array(values)

class CountingLayer extends Layer {
  calls: string[] = []
  reshape(bottom: Blob[], top: Blob[]): void {
    this.calls.push('reshape')
    top[0].reshapeLike(bottom[0])
  }
  async forward(bottom: Blob[], top: Blob[]): Promise<void> {
    // waits, so that overlapping passes would mix if they did not queue
    await new Promise(resolve => setTimeout(resolve, 5))
    top[0].dataArray.set(bottom[0].dataArray)
  }
  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) bottom[0].diffArray.set(top[0].diffArray)
  }
}
registerLayer('Counting', CountingLayer)
const slow = `${input('x', 1, 2)} layer { name: "slow" type: "Counting" bottom: "x" top: "y" }`

describe('forward', () => {
  test('returns copies of the outputs on ordinary buffers', async () => {
    const net = await make()
    const first = await net.forward({ x: rows(1, 2, 3, 4, 5, 6) })
    const kept = new Float32Array(first.prob.data)
    await net.forward({ x: rows(6, 5, 4, 3, 2, 1) })
    expect(first.prob.data).toEqual(kept)
    expect(first.prob.shape).toEqual([2, 2])
    expect(first.prob.get(0, 0) + first.prob.get(0, 1)).toBeCloseTo(1, 6)
    expect(first.prob.data.buffer).toBeInstanceOf(ArrayBuffer)
  })

  test('overlapping calls each get their own answer, from the values at call time', async () => {
    const net = await make(slow)
    const values = rows(0, 0)
    const answers = await Promise.all(
      [1, 2, 3, 4].map(k => {
        values.fill(k)
        return net.forward({ x: values })
      }),
    )
    expect(answers.map(answer => [...answer.y.data])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ])
  })

  test('a pass that fails leaves the next one alone', async () => {
    const net = await make(slow)
    const bad = net.forward({ x: rows(1) })
    const good = net.forward({ x: rows(5, 6) })
    await expect(bad).rejects.toThrow(/blob 'x' is 1×2 \(2 values\), but 1 values were given/)
    expect([...(await good).y.data]).toEqual([5, 6])
  })

  test('start, end and blobs', async () => {
    const net = await make()
    const all = await net.forward({ x: rows(1, 2, 3, 4, 5, 6) }, { blobs: ['ip1'] })
    expect(Object.keys(all).sort()).toEqual(['ip1', 'prob'])
    const part = await net.forward({ x: rows(1, 2, 3, 4, 5, 6) }, { end: 'relu' })
    expect(part.ip1.data).toEqual(all.ip1.data)
    const rest = await net.forward({ ip1: all.ip1 }, { start: 'ip2' })
    expect(rest.prob.data).toEqual(all.prob.data)
    await expect(net.forward({}, { end: 'nope' })).rejects.toThrow(/no layer 'nope'; its layers are x, ip1/)
  })

  test('ndarrays with strides and nested arrays are read in row-major order', async () => {
    const net = await make(`${input('x', 2, 3)} layer { name: "f" type: "Flatten" bottom: "x" top: "y" }`)
    const columns = ndarray(rows(1, 4, 2, 5, 3, 6), [3, 2]).transpose(1, 0)
    expect([...(await net.forward({ x: columns })).y.data]).toEqual([1, 2, 3, 4, 5, 6])
    expect([
      ...(
        await net.forward({
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        })
      ).y.data,
    ]).toEqual([1, 2, 3, 4, 5, 6])
    await expect(
      net.forward({
        x: [
          [1, 2, 3],
          [4, 5],
        ],
      }),
    ).rejects.toThrow(/uneven/)
  })

  test('inputs that do not exist are refused by name', async () => {
    const net = await make()
    await expect(net.forward({ y: rows(1) })).rejects.toThrow(/no blob 'y'/)
    await expect(net.forward({ ip2: rows(1, 2, 3, 4) })).rejects.toThrow(
      /'ip2' is no input of net 'mlp': its inputs are x/,
    )
  })

  test('a new input shape flows through the net', async () => {
    const net = await make()
    net.blobs.x.reshape([5, 3])
    expect((await net.forward({ x: new Float32Array(15) })).prob.shape).toEqual([5, 2])
    net.blobs.x.reshape(1, 3)
    net.reshape()
    expect(net.blobs.prob.shape).toEqual([1, 2])
  })
})

describe('backward', () => {
  test('from given top diffs to the inputs, and params add up', async () => {
    const net = await make(`force_backward: true ${mlp}`)
    await net.forward({ x: rows(1, 2, 3, 4, 5, 6) })
    const { x } = await net.backward({ prob: rows(1, 0, 0, 1) })
    expect(x.shape).toEqual([2, 3])
    const once = new Float32Array(net.params.ip2[0].diffArray)
    await net.backward({ prob: rows(1, 0, 0, 1) })
    net.params.ip2[0].diffArray.forEach((value, i) => expect(value).toBeCloseTo(2 * once[i], 5))
    net.clearParamDiffs()
    expect(net.params.ip2[0].diffArray.every(value => value === 0)).toBe(true)
  })

  test('may begin and end at named layers', async () => {
    const net = await make(`force_backward: true ${mlp}`)
    await net.forward({ x: rows(1, 2, 3, 4, 5, 6) })
    await net.backward({ ip2: rows(1, 1, 1, 1) }, { start: 'ip2', end: 'ip2', diffs: ['ip1'] })
    expect(net.params.ip1[0].diffArray.every(value => value === 0)).toBe(true)
    expect(net.params.ip2[1].diffArray).toEqual(rows(2, 2))
  })
})

describe('hooks', () => {
  test('are called for every layer in order, Input and Split included', async () => {
    const net = await make(`${mlp} layer { name: "again" type: "Softmax" bottom: "ip2" top: "again" }`, {
      phase: 'TRAIN',
    })
    const seen: string[] = []
    net.beforeForward(name => void seen.push(`before ${name}`))
    net.afterForward(async name => void seen.push(`after ${name}`))
    await net.forward({ x: [1, 2, 3, 4, 5, 6] })
    expect(seen.filter(line => line.startsWith('before')).map(line => line.slice(7))).toEqual(net.layerNames)
    expect(seen.slice(0, 2)).toEqual(['before x', 'after x'])
    expect(net.layerNames).toContain('ip2_ip2_0_split')
  })
})

describe('a custom layer', () => {
  test('is reshaped before every forward', async () => {
    const net = await make(slow)
    const layer = net.layers[1] as CountingLayer
    layer.calls = []
    await net.forward({ x: rows(1, 2) })
    await net.forward({ x: rows(1, 2) })
    expect(layer.calls).toEqual(['reshape', 'reshape'])
  })

  test('that nobody registered is named with what to do', async () => {
    const python = 'layer { name: "p" type: "Python" python_param { module: "m" layer: "L" } }'
    await expect(make(python)).rejects.toThrow(
      /layer 'p' \(Python\) wants class 'L' of module 'm'.*registerLayerModule\('m', \{ L \}\)/,
    )
    await expect(make('layer { name: "c" type: "convolution" }')).rejects.toThrow(
      /unknown type 'convolution' \(did you mean 'Convolution'\?\)/,
    )
  })
})

describe('copyFrom', () => {
  test('reports what was loaded, what is missing and what is extra', async () => {
    const source = await make()
    const target = await make(mlp.replaceAll('ip2', 'fc'), { seed: 8 })
    expect(await target.copyFrom(source)).toEqual({ loaded: ['ip1'], missing: ['fc'], extra: ['ip2'], mismatched: [] })
    expect(target.params.ip1[0].dataArray).toEqual(source.params.ip1[0].dataArray)
  })

  test('refuses another shape and changes nothing, unless it may skip it', async () => {
    const source = await make()
    const target = await make(mlp.replace('num_output: 2', 'num_output: 3'), { seed: 8 })
    const before = new Float32Array(target.params.ip1[0].dataArray)
    await expect(target.copyFrom(source)).rejects.toThrow(
      "layer 'ip2' (InnerProduct): the weights in the file are 2×4, the net needs 3×4; rename the layer to train it from scratch",
    )
    expect(target.params.ip1[0].dataArray).toEqual(before)
    const report = await target.copyFrom(source, { strict: false })
    expect(report).toMatchObject({
      loaded: ['ip1'],
      mismatched: [{ layer: 'ip2', index: 0, net: [3, 4], source: [2, 4] }],
    })
    expect(String(report)).toBe('loaded: ip1\nof another shape, keep their values: ip2 (2×4 in the source, 3×4 here)')
  })

  test('says so as text, and layer by layer to the log', async () => {
    const source = await make()
    const log: string[] = []
    const target = await make(mlp.replaceAll('ip2', 'fc'), { log: (line: string) => log.push(line) })
    const report = await target.copyFrom(source)
    expect(`${report}`).toBe('loaded: ip1\nnot in the source, keep their values: fc\nnot in the net, left out: ip2')
    expect(log).toEqual([
      'Copying source layer ip1',
      'Ignoring source layer ip2',
      'No source layer for fc: it keeps its values',
    ])
    log.length = 0
    const wider = mlp.replace('num_output: 2', 'num_output: 3')
    const skipping = await make(wider, { log: (line: string) => log.push(line) })
    // what failed is not said to have been copied
    await expect(skipping.copyFrom(source)).rejects.toThrow(NetError)
    expect(log).toEqual([])
    await skipping.copyFrom(source, { strict: false })
    expect(log).toEqual(['Copying source layer ip1', 'Leaving out source layer ip2: param 0 is 2×4, in the net 3×4'])
    expect(
      String(await (await make(`${input('x', 1)} layer { name: "s" type: "Silence" bottom: "x" }`)).copyFrom({})),
    ).toBe('nothing to load')
  })

  test('shareWith makes two nets use one set of params', async () => {
    const [a, b] = [await make(), await make(mlp, { seed: 9 })]
    b.shareWith(a)
    a.params.ip1[0].dataArray[0] = 42
    expect(b.params.ip1[0].dataArray[0]).toBe(42)
  })

  test('shareWith shares nothing where one layer does not fit', async () => {
    const [a, b] = [await make(), await make(mlp.replace('num_output: 2', 'num_output: 3'))]
    expect(() => b.shareWith(a)).toThrow(
      /layer 'ip2' \(InnerProduct\): param 0 is 3×4, in the net to share with it is 2×4/,
    )
    a.params.ip1[0].dataArray[0] = 42
    expect(b.params.ip1[0].dataArray[0]).not.toBe(42)
  })
})

describe('feed', () => {
  const batches = async (source: Parameters<Net['feed']>[1], n: number) => {
    const net = await make(`${input('x', 2, 1)} layer { name: "f" type: "Flatten" bottom: "x" top: "y" }`)
    net.feed('x', source)
    const out: number[][] = []
    for (let i = 0; i < n; i++) out.push([...(await net.forward()).y.data])
    return out
  }
  test('one array is cut into batches and starts again', async () => {
    expect(await batches(rows(1, 2, 3), 3)).toEqual([
      [1, 2],
      [3, 1],
      [2, 3],
    ])
    expect(await batches(ndarray(rows(1, 2, 3, 4), [4, 1]), 2)).toEqual([
      [1, 2],
      [3, 4],
    ])
  })
  test('an iterable gives batches or single items; arrays of them start again', async () => {
    expect(await batches([rows(1, 2), rows(3, 4)], 3)).toEqual([
      [1, 2],
      [3, 4],
      [1, 2],
    ])
    expect(await batches([[1], [2], [3]], 2)).toEqual([
      [1, 2],
      [3, 1],
    ])
  })
  test('async iterables wait, and a generator that ends says so', async () => {
    const generate = async function* () {
      for (let k = 0; k < 2; k++) {
        await new Promise(resolve => setTimeout(resolve, 2))
        yield [k, k]
      }
    }
    expect(await batches(generate(), 2)).toEqual([
      [0, 0],
      [1, 1],
    ])
    await expect(batches(generate(), 3)).rejects.toThrow(/feed of input 'x': the source has ended/)
  })
  test('wrong sizes are named', async () => {
    await expect(batches([[1, 2, 3]], 1)).rejects.toThrow(/gave 3 values; a batch has 2, an item of it 1/)
    await expect(batches([[1], [2, 3]], 1)).rejects.toThrow(/gave 2 values; a batch has 2, an item of it 1/)
    await expect(batches(new Set(['a', 'b']) as never, 1)).rejects.toThrow(
      /feed of input 'x': the source gave a where values should be/,
    )
    await expect(batches(3 as never, 1)).rejects.toThrow(
      /the source must be an array, an iterable or an async iterable/,
    )
  })
  test('single values may be plain numbers', async () => {
    expect(await batches(new Set([1, 2, 3]), 2)).toEqual([
      [1, 2],
      [3, 1],
    ])
  })
})

describe('feed of several inputs from one source', () => {
  const text = `layer { name: "in" type: "Input" top: "x" top: "t" input_param { shape { dim: 2 dim: 2 } shape { dim: 2 } } }
    ${input('other', 3, 1)} layer { name: "s" type: "Silence" bottom: "x" bottom: "t" }`
  const seen = async (net: Net, n: number) => {
    const out: number[][] = []
    for (let i = 0; i < n; i++) {
      const { x, t } = await net.forward({}, { blobs: ['x', 't'] })
      out.push([...x.data, ...t.data])
    }
    return out
  }
  const pairs = [
    [rows(1, 2), 5],
    [rows(3, 4), 6],
    [rows(7, 8), 9],
  ] as const

  test('pairs, in a circle, in the order of the names', async () => {
    const net = await make(text)
    net.feed(['x', 't'], pairs)
    expect(await seen(net, 2)).toEqual([
      [1, 2, 3, 4, 5, 6],
      [7, 8, 1, 2, 9, 5],
    ])
    net.feed(
      ['t', 'x'],
      pairs.map(([x, t]) => [t, x]),
    )
    expect(await seen(net, 1)).toEqual([[1, 2, 3, 4, 5, 6]])
  })
  test('objects by name, from a generator that waits; batches and items mixed; what else they hold is left alone', async () => {
    const net = await make(text)
    interface Sample {
      t: number | number[]
      x: ArrayLike<number>
      id: string
    }
    net.feed(
      ['x', 't'],
      (async function* (): AsyncGenerator<Sample> {
        yield { x: rows(1, 2, 3, 4), t: [5, 6], id: 'a batch' }
        await new Promise(resolve => setTimeout(resolve, 2))
        yield { x: [7, 8], t: 9, id: 'an item' }
        yield { x: ndarray(rows(1, 2), [1, 2]).data, t: [0], id: 'another' }
      })(),
    )
    expect(await seen(net, 2)).toEqual([
      [1, 2, 3, 4, 5, 6],
      [7, 8, 1, 2, 9, 0],
    ])
    await expect(net.forward()).rejects.toThrow(/feed of inputs 'x', 't': the source has ended/)
  })
  test('a new source for one of them lets the old one go', async () => {
    const net = await make(text)
    const never: Iterable<[number[], number]> = {
      [Symbol.iterator]() {
        throw new Error('it was asked')
      },
    }
    net.feed(['x', 't'], never)
    net.feed('x', [1, 2, 3, 4])
    net.feed('t', [5, 6])
    expect(await seen(net, 1)).toEqual([[1, 2, 3, 4, 5, 6]])
  })
  test('what does not fit is named', async () => {
    const net = await make(text)
    const failing = async (source: unknown, names: string[] = ['x', 't']) => {
      const error = await (async () => {
        net.feed(names, source as never)
        await net.forward()
      })().catch(error => error)
      return (error as Error).message
    }
    expect(await failing([[[1, 2, 3], 4]])).toBe(
      "feed of inputs 'x', 't': the source gave 3 values of 'x' and 1 values of 't'; a batch of 'x' has 4, an item of it 2; a batch of 't' has 2, an item of it 1",
    )
    // an item of one, a batch of the other
    expect(
      await failing([
        [
          [1, 2],
          [4, 5],
        ],
      ]),
    ).toContain("gave 2 values of 'x' and 2 values of 't'")
    expect(await failing([[[1, 2], 3, 4]])).toContain('must give [x, t] or { x, t } at a time, not an array of 3')
    expect(await failing([{ x: [1, 2] }])).toContain("the source gave undefined for 't' where values should be")
    expect(await failing([rows(1, 2), rows(3)])).toContain('not a Float32Array')
    expect(await failing(rows(1, 2, 3))).toContain('net.feed(name, array) takes an array for one input')
    expect(await failing({ x: 1 })).toContain('the source must be an iterable or an async iterable')
    expect(await failing(pairs, ['x', 'other'])).toContain(
      "'x' takes 2 items a batch, 'other' 3: they cannot share a source",
    )
    expect(await failing(pairs, ['x', 'y'])).toContain("has no blob 'y'")
    expect(await failing(pairs, [])).toContain('an empty list is no input')
    // @ts-expect-error objects must have the inputs' names
    expect(() => net.feed(['x', 't'], [{ x: [1, 2], label: 3 }])).not.toThrow()
  })
})

test('statistics of a blob', async () => {
  const net = await make()
  await net.forward({ x: rows(0, 1, 2, 3, 4, 5) })
  const { mean, std, min, max, histogram, notFinite } = await net.statistics('x')
  expect({ mean, min, max, notFinite }).toEqual({ mean: 2.5, min: 0, max: 5, notFinite: 0 })
  expect(std).toBeCloseTo(Math.sqrt(35 / 12), 6)
  expect(histogram).toHaveLength(20)
  expect(histogram.reduce((a, b) => a + b)).toBe(6)
})

test('debug_info logs the mean absolute value of every blob and param', async () => {
  const lines: string[] = []
  const net = await make(`debug_info: true ${mlp}`, { log: (line: string) => lines.push(line) })
  await net.forward({ x: rows(1, -1, 1, -1, 1, -1) })
  expect(lines[0]).toBe('    [Forward] Layer x, top blob x data: 1')
  expect(lines.some(line => /\[Forward\] Layer ip1, param blob 1 data: 0$/.test(line))).toBe(true)
})

test('a disposed net says so', async () => {
  const net = await make()
  net.dispose()
  await expect(net.forward()).rejects.toThrow(RistrettoError)
  expect(() => net.blobs.x.dataArray).toThrow(/of blob 'x' were given back by dispose/)
})

test('a bottom that nobody makes is named with what is known', async () => {
  await expect(make(`${input('x', 1)} layer { name: "r" type: "ReLU" bottom: "xx" top: "y" }`)).rejects.toThrow(
    NetError,
  )
})

test('the same seed gives the same weights, another seed other ones', async () => {
  const [a, b, c] = [await make(), await make(), await make(mlp, { seed: 8 })]
  expect(a.params.ip1[0].dataArray).toEqual(b.params.ip1[0].dataArray)
  expect(a.params.ip1[0].dataArray).not.toEqual(c.params.ip1[0].dataArray)
})

test('layers and loss weights by name', async () => {
  const net = await make(
    mlp.replace('top: "ip2"', 'top: "ip2" loss_weight: 0.5').replace('top: "prob"', 'top: "prob" loss_weight: 2'),
  )
  expect(Object.keys(net.layerDict)).toEqual([...net.layerNames])
  expect(net.layerDict.ip2).toBe(net.layers[net.layerNames.indexOf('ip2')])
  expect(net.layerDict.toString).toBeUndefined()
  expect({ ...net.blobLossWeights }).toEqual({
    x: 0,
    ip1: 0,
    ip2: 0,
    ip2_ip2_0_split_0: 0.5,
    ip2_ip2_0_split_1: 0,
    prob: 2,
  })
})

test('names that JavaScript has a use for are names like any other', async () => {
  for (const name of ['__proto__', 'constructor', 'then']) {
    const net = await make(mlp.replaceAll('"prob"', `"${name}"`).replaceAll('"ip1"', `"${name}1"`))
    const x = { x: [1, 2, 3, 4, 5, 6] }
    for (const out of [await net.forward(x), await net.forwardAll(x)]) {
      expect(Object.keys(out)).toEqual([name])
      expect(Object.getOwnPropertyDescriptor(out, name)!.value.shape).toEqual([2, 2])
    }
    expect(net.params[`${name}1`]).toHaveLength(2)
  }
})

describe('memory', () => {
  test('counts params, activations and gradients once, before anything is taken', async () => {
    const net = await make(mlp, { phase: 'TRAIN' })
    const plan = net.memory()
    expect(plan.params).toBe(4 * (4 * 3 + 4 + 2 * 4 + 2))
    // x 6, ip1 8 (the relu works in place), ip2 4, prob 4
    expect(plan.activations).toBe(4 * (6 + 8 + 4 + 4))
    expect(plan.total).toBe(plan.params + plan.activations + plan.diffs + plan.scratch)
  })

  test('a net that cannot fit is refused with a batch size that would', async () => {
    const big = `${input('x', 512, 8, 512, 512)} layer { name: "p" type: "Pooling" bottom: "x" top: "p" pooling_param { kernel_size: 2 stride: 2 } }`
    await expect(make(big, { engine: 'wasm' })).rejects.toThrow(
      /the net needs .* MB beside its params.*a batch of \d+ instead of 512 would fit/,
    )
  })

  const maker = (type: string, batch: number) =>
    type === 'Input'
      ? input('x', batch, 3, 64, 64)
      : `layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: ${batch} dim: 3 dim: 64 dim: 64 } } }`
  const conv = `layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 512 kernel_size: 1 } }`

  test.each(['Input', 'DummyData'])('whether the data comes from a layer of type %s', async type => {
    await expect(make(`${maker(type, 40)} ${conv}`, { maxMemory: 64e6 })).rejects.toThrow(
      /beside its params.*a batch of 7 instead of 40 would fit/,
    )
    await expect(make(`${maker(type, 400)} ${conv}`, { maxMemory: 64e6 })).rejects.toThrow(
      /up to here needs.*a batch of [57] instead of 400 is the most that can fit/,
    )
    await expect(make(`${maker(type, 1)} ${conv}`, { maxMemory: 5e6 })).rejects.toThrow('even one item does not fit')
  })

  test('and where a blob alone is larger than a blob can be', async () => {
    // 2³¹ − 1 values are 1023 times 512·64·64 and some
    await expect(make(`${input('x', 2000, 3, 64, 64)} ${conv}`)).rejects.toThrow(
      /^layer 'c' \(Convolution\): .*at most 2147483647 are allowed; a batch of 1023 instead of 2000 is the most that can fit/,
    )
    // one item alone is beyond what kernels can count
    await expect(make(`${input('x', 1, 1, 64, 64)} ${conv.replace('512', '1000000')}`)).rejects.toThrow(
      /^layer 'c' \(Convolution\): .* would take 4096000000 values, kernels keep 536870912 at most/,
    )
  })
})
