import { describe, expect, test, vi } from 'vitest'
import { PoolingLayer } from '../../lib/layers/pooling.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { checkGradient, checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { inputLayer } from '../shapes.js'
import { netOf, numbers } from './run.js'

const layer = (param: string, tops = 'top: "p"') =>
  `layer { name: "p" type: "Pooling" bottom: "in0" ${tops} pooling_param { ${param} } }`
const picture = [1, 5, 2, 4, /**/ 3, 5, 0, 6, /**/ 9, 8, 7, 1]

describe.each(hostEngines)('Pooling on %s', engine => {
  test('MAX, hand-worked: a window over the edge, the first of two equal values, its mask and gradient', async () => {
    const net = await netOf([[1, 1, 3, 4]], layer('kernel_size: 2 stride: 2', 'top: "p" top: "m"'), { engine })
    await net.forward({ in0: picture })
    expect(net.blobs.p.shape).toEqual([1, 1, 2, 2])
    expect([...net.blobs.p.dataArray]).toEqual([5, 6, 9, 7])
    expect([...net.blobs.m.dataArray]).toEqual([1, 7, 8, 10])
    net.blobs.p.diffArray.set([1, 2, 3, 4])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([0, 1, 0, 0, 0, 0, 0, 2, 3, 0, 4, 0])
  })

  test('AVE, hand-worked: padding counts, what lies beyond size + pad does not', async () => {
    const net = await netOf([[1, 1, 3, 4]], layer('pool: AVE kernel_size: 3 stride: 2 pad: 1'), { engine })
    await net.forward({ in0: picture })
    expect(net.blobs.p.shape).toEqual([1, 1, 2, 3])
    const row = (values: number[]) => numbers(Float32Array.from(values))
    expect(numbers(net.blobs.p.dataArray)).toEqual(row([14 / 9, 22 / 9, 10 / 6, 25 / 9, 27 / 9, 7 / 6]))
    net.blobs.p.diffArray.set([9, 0, 0, 0, 0, 6])
    await net.backward()
    expect(numbers(net.blobs.in0.diffArray)).toEqual([1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1])
  })

  test('AVE without padding, hand-worked: means and gradients are of what lies in the picture', async () => {
    const param = 'pool: AVE kernel_size: 3 stride: 2 pad: 1 count_include_pad: false'
    const net = await netOf([[1, 1, 3, 4]], layer(param), { engine })
    await net.forward({ in0: picture })
    const row = (values: number[]) => numbers(Float32Array.from(values))
    expect(numbers(net.blobs.p.dataArray)).toEqual(row([14 / 4, 22 / 6, 10 / 2, 25 / 4, 27 / 6, 7 / 2]))
    net.blobs.p.diffArray.set([4, 0, 0, 0, 0, 2])
    await net.backward()
    expect(numbers(net.blobs.in0.diffArray)).toEqual([1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1])
    await checkLayer(PoolingLayer, { param: `pooling_param { ${param} }`, bottoms: [[2, 2, 5, 4]], engine })
  })

  test('windows that start in the padding: cut to the plane, and dropped where they start behind it', async () => {
    const net = await netOf([[1, 1, 3, 3]], layer('kernel_size: 2 stride: 2 pad: 1', 'top: "p" top: "m"'), { engine })
    await net.forward({ in0: [-1, -2, -3, -4, -5, -6, -7, -8, -9] })
    // a third window of each axis would start at 3
    expect(net.blobs.p.shape).toEqual([1, 1, 2, 2])
    expect([...net.blobs.p.dataArray]).toEqual([-1, -2, -4, -5])
    expect([...net.blobs.m.dataArray]).toEqual([0, 1, 3, 4])
  })

  test.each([
    ['kernel_size: 3 stride: 2', [6, 8], [3, 4]],
    ['kernel_size: 3 stride: 2 round_mode: FLOOR', [6, 8], [2, 3]],
    ['kernel_size: 3 stride: 2 ceil_mode: false', [6, 8], [2, 3]],
    ['kernel_size: 3 stride: 2 ceil_mode: true', [6, 8], [3, 4]],
    ['kernel_size: 3 stride: 2 ceil_mode: false round_mode: FLOOR', [6, 8], [2, 3]],
    ['kernel_size: 2 stride: 2 pad: 1', [4, 5], [3, 3]],
    ['kernel_h: 3 kernel_w: 2 stride_h: 1 stride_w: 3 pad_h: 1 pad_w: 0', [5, 7], [5, 3]],
    ['kernel_size: 7 stride: 2', [6, 6], [1, 1]],
    ['global_pooling: true', [4, 5], [1, 1]],
  ])('output size: %s', async (param, size, expected) => {
    const net = await netOf([[2, 3, ...size]], layer(param), { engine })
    expect(net.blobs.p.shape).toEqual([2, 3, ...expected])
    await net.forward({ in0: new Float32Array(2 * 3 * size[0] * size[1]) })
    expect([...net.blobs.p.dataArray]).toEqual(new Array(2 * 3 * expected[0] * expected[1]).fill(0))
  })

  test('a window without values: the lowest number, mask −1, no gradient', async () => {
    // stride beyond the kernel, rounded up, no padding: the last window starts behind the edge
    const net = await netOf([[1, 1, 1, 6]], layer('kernel_size: 1 stride: 4', 'top: "p" top: "m"'), { engine })
    await net.forward({ in0: [1, 2, 3, 4, 5, 6] })
    expect(net.blobs.p.shape).toEqual([1, 1, 1, 3])
    expect([...net.blobs.m.dataArray]).toEqual([0, 4, -1])
    expect(net.blobs.p.dataArray[2]).toBe(Math.fround(-3.4028234663852886e38))
    net.blobs.p.diffArray.fill(1)
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([1, 0, 0, 0, 1, 0])
  })

  // far enough apart that no step changes the order
  const distinct = (count: number) =>
    Float32Array.from({ length: count }, (_, i) => ((i * 7919) % count) / 4 - count / 8)

  test.each([
    ['kernel_size: 2 stride: 2', [2, 3, 5, 7]],
    ['kernel_size: 3 stride: 2 pad: 1', [1, 2, 5, 6]],
    ['kernel_h: 1 kernel_w: 3', [1, 1, 3, 5]],
    ['global_pooling: true', [2, 3, 3, 5]],
  ])('checks: MAX %s', { tags: 'long' }, async (param, shape) => {
    const count = shape.reduce((a, b) => a * b, 1)
    const bottoms = [{ shape, values: distinct(count) }]
    await checkLayer(PoolingLayer, { param: `pooling_param { ${param} }`, bottoms, engine, reshapeTo: [[3, 2, 6, 5]] })
  })

  test.each([
    ['kernel_size: 2 stride: 2', [2, 3, 5, 7]],
    ['kernel_size: 3 stride: 2 pad: 1', [1, 2, 5, 6]],
    ['kernel_size: 5 pad: 2', [1, 1, 4, 6]],
    ['global_pooling: true', [2, 3, 3, 5]],
  ])('checks: AVE %s', { tags: 'long' }, async (param, shape) => {
    await checkLayer(PoolingLayer, {
      param: `pooling_param { pool: AVE ${param} }`,
      bottoms: [shape],
      engine,
      reshapeTo: [[3, 2, 6, 5]],
    })
  })

  test('MAX in an optimized net remembers places only where the second top asks for them', async () => {
    const input = inputLayer('in0', '2×3×9×7')
    const second =
      'layer { name: "q" type: "Pooling" bottom: "p" top: "q" top: "places" pooling_param { kernel_size: 2 } }'
    const prototxt = parseNet(`${input} ${layer('kernel_size: 3 stride: 2 pad: 1')} ${second}`)
    const [plain, lean] = await Promise.all(
      [undefined, 'inference' as const].map(optimize => Net.create(prototxt, { engine, threads: 2, optimize })),
    )
    const calls = vi.spyOn(lean.engine.kernels, 'maxPool')
    const given = distinct(378)
    const answer = await lean.forward({ in0: given })
    expect(calls.mock.calls.map(([, , , mask]) => mask !== null)).toEqual([false, true])
    calls.mockRestore()
    expect(answer).toEqual(await plain.forward({ in0: given }))
    lean.dispose()
    plain.dispose()
  })

  test('STOCHASTIC in TRAIN: one value of the window, as often as its share', { tags: 'long' }, async () => {
    const net = await netOf([[1, 2000, 1, 4]], layer('pool: STOCHASTIC kernel_h: 1 kernel_w: 4'), { engine })
    const values = [0, 1, 3, 0.5]
    await net.forward({ in0: Float32Array.from({ length: 8000 }, (_, i) => values[i % 4]) })
    const share = (value: number) => net.blobs.p.dataArray.filter(v => v === value).length / 2000
    expect(share(0)).toBe(0)
    expect(share(1)).toBeCloseTo(1 / 4.5, 1)
    expect(share(3)).toBeCloseTo(3 / 4.5, 1)
    expect(share(0.5)).toBeCloseTo(0.5 / 4.5, 1)
    net.blobs.p.diffArray.fill(1)
    await net.backward()
    net.blobs.p.dataArray.forEach((value, i) => {
      expect(net.blobs.in0.diffArray[i * 4 + values.indexOf(value)]).toBe(1)
    })
    const first = net.blobs.p.dataArray.slice()
    await net.forward()
    expect(net.blobs.p.dataArray).not.toEqual(first)
  })

  test('STOCHASTIC in TEST, hand-worked: the mean weighted by the values', async () => {
    const net = await netOf([[1, 1, 2, 2]], layer('pool: STOCHASTIC kernel_size: 2'), { engine, phase: 'TEST' })
    await net.forward({ in0: [0, 1, 3, 0] })
    expect([...net.blobs.p.dataArray]).toEqual([2.5])
    net.blobs.p.diffArray.fill(4)
    await net.backward()
    // dy·(2x − y)/Σ, and 0 where x is 0
    expect([...net.blobs.in0.diffArray]).toEqual([0, -0.5, 3.5, 0])
    await net.forward({ in0: [0, 0, 0, 0] })
    expect([...net.blobs.p.dataArray]).toEqual([0])
  })

  test('STOCHASTIC checks', async () => {
    const bottoms = [{ shape: [2, 2, 5, 7], filler: { type: 'uniform' as const, min: 0.2, max: 2 } }]
    const options = { param: 'pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 }', bottoms, engine }
    await checkLayer(PoolingLayer, { ...options, phase: 'TEST' })
    // a step can change which value is drawn, so no differences in TRAIN
    await checkLayer(PoolingLayer, { ...options, phase: 'TRAIN', threshold: Number.POSITIVE_INFINITY })
  })
})

