/** What the browser tests run inside the page: bundled, served, and called through `window.tests`. */
import type { Kernels } from '../../lib/engine.js'
import { createGpuEngine, type GpuMode } from '../../lib/engines/gpu.js'
import { createEngine } from '../../lib/engines/index.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { Net, parseNet, parseSolver, SGDSolver } from '../../lib/index.js'
import { compareKernel, type KernelResult, onEveryDevice, type Share } from '../../lib/testing/kernel_cases/run.js'
import { largeTensors } from '../engines/large.js'
import { lenet } from '../engines/lenet.js'
import { lossesOfNoClass } from '../engines/no_class.js'
import { wrongOwnKernels } from '../engines/own_kernels.js'
import { resumed } from '../engines/recurrent.js'

/** A recorded layer case, its arrays as numbers. */
export interface GivenCase {
  readonly prototxt: string
  readonly phase: 'TRAIN' | 'TEST'
  readonly forwards: number
  readonly params: number[][] | null
  readonly inputs: { name: string; values: number[] }[]
  readonly topDiffs: { name: string; values: number[] }[] | null
  readonly tops: string[]
  readonly bottoms: string[]
}

/** Devices that gpu.js opened, to take them away. */
const opened: { contexts: WebGLRenderingContext[]; devices: { destroy(): void }[] } = { contexts: [], devices: [] }

function watchDevices(): void {
  for (const canvas of [HTMLCanvasElement, OffscreenCanvas]) {
    const { getContext } = canvas.prototype as { getContext: (...args: unknown[]) => unknown }
    Object.assign(canvas.prototype, {
      getContext(...args: unknown[]) {
        const context = getContext.apply(this, args)
        if (context && String(args[0]).includes('webgl')) opened.contexts.push(context as WebGLRenderingContext)
        return context
      },
    })
  }
  const adapters = (
    globalThis as { GPUAdapter?: { prototype: { requestDevice(...args: unknown[]): Promise<{ destroy(): void }> } } }
  ).GPUAdapter
  if (!adapters) return
  const { requestDevice } = adapters.prototype
  adapters.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args)
    opened.devices.push(device)
    return device
  }
}
watchDevices()

