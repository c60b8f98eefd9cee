/**
 * Weights that an optimized net keeps in the form of Winograd's products: right whatever happens to the params, and
 * given back.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { After, ConvolutionShape, Engine } from '../../../lib/engine.js'
import { createEngine } from '../../../lib/engines/index.js'
import { jsKernels } from '../../../lib/engines/plain_loops.js'
import type { WasmHeap } from '../../../lib/engines/wasm/allocator.js'
import { createSolver, Memory, Net, type NetOptions, parseNet, parseSolver, RandomStream } from '../../../lib/index.js'

function random(n: number, name: string): Float32Array {
  const stream = new RandomStream(11, name)
  return Float32Array.from({ length: n }, () => 2 * stream.uniform() - 1)
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/** Fails where values differ by more than `part` of the largest one. */
function expectNear(got: Float32Array, wanted: Float32Array, part: number, what = ''): void {
  expect(got).toHaveLength(wanted.length)
  const size = largest(wanted)
  let worst = 0
  for (let i = 0; i < wanted.length; i++)
    worst = Math.max(worst, Number.isFinite(got[i]) ? Math.abs(got[i] - wanted[i]) : Infinity)
  expect(worst / size, what).toBeLessThan(part)
}

/** [batch, channels, outputs, group, kernel, pad, height, width] */
export type Sizes = readonly number[]

/** Small ones, which only the WebAssembly engine prepares: a fast sgemm needs more of everything. */
export const small: readonly Sizes[] = [
  [1, 40, 33, 1, 3, 0, 15, 13],
  [2, 64, 50, 2, 3, 2, 9, 11],
  [1, 160, 35, 1, 3, 1, 8, 7],
  [3, 20, 50, 1, 5, 0, 12, 12],
  [1, 32, 64, 1, 5, 2, 8, 8],
]
/** The same, of many values or weights. */
export const flat: readonly Sizes[] = [
  [1, 16, 64, 1, 3, 1, 56, 56],
  [1, 48, 192, 1, 3, 1, 14, 14],
  [1, 256, 40, 1, 3, 1, 7, 7],
  [16, 96, 96, 3, 5, 1, 7, 10],
]
/** Those that the native engine prepares as well. */
export const large: readonly Sizes[] = [
  [1, 96, 256, 2, 5, 2, 17, 16],
  [9, 130, 35, 1, 3, 1, 13, 13],
  [1, 512, 24, 1, 3, 1, 29, 17],
]

