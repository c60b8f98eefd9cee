/**
 * What the benchmark runs inside the page: training steps of LeNet here and in two other libraries, and single kernels.
 */
import type { Kernels } from '../../lib/engine.js'
import { createGpuEngine, type GpuMode } from '../../lib/engines/gpu.js'
import { parseSolver, SGDSolver } from '../../lib/index.js'
import { Memory } from '../../lib/memory.js'
import { lenet } from '../../test/engines/lenet.js'
import { caffenet, type NetName, nets, type Result, time } from './nets.js'
import { jax, tfjs } from './peers.js'

async function ristretto(net: NetName, engine: string, batch: number, steps: number): Promise<Result> {
  const solver = await SGDSolver.create(parseSolver(net === 'LeNet' ? lenet(batch) : caffenet(batch)), {
    engine,
    seed: 1,
  })
  const { images, labels } = nets[net].batch(batch)
  const { data, label } = solver.net.blobs
  const result = await time(`${solver.net.engine.name}: ${solver.net.engine.detail}`, steps, async () => {
    for (const [blob, values] of [[data, images] as const, [label, labels] as const]) {
      blob.memory.data.claim()
      blob.dataArray.set(values)
    }
    await solver.step(1)
    return solver.loss()
  })
  solver.dispose()
  return result
}

/** Median of `repeats` calls of each heavy kernel of LeNet with this batch, ms. */
async function kernels(mode: GpuMode, batch: number, repeats: number): Promise<Record<string, number>> {
  const engine = await createGpuEngine(mode)
  const make = (n: number) => {
    const memory = new Memory(n, engine.heap)
    memory.array.fill(0.5)
    return memory
  }
  const shape = {
    ...{ batch, channels: 20, outputs: 50, group: 1, input: [12, 12], output: [8, 8], kernel: [5, 5] },
    ...{ stride: [1, 1], pad: [0, 0], dilation: [1, 1] },
  }
  const conv1 = { ...shape, channels: 1, outputs: 20, input: [28, 28], output: [24, 24] }
  const [digits, w1, b1] = [batch * 784, 500, 20].map(make)
  const [x, w, b, y, fc, out, weight] = [batch * 2880, 25000, 50, batch * 3200, batch * 800, batch * 500, 400000].map(
    make,
  )
  const pool = {
    planes: batch * 20,
    input: [24, 24],
    output: [12, 12],
    kernel: [2, 2],
    stride: [2, 2],
    pad: [0, 0],
  } as const
  const [big, small, mask] = [batch * 20 * 576, batch * 2880, batch * 2880].map(make)
  const calls: Record<string, (k: Kernels) => void> = {
    'convolution, conv2': k => k.convolution(shape, x, w, b, y),
    'convolutionInputGradient, conv2': k => k.convolutionInputGradient(shape, y, w, x),
    'convolutionWeightGradient, conv2': k => k.convolutionWeightGradient(shape, x, y, w),
    'convolution, conv1': k => k.convolution(conv1, digits, w1, b1, big),
    'convolutionWeightGradient, conv1': k => k.convolutionWeightGradient(conv1, digits, big, w1),
    'biasGradient, conv1': k => k.biasGradient(batch, 20, 576, big, b1),
    'gemm, ip1 forward': k => k.gemm(false, true, batch, 500, 800, 1, fc, weight, 0, out),
    'gemm, ip1 input gradient': k => k.gemm(false, false, batch, 800, 500, 1, out, weight, 0, fc),
    'gemm, ip1 weight gradient': k => k.gemm(true, false, 500, 800, batch, 1, out, fc, 0, weight),
    'maxPool, pool1': k => k.maxPool(pool, big, small, mask),
    'maxPoolGradient, pool1': k => k.maxPoolGradient(pool, small, mask, big),
    'relu, ip1': k => k.relu(batch * 500, 0, out, out),
    'sgdUpdate, ip1': k =>
      k.sgdUpdate(400000, { rate: 0, scale: 1, decay: 0, regularization: 'L2' }, 0.9, weight, weight, weight),
  }
  const one = make(1)
  /** A GL queue is empty when something has been read back. */
  const settle = async () => {
    engine.gpu.kernels.axpby(1, 2, one, 0, one)
    await one.pull()
  }
  const result: Record<string, number> = {}
  for (const [name, call] of Object.entries(calls)) {
    call(engine.gpu.kernels)
    await settle()
    const times: number[] = []
    for (let i = 0; i < repeats; i++) {
      const start = performance.now()
      call(engine.gpu.kernels)
      await settle()
      times.push(performance.now() - start)
    }
    result[name] = times.sort((a, b) => a - b)[repeats >> 1]
  }
  return result
}

Object.assign(globalThis, { bench: { ristretto, tfjs, jax, kernels } })