export const tests = {
  /**
   * Three iterations, a snapshot, two more, and the device is taken away. What the next step says; what a solver on a
   * new device does with the snapshot; and the losses of an undisturbed run.
   */
  async lose(engine: string, images: number[], labels: number[]) {
    const start = () => SGDSolver.create(parseSolver(lenet(2)), { engine, seed: 5 })
    const step = async (solver: SGDSolver) => {
      const { data, label } = solver.net.blobs
      const at = solver.iter
      data.memory.data.claim()
      label.memory.data.claim()
      data.dataArray.set(images.slice(at * 2 * 784, (at + 1) * 2 * 784))
      label.dataArray.set(labels.slice(at * 2, (at + 1) * 2))
      await solver.step(1)
      return solver.loss()
    }
    const solver = await start()
    for (let i = 0; i < 3; i++) await step(solver)
    const { model, state } = (await solver.snapshot()) as { model: Uint8Array; state: Uint8Array }
    const undisturbed = [await step(solver), await step(solver)]
    for (const context of opened.contexts) context.getExtension('WEBGL_lose_context')?.loseContext()
    for (const device of opened.devices) device.destroy()
    const errors: string[] = []
    for (let i = 0; i < 2; i++)
      await step(solver).then(
        loss => errors.push(`no error: ${loss}`),
        (error: Error) => errors.push(`${error.name}: ${error.message}`),
      )
    solver.dispose()
    const again = await start()
    await again.restore(state, model)
    const resumed = [again.iter, await step(again), await step(again)]
    again.dispose()
    return { errors, undisturbed, resumed }
  },

  /** One pass of a recorded case: what stands in the tops, and in the gradients of bottoms and params. */
  async golden(engine: string, c: GivenCase) {
    const net = await Net.create(parseNet(c.prototxt), { phase: c.phase, engine, seed: 1701 })
    const params = net.params.layer ?? []
    c.params?.forEach((values, i) => params[i].dataArray.set(values))
    for (let i = 0; i < c.forwards; i++) {
      for (const { name, values } of c.inputs) net.blobs[name].dataArray.set(values)
      await net.forward()
      await net.pull()
    }
    const tops = c.tops.map(name => [...net.blobs[name].dataArray])
    const result = { tops, bottomDiffs: [] as number[][], paramDiffs: [] as number[][] }
    if (c.topDiffs) {
      net.clearParamDiffs()
      await net.pull()
      for (const { name, values } of c.topDiffs) net.blobs[name].diffArray.set(values)
      await net.backward()
      await net.pull()
      result.bottomDiffs = c.bottoms.map(name => [...net.blobs[name].diffArray])
      result.paramDiffs = params.map(blob => [...blob.diffArray])
    }
    net.dispose()
    return result
  },

  /** An ONNX model as a net: what it computes of x, and the bytes of it as it goes out again. */
  async onnx(engine: string, bytes: number[], x: number[]) {
    const net = await Net.create(Uint8Array.from(bytes), { engine, shapes: { x: [2, 3, 6, 7] } })
    const { y } = await net.forward({ x })
    const again = await net.toBytes({ format: 'onnx' })
    net.dispose()
    return { shape: y.shape, values: [...y.data], again: [...again] }
  },

  /** The engine's name and adapter, or the reason why there is none. */
  async start(name: string): Promise<{ name?: string; detail?: string; error?: string; ms: number }> {
    const start = performance.now()
    try {
      const engine = await createEngine(name)
      return { name: engine.name, detail: engine.detail, ms: performance.now() - start }
    } catch (error) {
      return { error: `${(error as Error).name}: ${(error as Error).message}`, ms: performance.now() - start }
    }
  },

  kernelNames: async (): Promise<string[]> => [...onEveryDevice],

  async kernels(mode: GpuMode, names: (keyof Kernels)[], share?: Share): Promise<KernelResult[]> {
    const engine = await createGpuEngine(mode)
    const results: KernelResult[] = []
    for (const name of names) results.push(await compareKernel(name, jsKernels, engine, { share }))
    return results
  },

  /** Whether the losses of labels that are no class are finite numbers; infinity does not travel as such. */
  async noClass(mode: GpuMode): Promise<[string, boolean][]> {
    return Object.entries(await lossesOfNoClass(await createGpuEngine(mode))).map(([which, loss]) => [
      which,
      Number.isFinite(loss),
    ])
  },

  /** A pass and its loss: how values came back, and the longest that a timer had to wait for its turn, in ms. */
  async readBack(engine: string, batch: number, images: number[], labels: number[]) {
    const solver = await SGDSolver.create(parseSolver(lenet(batch)), { engine, seed: 5 })
    const { data, label } = solver.net.blobs
    const fill = () => {
      for (const [blob, values] of [[data, images] as const, [label, labels] as const]) {
        blob.memory.data.claim()
        blob.dataArray.set(values.slice(0, blob.count))
      }
    }
    fill()
    await solver.step(1)
    await solver.loss()
    const into: string[] = []
    for (const context of opened.contexts) {
      const { readPixels } = context
      context.readPixels = function (this: WebGLRenderingContext, ...args: unknown[]) {
        into.push(typeof args[6])
        return (readPixels as (...all: unknown[]) => void).apply(this, args)
      } as typeof readPixels
    }
    fill()
    await solver.step(1)
    let [gap, before, on] = [0, performance.now(), true]
    const channel = new MessageChannel()
    channel.port1.onmessage = () => {
      const now = performance.now()
      gap = Math.max(gap, now - before)
      before = now
      if (on) channel.port2.postMessage(0)
    }
    channel.port2.postMessage(0)
    const loss = await solver.loss()
    on = false
    gap = Math.max(gap, performance.now() - before)
    channel.port1.close()
    solver.dispose()
    return { into, loss, gap }
  },

  /** Kernels as users write them: what is wrong. */
  ownKernels: (mode: GpuMode) => wrongOwnKernels(mode),

  /** Tensors of more values than single precision can count: what came out wrong. */
  large: (mode: GpuMode) => largeTensors(mode),

  /** An LSTM's bits after six steps, and after a snapshot in their middle. */
  resume: (mode: GpuMode) => resumed('LSTM', `gpu:${mode}`),

  /** What a net says to label 3 of 3 classes. */
  async refuse(mode: GpuMode): Promise<string> {
    const net = await Net.create(
      parseNet(`layer { name: "in" type: "Input" top: "x" top: "y" input_param { shape { dim: 1 dim: 3 } shape { dim: 1 } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "y" top: "loss" }`),
      { engine: `gpu:${mode}`, phase: 'TRAIN' },
    )
    const said = await net.forward({ x: [1, 2, 3], y: [3] }).then(() => 'nothing', String)
    net.dispose()
    return said
  },

  /** Losses of `iterations` iterations of LeNet, ms per iteration, and what moved. */
  async train(engine: string, iterations: number, batch: number, images: number[], labels: number[]) {
    const solver = await SGDSolver.create(parseSolver(lenet(batch)), { engine, seed: 5 })
    const size = batch * 784
    let at = 0
    const losses: number[] = []
    const times: number[] = []
    let moved = {}
    for (let i = 0; i < iterations; i++) {
      const { data, label } = solver.net.blobs
      at = (at + 1) % Math.floor(labels.length / batch)
      data.memory.data.claim()
      label.memory.data.claim()
      data.dataArray.set(images.slice(at * size, (at + 1) * size))
      label.dataArray.set(labels.slice(at * batch, (at + 1) * batch))
      const { traffic } = solver.net.engine as { traffic?: Record<string, number> }
      const before = { ...traffic }
      const start = performance.now()
      await solver.step(1)
      times.push(performance.now() - start)
      moved = Object.fromEntries(Object.entries(traffic ?? {}).map(([key, value]) => [key, value - before[key]]))
      losses.push(await solver.loss())
    }
    const engines = [...new Set(solver.net.layers.map(layer => layer.engine.name))]
    solver.dispose()
    return { losses, times, moved, engines }
  },
}

Object.assign(globalThis, { tests })
