import { describe, expect, test } from 'vitest'
import type { HostEngine } from '../../lib/engine.js'
import { withBounds } from '../../lib/engines/bounds.js'
import { createNativeEngine } from '../../lib/engines/native.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { bounds, wasmKernels } from '../../lib/engines/wasm/bind/index.js'
import { instantiate, noLibrary } from '../../lib/engines/wasm/exports.js'
import { createPool } from '../../lib/engines/wasm/pool.js'
import { wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { EngineError, Net, NetError, parseNet } from '../../lib/index.js'
import { type Block, Memory } from '../../lib/memory.js'
import { hostEngines } from '../engines.js'
import { inputLayer } from '../shapes.js'
import { fuzzWindows } from './windows.js'

const native = await createNativeEngine({ threads: 2 }).catch(error => {
  if (!(error instanceof EngineError)) throw error
  return undefined
})
const engines: HostEngine[] = [
  await createWasmEngine({ threads: 1 }),
  await createWasmEngine({ threads: 2 }),
  ...(native ? [native] : []),
]

test.each(engines.map(engine => [engine.name, engine.detail, engine] as const))(
  'windows of extreme sizes are computed as plain loops do or refused, on %s (%s)',
  (_name, _detail, engine) => {
    const report = fuzzWindows(engine, 1, 0, 1500)
    expect(report.failures).toEqual([])
    expect(report.computed).toBeGreaterThan(700)
    expect(report.refused).toBeGreaterThan(200)
  },
)

test('without the bounds the fuzz finds what they are for', async () => {
  // it writes far beside its own: in a memory where nobody else computes, or whoever follows in this process computes wrong
  const runtime = await wasmRuntime()
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 1024, shared: true })
  const heap = new WasmHeap(memory, 2 ** 26)
  const kernels = wasmKernels((await createPool({ ...runtime, heap }, 1)).exports)
  const bounded = withBounds({ ...jsKernels, ...kernels }, bounds)
  const engine = { ...engines[0], heap, kernels: { ...bounded, copyRows: kernels.copyRows } }
  const shared = () => new Uint8Array(runtime.heap.memory.buffer, 0, 2 ** 20).slice()
  const before = shared()
  const { failures } = fuzzWindows(engine, 1, 0, 1500)
  expect(failures.filter(failure => / copyRows /.test(failure)).length).toBeGreaterThan(0)
  expect(Buffer.compare(shared(), before)).toBe(0)
})

