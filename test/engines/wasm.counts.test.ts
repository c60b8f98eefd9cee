import { afterAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../lib/engine.js'
import type { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { createWasmEngine, poolOf } from '../../lib/engines/wasm.js'
import { Net } from '../../lib/net.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { lenet } from './lenet.js'

/** What one pass asks of the engine. Times cannot be asserted on a busy machine; what is done can. */
interface Counts {
  /** Calls of each kernel. */
  readonly calls: Record<string, number>
  /** Blocks taken from the heap. */
  readonly allocations: number
  /** Jobs offered to the workers, and their chunks. */
  readonly dispatches: number
  readonly chunks: number
}

const engine = await createWasmEngine({ threads: 2 })
const heap = engine.heap as WasmHeap
const { exports } = poolOf(engine)!
const calls: Record<string, number> = {}
let allocations = 0
const restore = spy(engine)
afterAll(restore)

/** Counts calls of every kernel and of the allocator until the returned function is called. */
function spy({ kernels }: Engine): () => void {
  const table = kernels as unknown as Record<string, (...args: never[]) => void>
  const plain = { ...table }
  for (const [name, kernel] of Object.entries(plain))
    table[name] = (...args) => {
      calls[name] = (calls[name] ?? 0) + 1
      kernel(...args)
    }
  const { allocate } = heap
  heap.allocate = length => {
    allocations++
    return allocate.call(heap, length)
  }
  return () => {
    Object.assign(table, plain)
    heap.allocate = allocate
  }
}

async function counted(pass: () => Promise<unknown>): Promise<Counts> {
  // the first passes take workspaces and diffs
  for (let i = 0; i < 3; i++) await pass()
  for (const name of Object.keys(calls)) delete calls[name]
  allocations = 0
  const before = [exports.dispatches(), exports.chunksDispatched()]
  await pass()
  return {
    calls: { ...calls },
    allocations,
    dispatches: exports.dispatches() - before[0],
    chunks: exports.chunksDispatched() - before[1],
  }
}

const total = ({ calls }: Counts) => Object.values(calls).reduce((sum, n) => sum + n, 0)

function randomInputs(net: Net): void {
  const random = new RandomStream(1, 'counts')
  for (const name of net.inputs) {
    const { dataArray } = net.blobs[name]
    for (let i = 0; i < dataArray.length; i++)
      dataArray[i] = name === 'label' ? random.integer(10) : random.uniform() - 0.5
  }
}

const convolution = (name: string, bottom: string, outputs: number, kernel: number, more = '') => `
  layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}"
    convolution_param { num_output: ${outputs} kernel_size: ${kernel} ${more} weight_filler { type: "xavier" } } }
  layer { name: "relu_${name}" type: "ReLU" bottom: "${name}" top: "${name}" }`
const fire = (name: string, bottom: string, squeeze: number, expand: number) => `
  ${convolution(`${name}/squeeze`, bottom, squeeze, 1)}
  ${convolution(`${name}/expand1`, `${name}/squeeze`, expand, 1)} ${convolution(`${name}/expand3`, `${name}/squeeze`, expand, 3, 'pad: 1')}
  layer { name: "${name}" type: "Concat" bottom: "${name}/expand1" bottom: "${name}/expand3" top: "${name}" }`

/** The pieces of SqueezeNet 1.1 in their order, smaller. */
const squeezenet = `
  layer { name: "data" type: "Input" top: "data" top: "label"
    input_param { shape { dim: 1 dim: 3 dim: 115 dim: 115 } shape { dim: 1 } } }
  ${convolution('conv1', 'data', 64, 3, 'stride: 2')}
  layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { kernel_size: 3 stride: 2 } }
  ${fire('fire2', 'pool1', 16, 64)} ${fire('fire3', 'fire2', 16, 64)}
  layer { name: "drop" type: "Dropout" bottom: "fire3" top: "fire3" }
  ${convolution('conv10', 'fire3', 100, 1)}
  layer { name: "pool10" type: "Pooling" bottom: "conv10" top: "pool10" pooling_param { pool: AVE global_pooling: true } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "pool10" bottom: "label" top: "loss" }`

describe('what a pass asks of the wasm engine', () => {
  it('a training step of LeNet allocates nothing, copies nothing, and shares every large kernel', async () => {
    const solver = await createSolver(parseSolver(lenet(64)), { engine: 'wasm', threads: 2, seed: 1 })
    expect(solver.net.engine.kernels).toBe(engine.kernels)
    randomInputs(solver.net)
    const counts = await counted(() => solver.step(1))
    expect(counts.calls).toEqual({
      fill: 8,
      convolution: 2,
      convolutionInputGradient: 1,
      convolutionWeightGradient: 2,
      biasGradient: 4,
      maxPool: 2,
      maxPoolGradient: 2,
      gemm: 6,
      addBias: 2,
      reluGradient: 1,
      softmax: 1,
      softmaxLoss: 1,
      softmaxLossGradient: 1,
      sgdUpdate: 8,
    })
    expect(counts.allocations).toBe(0)
    // a job more for a kernel in several steps, none for a light one
    expect(counts.dispatches).toBeGreaterThanOrEqual(20)
    expect(counts.dispatches).toBeLessThanOrEqual(45)
    expect(counts.chunks / counts.dispatches).toBeGreaterThanOrEqual(4)
    solver.dispose()
  })

  it('a batch of one through SqueezeNet, forward and backward, shares its convolutions though there is one image', async () => {
    const net = await Net.create(parseNet(squeezenet), { phase: 'TRAIN', engine: 'wasm', threads: 2, seed: 1 })
    randomInputs(net)
    const forward = await counted(() => net.forward())
    expect(forward.calls).toEqual({
      convolution: 8,
      maxPool: 1,
      averagePool: 1,
      copyRows: 4,
      dropoutMask: 1,
      multiply: 1,
      softmax: 1,
      softmaxLoss: 1,
    })
    expect(forward.allocations).toBe(0)
    expect(forward.dispatches).toBeGreaterThanOrEqual(8)
    expect(forward.dispatches).toBeLessThanOrEqual(26)
    const both = await counted(async () => {
      await net.forward()
      await net.backward()
    })
    expect(both.allocations).toBe(0)
    expect(both.calls).toMatchObject({
      convolutionInputGradient: 7,
      convolutionWeightGradient: 8,
      copyRows: 8,
      reluGradient: 8,
    })
    expect(both.calls.copy ?? 0).toBe(0)
    expect(total(both)).toBeLessThanOrEqual(70)
    expect(both.dispatches).toBeLessThanOrEqual(80)
    expect(both.chunks / both.dispatches).toBeGreaterThanOrEqual(4)
    net.dispose()
  })

  it('inference of one image asks for nothing that training alone needs', async () => {
    const net = await Net.create(parseNet(squeezenet.replace('dim: 115 dim: 115', 'dim: 35 dim: 35')), {
      engine: 'wasm',
      threads: 2,
      seed: 1,
    })
    randomInputs(net)
    const counts = await counted(() => net.forward())
    expect(counts.allocations).toBe(0)
    expect(counts.calls.dropoutMask ?? 0).toBe(0)
    expect(total(counts)).toBeLessThanOrEqual(26)
    net.dispose()
  })
})
