import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet } from './hand.js'

const [T, g, C, N, H, W] = [2, 3, 4, 2, 5, 3]
const input = `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: ${N} dim: ${C} dim: ${H} dim: ${W} } } }`
const block = (more: string) => `force_backward: true ${input} layer { name: "b" type: "DenseBlock" bottom: "x" top: "y"
  denseblock_param { numTransition: ${T} growthRate: ${g} ${more} } }`

/** The same, layer by layer. */
function apart(isNarrow: boolean): string {
  const norm = (name: string, bottom: string) => `
    layer { name: "${name}n" type: "BatchNorm" bottom: "${bottom}" top: "${name}n" batch_norm_param { eps: 1e-5 } }
    layer { name: "${name}s" type: "Scale" bottom: "${name}n" top: "${name}s" scale_param { bias_term: true } }
    layer { name: "${name}r" type: "ReLU" bottom: "${name}s" top: "${name}r" }`
  const convolution = (name: string, bottom: string, outputs: number, side: number) => `
    layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" convolution_param {
      num_output: ${outputs} kernel_size: ${side} pad: ${side >> 1} bias_term: false } }`
  let [text, before] = [`force_backward: true ${input}`, 'x']
  for (let i = 0; i < T; i++) {
    text += norm(`a${i}`, before)
    if (isNarrow) text += convolution(`w${i}`, `a${i}r`, 4 * g, 1) + norm(`b${i}`, `w${i}`)
    text += convolution(`c${i}`, isNarrow ? `b${i}r` : `a${i}r`, g, 3)
    text += `layer { name: "y${i}" type: "Concat" bottom: "${before}" bottom: "c${i}" top: "y${i}" }`
    before = `y${i}`
  }
  return text
}

/** Blobs of the block as params of the layers: name and number. */
function names(isNarrow: boolean): [string, number][] {
  const each = (layer: string, k: number): [string, number][] =>
    Array.from({ length: T }, (_, i) => [layer.replace('#', `${i}`), k])
  const norm = (letter: string): [string, number][] => [
    ...[...each(`${letter}#s`, 0), ...each(`${letter}#s`, 1)],
    ...[...each(`${letter}#n`, 0), ...each(`${letter}#n`, 1)],
  ]
  return [...each('c#', 0), ...norm('a'), ...(isNarrow ? [...each('w#', 0), ...norm('b')] : [])]
}

async function both(engine: 'js' | 'wasm', isNarrow: boolean, phase: 'TRAIN' | 'TEST') {
  const options = { engine, phase, seed: 1, threads: 2 } as const
  const one = await Net.create(parseNet(block(`use_BC: ${isNarrow}`)), options)
  const many = await Net.create(parseNet(apart(isNarrow)), options)
  const random = new RandomStream(7, 'block')
  const params = names(isNarrow).map(([layer, k]) => many.params[layer][k])
  params.forEach((blob, i) => {
    const isStatistic = i % (5 * T) >= 3 * T
    blob.dataArray.forEach((_, j, values) => {
      values[j] = isStatistic ? 0.5 + random.uniform() : random.uniform() - 0.4
    })
    one.params.b[i].dataArray.set(blob.dataArray)
  })
  for (const net of many.layers.filter(({ type }) => type === 'BatchNorm')) net.blobs[2].dataArray[0] = 1
  const x = Float32Array.from({ length: N * C * H * W }, () => random.uniform() - 0.5)
  for (const net of [one, many]) await net.forward({ x })
  const last = `y${T - 1}`
  const dy = one.blobs.y.dataArray.map(() => random.uniform() - 0.5)
  one.blobs.y.diffArray.set(dy)
  many.blobs[last].diffArray.set(dy)
  for (const net of [one, many]) {
    net.clearParamDiffs()
    await net.backward()
  }
  return { one, many, params, last }
}

const close = (seen: Float32Array, wanted: Float32Array) => {
  expect(seen.length).toBe(wanted.length)
  seen.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i], 4)
  })
}