function shapeOf([batch, channels, outputs, group, k, pad, height, width]: readonly number[]): ConvolutionShape {
  const [input, kernel] = [
    [height, width],
    [k, k],
  ]
  const output = input.map(size => size + 2 * pad - k + 1)
  return { batch, channels, outputs, group, input, output, kernel, stride: [1, 1], pad: [pad, pad], dilation: [1, 1] }
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** The kernels against the plain loops; `none` are shapes that the engine has no prepared form for. */
export function checkConvolutions(
  name: 'wasm' | 'native',
  shapes: readonly Sizes[],
  none: readonly Sizes[] = [],
): void {
  describe(`prepared convolutions of the ${name} engine`, { tags: name === 'native' ? 'ci' : [] }, () => {
    let three: Engine[]
    beforeAll(async () => {
      three = await Promise.all([1, 2, 3].map(threads => createEngine(name, { threads })))
    })

    test.each(shapes.map(sizes => [sizes.join(' '), sizes] as const))(
      '%s: the plain sum within 1e-5, same bits on 1, 2, 3 threads',
      (_, sizes) => {
        const s = shapeOf(sizes)
        const [x, w, bias] = [
          random(s.batch * s.channels * product(s.input), 'x'),
          random((s.outputs * s.channels * product(s.kernel)) / s.group, 'w'),
          random(s.outputs, 'bias'),
        ]
        const length = three[0].prepared!.length(s)
        expect(length).toBeGreaterThanOrEqual((s.outputs * s.channels * 36) / s.group)
        const run = (engine: Engine, after: After | undefined, withBias: boolean, plain = false): Float32Array => {
          const give = (values: Float32Array | number) => {
            const memory = new Memory(typeof values === 'number' ? values : values.length, engine.heap)
            if (typeof values !== 'number') memory.array.set(values)
            return memory
          }
          const [mx, mw, mb, y] = [
            give(x),
            give(w),
            withBias ? give(bias) : null,
            give(s.batch * s.outputs * product(s.output)),
          ]
          const prepared = give(plain ? 0 : length)
          if (plain) jsKernels.convolution(s, mx, mw, mb, y, after)
          else {
            engine.prepared!.prepare(s, mw, prepared)
            y.array.fill(Number.NaN)
            engine.prepared!.convolution(s, mx, prepared, mb, y, after)
          }
          const result = y.array.slice()
          for (const memory of [mx, mw, mb, y, prepared]) memory?.dispose()
          return result
        }
        for (const [after, withBias] of [
          [undefined, true],
          [{ relu: 0.1 }, false],
          [{ clip: [-1, 1e6] }, true],
        ] as const) {
          const wanted = run(three[0], after, withBias, true)
          const got = three.map(engine => run(engine, after, withBias))
          expectNear(got[0], wanted, 1e-5)
          for (const other of got.slice(1))
            expect(Buffer.compare(Buffer.from(other.buffer), Buffer.from(got[0].buffer))).toBe(0)
        }
      },
    )

    test.each(none.map(sizes => [sizes.join(' '), sizes] as const))('%s: none', (_, sizes) => {
      expect(three[0].prepared!.length(shapeOf(sizes))).toBe(0)
    })

    test('there is none where tiles do not pay: other kernels, strides and axes, one channel', () => {
      const s = shapeOf([1, 64, 64, 1, 3, 1, 28, 28])
      const { prepared } = three[0]
      expect(prepared!.length(s)).toBeGreaterThan(0)
      expect(prepared!.length({ ...s, stride: [2, 2], output: [14, 14] })).toBe(0)
      expect(prepared!.length({ ...s, kernel: [1, 1], pad: [0, 0] })).toBe(0)
      expect(prepared!.length({ ...s, group: 64 })).toBe(0)
      expect(prepared!.length({ ...s, batch: 0 })).toBe(0)
      const one = { input: [28], output: [28], kernel: [3], stride: [1], pad: [1], dilation: [1] }
      expect(prepared!.length({ ...s, ...one })).toBe(0)
    })
  })
}

const conv = (name: string, bottom: string, outputs: number, more = '', top = name) => `
  layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${top}" ${more} convolution_param {
    num_output: ${outputs} kernel_size: 3 pad: 1 weight_filler { type: "xavier" } bias_filler { type: "uniform" min: -0.1 max: 0.1 } } }
  layer { name: "${name}_relu" type: "ReLU" bottom: "${top}" top: "${top}" }`
const input = (name: string, channels: number) =>
  `layer { name: "${name}" type: "Input" top: "${name}" input_param { shape { dim: 1 dim: ${channels} dim: 28 dim: 28 } } }`
const chain = `${input('x', 32)} ${conv('a', 'x', 64)} ${conv('b', 'a', 48)}`
const end = (bottom: string) =>
  `layer { name: "fc" type: "InnerProduct" bottom: "${bottom}" top: "fc" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }`

const make = (text: string, engine: string, options: NetOptions = {}) =>
  Net.create(parseNet(text), { engine: engine as NetOptions['engine'], threads: 2, phase: 'TEST', seed: 3, ...options })
const lean = (text: string, engine: string, options: NetOptions = {}) =>
  make(text, engine, { optimize: 'inference', ...options })

/** Nets whose weights are prepared, against plain ones. */
export function checkNets(engine: 'wasm' | 'native'): void {
  describe(`an optimized net on ${engine}`, { tags: engine === 'native' ? 'ci' : [] }, () => {
    const nets: Net[] = []
    afterAll(() => {
      for (const net of nets) net.dispose()
    })
    async function pair(text: string): Promise<[Net, Net]> {
      const plain = await make(text, engine)
      const optimized = await lean(text, engine)
      nets.push(plain, optimized)
      await optimized.copyFrom(plain)
      return [plain, optimized]
    }
    const x = random(32 * 28 * 28, 'image')

    test('gives what the plain one gives, at every image size and batch, and follows new weights', async () => {
      const [plain, optimized] = await pair(chain)
      for (const shape of [
        [1, 32, 14, 14],
        [3, 32, 14, 14],
        [1, 32, 37, 22],
        [1, 32, 2, 1],
        [1, 32, 56, 56],
        [1, 32, 28, 28],
      ]) {
        for (const net of [plain, optimized]) net.blobs.x.reshape(shape)
        const values = random(product(shape), shape.join())
        const [wanted, got] = [await plain.forward({ x: values }), await optimized.forward({ x: values })]
        expectNear(got.b.data, wanted.b.data, 1e-5, shape.join())
      }
      const other = await make(chain, engine, { seed: 4 })
      nets.push(other)
      await optimized.copyFrom(other)
      expectNear((await optimized.forward({ x })).b.data, (await other.forward({ x })).b.data, 1e-5)
    })

    test('uses what is written into params, by whatever way, then and later', async () => {
      const [plain, optimized] = await pair(chain)
      const same = async () =>
        expect((await optimized.forward({ x })).b.data).toEqual((await plain.forward({ x })).b.data)
      const before = (await optimized.forward({ x })).b.data
      // b's weights are still prepared, those of a are now as in the plain net: all but equal
      for (const net of [plain, optimized]) net.params.a[0].dataArray[7] += 0.5
      const after = (await optimized.forward({ x })).b.data
      expectNear(after, (await plain.forward({ x })).b.data, 1e-5)
      expect(largest(after.map((value, i) => value - before[i]))).toBeGreaterThan(1e-3)
      for (const net of [plain, optimized]) net.params.b[0].data.set(3, 2, 1, 1, 4)
      await same()
      const arrays = [plain, optimized].map(net => net.params.b[0].dataArray)
      await same()
      for (const [step, value] of [0.25, -2].entries()) {
        for (const array of arrays) array[100 + step] = value
        await same()
      }
      for (const net of [plain, optimized]) net.params.a[0].memory.data.array.fill(0.01)
      await same()
      // the bias is never a copy
      for (const net of [plain, optimized]) net.params.a[1].dataArray[3] = 5
      await same()
    })

    test('an array that was taken before the weights were loaded counts as well', async () => {
      const [plain, optimized] = await pair(chain)
      const array = optimized.params.b[0].dataArray
      await optimized.copyFrom(plain)
      await optimized.forward({ x })
      array[0] = 3
      plain.params.b[0].dataArray[0] = 3
      expectNear((await optimized.forward({ x })).b.data, (await plain.forward({ x })).b.data, 1e-5)
    })

    test('weights are prepared once; saving and statistics only look', async () => {
      const [plain, optimized] = await pair(chain)
      const prepared = optimized.engine.prepared!
      // layer by layer: rows of oneDNN's primitives have weights of their own
      optimized.afterForward(() => {})
      optimized.blobs.x.dataArray.set(x)
      const spies = [vi.spyOn(prepared, 'prepare'), vi.spyOn(prepared, 'convolution')]
      const calls = async () => {
        for (const spy of spies) spy.mockClear()
        await optimized.forward()
        return spies.map(spy => spy.mock.calls.length)
      }
      expect(await calls()).toEqual([2, 2])
      expect(await calls()).toEqual([0, 2])
      expect(await optimized.toBytes()).toEqual(await plain.toBytes())
      await optimized.statistics(optimized.params.a[0])
      await plain.copyFrom(optimized)
      expect(await calls()).toEqual([0, 2])
      // other images, same form
      optimized.blobs.x.reshape([2, 32, 28, 14])
      expect(await calls()).toEqual([0, 2])
      await optimized.copyFrom(plain)
      expect(await calls()).toEqual([2, 2])
      // looking at the array is not told from writing to it
      expect(optimized.params.a[0].dataArray.length).toBe(32 * 64 * 9)
      expect(await calls()).toEqual([0, 1])
      for (const spy of spies) spy.mockRestore()
    })

    test('layers that share their weights', async () => {
      const param = 'param { name: "w" } param { name: "b" }'
      const siamese = `${input('x', 32)} ${input('x2', 32)} ${conv('a', 'x', 32, param)} ${conv('a2', 'x2', 32, param)}
      layer { name: "pool" type: "Pooling" bottom: "a" top: "pool" pooling_param { pool: MAX kernel_size: 26 } }
      ${conv('c', 'pool', 32, param)} ${end('c')}`
      const [plain, optimized] = await pair(siamese)
      const x2 = random(32 * 28 * 28, 'second')
      const check = async () => {
        const [wanted, got] = [await plain.forward({ x, x2 }), await optimized.forward({ x, x2 })]
        for (const top of ['a2', 'fc']) expectNear(got[top].data, wanted[top].data, 1e-5, top)
      }
      await check()
      for (const net of [plain, optimized]) net.params.a2[0].dataArray.fill(0.125, 40, 90)
      await check()
    })

    test('weights that a solver changes', async () => {
      const trained = `${chain} ${end('b')}
      layer { name: "t" type: "Input" top: "t" input_param { shape { dim: 1 dim: 5 } } include { phase: TRAIN } }
      layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "t" top: "loss" include { phase: TRAIN } }`
      const solver = await createSolver(
        parseSolver(`base_lr: 0.001 lr_policy: "fixed" max_iter: 10 net_param { ${trained} }`),
        {
          engine: engine as NetOptions['engine'],
          threads: 2,
          seed: 1,
        },
      )
      const [plain, optimized] = [
        await make(`${chain} ${end('b')}`, engine),
        await lean(`${chain} ${end('b')}`, engine),
      ]
      nets.push(plain, optimized, solver.net)
      for (const net of [plain, optimized]) net.shareWith(solver.net)
      solver.net.feed('x', [x])
      solver.net.feed('t', [new Float32Array(5).fill(1)])
      let last: Float32Array | undefined
      for (let i = 0; i < 3; i++) {
        const got = (await optimized.forward({ x })).fc.data
        expectNear(got, (await plain.forward({ x })).fc.data, 1e-5)
        if (last) expect(largest(got.map((value, k) => value - last![k]))).toBeGreaterThan(1e-5)
        last = got
        await solver.step(1)
      }
    })

    test('folded statistics, factors and weights follow what is written', async () => {
      const norm = `layer { name: "bn" type: "BatchNorm" bottom: "a" top: "a" }
      layer { name: "scale" type: "Scale" bottom: "a" top: "s" scale_param { bias_term: true } }`
      const text = `${input('x', 32)}
      layer { name: "a" type: "Convolution" bottom: "x" top: "a" convolution_param { num_output: 32 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
      ${norm} ${conv('b', 's', 24)}`
      const source = await make(text, engine)
      nets.push(source)
      source.params.bn[0].dataArray.set(random(32, 'means'))
      source.params.bn[1].dataArray.fill(0.7)
      source.params.bn[2].dataArray[0] = 0.9
      source.params.scale[1].dataArray.set(random(32, 'shifts'))
      for (const layer of ['bn', 'scale', 'a', 'b']) {
        const [plain, optimized] = await pair(text)
        for (const net of [plain, optimized]) await net.copyFrom(source)
        const check = async (what: string) =>
          expectNear(
            (await optimized.forward({ x })).b.data,
            (await plain.forward({ x })).b.data,
            1e-5,
            `${layer}: ${what}`,
          )
        const ran: string[] = []
        await check('as loaded')
        const arrays = [plain, optimized].map(net => net.params[layer][0].dataArray)
        for (const [k, value] of [2, 3].entries()) {
          for (const array of arrays) array.fill(value, 4, 9)
          await check(`write ${k}`)
        }
        optimized.afterForward(name => void ran.push(name))
        await optimized.forward({ x })
        expect(ran.includes('scale')).toBe(layer !== 'b')
        // another shape, and other weights by the front door
        for (const net of [plain, optimized]) net.blobs.x.reshape([2, 32, 9, 9])
        const values = random(2 * 32 * 81, 'smaller')
        expectNear(
          (await optimized.forward({ x: values })).b.data,
          (await plain.forward({ x: values })).b.data,
          1e-5,
          layer,
        )
      }
    })

    test('a net that may not take so much keeps less', async () => {
      const more = Array.from({ length: 8 }, (_, i) => conv(`c${i}`, i ? `c${i - 1}` : 'b', 48))
      const long = `${chain} ${more.join(' ')}`
      const [plain, optimized] = await pair(long)
      const params = Object.values(optimized.params).flat()
      const keep = Object.keys(optimized.params)
      const values = 4 * params.reduce((sum, { count }) => sum + count, 0) + plain.memory().activations
      const spy = vi.spyOn(optimized.engine.prepared!, 'convolution')
      // room for a, b and so many more; what kernels work with is less
      for (const kept of [4, 6, 8]) {
        const maxMemory = values + 1.05 * 4 * 36 * (32 * 64 + 64 * 48 + kept * 48 * 48)
        const limited = await lean(long, engine, { maxMemory, keep })
        nets.push(limited)
        await limited.copyFrom(plain)
        spy.mockClear()
        expectNear((await limited.forward({ x })).c7.data, (await plain.forward({ x })).c7.data, 1e-5)
        expect(spy).toHaveBeenCalledTimes(2 + kept)
      }
      spy.mockRestore()
    })

    test('counts what it keeps, takes no more, and gives it back', async () => {
      const { heap } = await createEngine(engine, { threads: 2 })
      const used = () => (heap as WasmHeap).memory.buffer.byteLength - (heap as WasmHeap).free
      const once = async () => {
        const before = used()
        const net = await lean(chain, engine)
        const plan = net.memory()
        const made = used()
        await net.forward({ x })
        const grown = used() - made
        expect(net.memory()).toEqual(plan)
        net.dispose()
        return { left: used() - before, grown, plan }
      }
      await once()
      const start = used()
      let last = await once()
      for (let i = 0; i < 10; i++) last = await once()
      // what earlier tests forgot may come back meanwhile
      expect(used() - start).toBeLessThanOrEqual(0)
      // the first pass takes what is kept: 36 values for each filter
      const filters = 32 * 64 + 64 * 48
      expect(last.grown).toBeGreaterThanOrEqual(4 * 36 * filters)
      expect(last.plan.scratch).toBeGreaterThanOrEqual(4 * 36 * filters)
    })

    test('the convolutions of LeNet and cifar10_quick: 5 × 5 tiles stay within 1e-5 of the largest value', async () => {
      for (const [channels, outputs, pad, size, batch] of [
        [20, 50, 0, 12, 16],
        [32, 32, 2, 16, 1],
        [32, 64, 2, 8, 1],
      ]) {
        const text = `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: ${batch} dim: ${channels} dim: ${size} dim: ${size} } } }
      layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: ${outputs} kernel_size: 5 pad: ${pad} weight_filler { type: "xavier" } } }`
        const [reference, optimized] = [await make(text, 'js'), await lean(text, engine)]
        if (engine === 'wasm') expect(optimized.memory().scratch).toBeGreaterThan(4 * 36 * channels * outputs)
        await optimized.copyFrom(reference)
        const x = random(batch * channels * size * size, 'picture')
        expectNear((await optimized.forward({ x })).c.data, (await reference.forward({ x })).c.data, 1e-5)
        for (const net of [reference, optimized]) net.dispose()
      }
    })
  })
}
