import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { ConvolutionShape, DryRun } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { findBlas } from '../../lib/engines/native/blas.js'
import type { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { convolutionTaker } from '../../lib/engines/wasm/bind/convolution.js'
import { createPool, type Pool } from '../../lib/engines/wasm/pool.js'
import { wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { EngineError } from '../../lib/errors.js'
import { Memory } from '../../lib/memory.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { bundled } from '../bundled.js'
import { lenet } from './lenet.js'

const missing = await createEngine('native', { threads: 2 }).then(
  () => '',
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)
const runtime = await wasmRuntime()
const heap: WasmHeap = runtime.heap
const used = () => heap.memory.buffer.byteLength - heap.free
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

/** Bytes that a pool which has done nothing else holds after one pass, beside the blobs. */
function taken({ exports }: Pool, native: boolean, s: ConvolutionShape, pass: Pass): number {
  const x = heap.allocate(s.batch * s.channels * product(s.input))
  const y = heap.allocate(s.batch * s.outputs * product(s.output))
  const w = heap.allocate((s.outputs * s.channels * product(s.kernel)) / s.group)
  convolutionTaker(exports)(s)
  const length = pass === 'prepared' ? exports.preparedLength(native) : 0
  const prepared = heap.allocate(length)
  const before = used()
  const [px, py, pw] = [x.pointer, y.pointer, w.pointer]
  if (pass === 'forward') native ? exports.blasConvolution(px, pw, 0, py) : exports.convolution(px, pw, 0, py)
  else if (pass === 'prepared') {
    if (length) exports.prepareWeights(pw, prepared.pointer, native)
    if (length) exports.preparedConvolution(px, prepared.pointer, 0, py, native)
  } else if (pass === 'weightGradient')
    native ? exports.blasConvolutionWeightGradient(px, py, pw) : exports.convolutionWeightGradient(px, py, pw)
  else if (native) exports.blasConvolutionInputGradient(py, pw, px)
  else if (!exports.upsample(py, pw, px)) exports.convolutionInputGradient(py, pw, px)
  const after = used()
  for (const entry of [x, y, w, prepared]) heap.release(entry)
  return after - before
}

const random = new RandomStream(3, 'workspace')
const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]

/** Multiply-adds of a pass: enough for every way to cut it, and no more. */
const MOST = 4e7

function randomShape(): ConvolutionShape {
  for (;;) {
    const s = anyShape()
    if ((s.batch * s.outputs * product(s.output) * s.channels * product(s.kernel)) / s.group < MOST) return s
  }
}

function anyShape(): ConvolutionShape {
  const group = pick([1, 1, 1, 2, 4, 20])
  const [channels, outputs] = [group * pick([1, 3, 8, 16, 40]), group * pick([1, 3, 8, 20, 64])]
  const k = pick([1, 3, 3, 5, 5, 7])
  const kernel = [k, pick([k, k, k, 3])]
  const stride = pick([
    [1, 1],
    [1, 1],
    [2, 2],
    [1, 2],
  ])
  const pad = kernel.map(size => pick([0, (size - 1) / 2]))
  const dilation = pick([
    [1, 1],
    [1, 1],
    [2, 2],
  ])
  const input = [14 + random.integer(40), 14 + random.integer(40)]
  const output = input.map(
    (size, i) => Math.floor((size + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1,
  )
  return { batch: pick([1, 2, 9]), channels, outputs, group, input, output, kernel, stride, pad, dilation }
}

const passes = ['forward', 'inputGradient', 'weightGradient', 'prepared'] as const
type Pass = (typeof passes)[number]

/** The same pass of a dry run. */
function planned({ kernels, prepared }: DryRun, s: ConvolutionShape, pass: Pass): void {
  const any = new Memory(0)
  if (pass === 'forward') kernels.convolution(s, any, any, null, any)
  else if (pass === 'inputGradient') kernels.convolutionInputGradient(s, any, any, any)
  else if (pass === 'weightGradient') kernels.convolutionWeightGradient(s, any, any, any)
  else if (prepared.length(s)) prepared.convolution(s, any, any, null, any)
}

describe.each([false, true])('the workspace of a convolution, native: %s', native => {
  it.skipIf(native && missing)(
    `is what a dry run says, over 60 shapes and all passes${native && missing ? ` (${missing})` : ''}`,
    async () => {
      const blas = native ? (await findBlas()).binding : undefined
      const { dryRun } = await createEngine(native ? 'native' : 'wasm', { threads: 2 })
      for (let i = 0; i < 60; i++) {
        const shape = randomShape()
        for (const pass of passes) {
          const pool = await createPool(runtime, 1, { blas })
          const found = taken(pool, native, shape, pass)
          const { own, shared, kept = 0 } = dryRun!(dry => planned(dry, shape, pass))
          // what goes to oneDNN is held to its word by the nets below
          if (kept > 0) continue
          const what = `${pass} of ${JSON.stringify(shape)}: own ${own}, shared ${shared}`
          // the heap gives whole cache lines
          expect(found, what).toBeGreaterThanOrEqual(own + shared)
          expect(found, what).toBeLessThan(own + shared + 64)
        }
      }
    },
  )
})

const convolution = (name: string, bottom: string, outputs: number, kernel: number) => `
  layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}"
    convolution_param { num_output: ${outputs} kernel_size: ${kernel} pad: ${(kernel - 1) / 2} weight_filler { type: "xavier" } } }`
const square = (kernel: number) => `
  layer { name: "data" type: "Input" top: "data" top: "label" input_param { shape { dim: 4 dim: 3 dim: 32 dim: 32 } shape { dim: 4 } } }
  ${convolution('a', 'data', 32, kernel)} ${convolution('b', 'a', 64, kernel)} ${convolution('c', 'b', 64, kernel)}
  layer { name: "pool" type: "Pooling" bottom: "c" top: "pool" pooling_param { pool: AVE kernel_size: 4 stride: 4 } }
  layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`
const recurrent = (type: string) => `
  layer { name: "data" type: "Input" top: "data" top: "cont" top: "label"
    input_param { shape { dim: 20 dim: 8 dim: 48 } shape { dim: 20 dim: 8 } shape { dim: 20 dim: 8 } } }
  layer { name: "h" type: "${type}" bottom: "data" bottom: "cont" top: "h"
    recurrent_param { num_output: 120 weight_filler { type: "uniform" min: -0.1 max: 0.1 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "h" top: "ip" inner_product_param { num_output: 10 axis: 2 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" softmax_param { axis: 2 } }`
const nets = {
  LeNet: parseSolver(lenet(16)).net_param!,
  '3 × 3': parseNet(square(3)),
  '5 × 5': parseNet(square(5)),
  LSTM: parseNet(recurrent('LSTM')),
  RNN: parseNet(recurrent('RNN')),
}

const child = await bundled('test/engines/memory_child.ts')

describe.each(Object.keys(nets) as (keyof typeof nets)[])('the memory of a net of kind %s', name => {
  for (const engine of ['wasm', 'native'])
    for (const threads of [1, 2]) {
      const why = engine === 'native' && missing ? ` (${missing})` : ''
      it.skipIf(why)(
        `is what net.memory() says, or somewhat less, on ${engine} with ${threads}${why}`,
        { tags: threads === 1 ? 'ci' : [] },
        async () => {
          // a process of its own: pools keep the workspace of all nets before
          const { stdout, stderr } = spawnSync(process.execPath, [child, engine, String(threads)], {
            input: JSON.stringify(nets[name]),
            encoding: 'utf8',
          })
          expect(stderr).toBe('')
          const { found, plan } = JSON.parse(stdout) as { found: number; plan: { total: number } }
          // a block for each blob's data and diff fills whole cache lines
          expect(found).toBeLessThanOrEqual(plan.total + 64 * 40)
          expect(plan.total).toBeLessThan(1.25 * found)
        },
      )
    }
})