describe('a net whose windows no kernel can count is refused when it is made', () => {
  const input = inputLayer('x', '1×2×8×8')
  const layer = (type: string, param: string) =>
    `${input} layer { name: "l" type: "${type}" bottom: "x" top: "y" ${param} }`
  const convolution = (sizes: string) => `convolution_param { num_output: 2 ${sizes} }`
  const refused: [string, string, RegExp][] = [
    [
      'Convolution',
      convolution('kernel_size: 3 dilation: 65536 pad: 65536'),
      /a padded image of 2×131080×131080.* kernels keep 536870912 at most/,
    ],
    [
      'Convolution',
      convolution('kernel_h: 1 kernel_w: 2 pad_h: 0 pad_w: 2147483648 stride_h: 1 stride_w: 4294967295'),
      /pad 2147483648 along spatial axis 1 must be whole numbers from 0 to 2147483647/,
    ],
    ['Convolution', convolution('kernel_size: 3 pad: 14000 stride: 20000'), /a padded image of 2×28008×28008/],
    [
      'Deconvolution',
      convolution('kernel_size: 2 dilation: 1073741816 pad: 536870908'),
      /kernels count 1073741824 at most|kernels keep 536870912 at most/,
    ],
    [
      'Im2col',
      'convolution_param { kernel_size: 3 pad: 1000000000 stride: 1000000000 }',
      /8 values with a pad of 1000000000/,
    ],
    [
      'Pooling',
      'pooling_param { kernel_size: 400000000 pad: 399999999 stride: 390000000 }',
      /under \d windows of 400000000, 390000000 apart, are \d+, kernels/,
    ],
    [
      'Pooling',
      'pooling_param { kernel_size: 4294967295 pad: 4294967294 stride: 4294967295 }',
      /pad 4294967294 must be whole/,
    ],
    ['LRN', 'lrn_param { local_size: 4294967295 norm_region: WITHIN_CHANNEL }', /local_size: 4294967295 is too large/],
  ]
  for (const engine of hostEngines)
    test.each(refused)(`%s %s on ${engine}`, async (type, param, message) => {
      const error = await Net.create(parseNet(layer(type, param)), { engine, phase: 'TRAIN' }).catch(error => error)
      expect(error).toBeInstanceOf(NetError)
      expect(error.message).toMatch(message)
      expect(error.message).toMatch(/^layer 'l' \(/)
    })

  test.each([...hostEngines, ...(native ? ['native'] : [])])(
    'steps out of the picture count as none, on %s',
    async engine => {
      const pooling = (pool: string) =>
        parseNet(
          `force_backward: true ${layer('Pooling', `pooling_param { pool: ${pool} kernel_size: 5 stride: 268435456 pad: 4 }`)}`,
        )
      for (const [pool, value] of [
        ['MAX', 7],
        ['AVE', 7 / 25],
      ] as const) {
        const net = await Net.create(pooling(pool), { engine, phase: 'TRAIN' })
        net.blobs.x.dataArray.fill(1)
        net.blobs.x.dataArray[0] = 7
        const { y } = await net.forward()
        expect(y.shape).toEqual([1, 2, 1, 1])
        expect(y.data[0]).toBeCloseTo(value, 6)
        net.dispose()
      }
    },
  )
})

describe('a kernel that is called with what it cannot count throws', () => {
  const memories = (engine: HostEngine, ...lengths: number[]) => lengths.map(length => new Memory(length, engine.heap))
  for (const engine of engines) {
    test(`sizes that are none, and memories that are too short, on ${engine.name} (${engine.detail})`, () => {
      const [x, y] = memories(engine, 8, 8)
      expect(() => engine.kernels.relu(9, 0, x, y)).toThrow(
        /kernel relu: its sizes ask for 9 values of a memory that holds 8/,
      )
      for (const n of [-1, 2.5, Number.NaN, 2 ** 31, 2 ** 32 + 1])
        expect(() => engine.kernels.relu(n, 0, x, y)).toThrow(EngineError)
      expect(() => engine.kernels.gatherRows(2, 4, 1, x, y, memories(engine, 7)[0])).toThrow(/kernel gatherRows/)
      expect(() => engine.kernels.copyRows(2, 4, x, 1, 4, y, 0, 4)).toThrow(/kernel copyRows/)
    })
    test(`the ${65536} largest of as many values, on ${engine.name} (${engine.detail})`, () => {
      // size times topK is 2^32
      const [x, y] = memories(engine, 65536, 65536)
      expect(() =>
        engine.kernels.argMax({ outer: 1, size: 65536, inner: 1, topK: 65537, output: 'index' }, x, y),
      ).toThrow(EngineError)
    })
  }
})

describe('workspace', () => {
  const kept: Block[] = []
  /** An instance whose host gives out no more than a MiB. */
  async function instance(threads: number) {
    const { module, heap } = await wasmRuntime()
    const [control, block] = [heap.allocate(256), heap.allocate(2 ** 18)]
    const asked: number[] = []
    const wasm = instantiate(module, heap.memory, {
      ...noLibrary,
      workerDied() {},
      wake() {},
      reserve(_slot, bytes) {
        asked.push(bytes >>> 0)
        if (bytes >>> 0 > 2 ** 20) throw new EngineError('no memory')
        return block.pointer
      },
    })
    wasm.start(control.pointer, threads, true)
    const values = heap.allocate(64)
    const pool = (columns: number, kernel: number) => {
      wasm.poolingShape(1, 1, columns, 1, 1, 1, kernel, 1, 1, 0, 0)
      wasm.maxPool(values.pointer, values.pointer, 0)
    }
    // a block whose array is forgotten is given to somebody else
    kept.push(control, block, values)
    return { asked, pool }
  }

  test('a block that was given back for a larger one, of which there is none, is not used again', async () => {
    const { asked, pool } = await instance(1)
    pool(3, 3)
    pool(3, 3)
    expect(asked).toHaveLength(1)
    expect(() => pool(3, 2 ** 20)).toThrow(EngineError)
    pool(3, 3)
    expect(asked).toHaveLength(3)
    expect(asked[2]).toBe(asked[0])
  })

  test('what all threads need together is more than there is, not what is left of it beyond 4 GiB', async () => {
    const { asked, pool } = await instance(64)
    expect(() => pool(3, 2 ** 24)).toThrow(EngineError)
    expect(asked).toEqual([0xffffffc0])
  })
})