test('MAX on the engine itself', async () => {
  for (const engine of hostEngines)
    await checkGradient(PoolingLayer, {
      param: 'pooling_param { kernel_size: 3 stride: 2 }',
      bottoms: [{ shape: [1, 2, 5, 5], values: Float32Array.from({ length: 50 }, (_, i) => (i * 7) % 50) }],
      engine,
      threshold: 1e-2,
    })
})

test('what is refused', async () => {
  const refuses = (param: string, message: RegExp, shape = [1, 1, 5, 5]) =>
    expect(netOf([shape], layer(param))).rejects.toThrow(message)
  await refuses('', /layer 'p' \(Pooling\): it needs a kernel_size/)
  await refuses('kernel_size: 2 pad: 2', /pad 2×2 must be smaller than the kernel size 2×2/)
  await refuses('kernel_size: 2 global_pooling: true', /global_pooling takes the whole picture/)
  await refuses('pad: 1 global_pooling: true', /global_pooling goes with pad: 0 and stride: 1 only/)
  await refuses('kernel_size: 2 kernel_h: 2 kernel_w: 2', /write only one of the two forms/)
  await refuses('kernel_h: 2', /kernel_h and kernel_w go together/)
  await refuses('kernel_size: 2 stride: 0', /stride 0×0 must be at least 1/)
  await refuses('kernel_size: 0', /kernel size 0×0 must be at least 1/)
  await refuses('kernel_size: 6', /kernel size 6×6 is too large for 'in0' \(1×1×5×5\)/)
  await refuses('kernel_size: 3 ceil_mode: false round_mode: CEIL', /ceil_mode: false and round_mode: CEIL contradict/)
  await refuses('kernel_size: 3 ceil_mode: true round_mode: FLOOR', /ceil_mode: true and round_mode: FLOOR contradict/)
  await refuses('kernel_size: 3 pad: 1 pool: STOCHASTIC', /STOCHASTIC takes no padding/)
  await refuses('kernel_size: 2', /must have four axes/, [1, 5, 5])
  await expect(netOf([[1, 1, 5, 5]], layer('kernel_size: 2 pool: AVE', 'top: "p" top: "m"'))).rejects.toThrow(
    /takes at most 1 top/,
  )
})