describe.each(hostEngines as readonly ('js' | 'wasm')[])('DenseBlock on %s', engine => {
  test.each([
    [false, 'TRAIN'],
    [true, 'TRAIN'],
    [false, 'TEST'],
    [true, 'TEST'],
  ] as const)('is what it is made of, layer by layer: use_BC %s in %s', { tags: 'long' }, async (isNarrow, phase) => {
    const { one, many, params, last } = await both(engine, isNarrow, phase)
    expect(one.blobs.y.shape).toEqual([N, C + T * g, H, W])
    close(one.blobs.y.dataArray, many.blobs[last].dataArray)
    close(one.blobs.x.diffArray, many.blobs.x.diffArray)
    params.forEach((blob, i) => {
      if (i % (5 * T) < 3 * T) close(one.params.b[i].diffArray, blob.diffArray)
    })
    for (const net of [one, many]) net.dispose()
  })

  test('statistics move a tenth of the way to the batch, and do not learn', async () => {
    const options = { engine, phase: 'TRAIN', seed: 1 } as const
    const net = await Net.create(parseNet(block('')), options)
    await net.forward({ x: Float32Array.from({ length: N * C * H * W }, (_, i) => Math.trunc(i / (H * W)) % C) })
    // the channels of the bottom are 0, 1, 2 and 3 everywhere
    close(net.params.b[3 * T].dataArray, Float32Array.of(0, 0.1, 0.2, 0.3))
    close(net.params.b[4 * T].dataArray, new Float32Array(4).fill(0.9))
    const learns = net.layers[1].param.param!.map(({ lr_mult = 1 }) => lr_mult)
    expect(learns).toEqual([...new Array(3 * T).fill(1), ...new Array(2 * T + 1).fill(0)])
    net.dispose()
  })

  test('sums that the fork counted on the host are divided by their weight', async () => {
    const options = { engine, phase: 'TEST', seed: 1 } as const
    const net = await Net.create(parseNet(block('')), options)
    const x = Float32Array.from({ length: N * C * H * W }, (_, i) => Math.sin(i))
    const [plain] = [(await net.forward({ x })).y.data.slice()]
    net.params.b.slice(3 * T, 5 * T).forEach(blob => {
      blob.dataArray.forEach((value, i, values) => {
        values[i] = 4 * value
      })
    })
    net.params.b[5 * T].dataArray[0] = 4
    close((await net.forward({ x })).y.data as Float32Array, plain as Float32Array)
    net.dispose()
  })

  test('dropout leaves the bottom, and drops what steps add in TRAIN', async () => {
    const filler = 'Filter_Filler { type: "constant" value: 1 } BN_Bias_Filler { type: "constant" value: 1 }'
    const net = await Net.create(parseNet(block(`use_dropout: true dropout_amount: 0.5 ${filler}`)), {
      ...{ engine, phase: 'TRAIN', seed: 1 },
    })
    const x = Float32Array.from({ length: N * C * H * W }, (_, i) => Math.sin(i))
    const { data } = (await net.forward({ x })).y
    const item = (C + T * g) * H * W
    expect(data.slice(0, C * H * W)).toEqual(x.slice(0, C * H * W))
    const added = [...data.slice(C * H * W, item)]
    const share = added.filter(value => value === 0).length / added.length
    expect(share).toBeGreaterThan(0.3)
    expect(share).toBeLessThan(0.7)
    net.dispose()
  })
})

test.each([
  ['numTransition: 0', '1×2×3×3', /numTransition: 0 and growthRate: 12/],
  ['dropout_amount: 1', '1×2×3×3', /dropout_amount: 1 must be/],
  ['', '1×2×3', /must be N × C × H × W/],
])('refuses %s for %s', async (fields, shape, message) => {
  await expect(handNet(`type: "DenseBlock" denseblock_param { ${fields} }`, shapesOf(shape))).rejects.toThrow(message)
})
