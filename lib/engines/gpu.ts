import { gpuKernels } from '../../kernels/gpu/index.js'
import type { DeviceEngine } from '../engine.js'
import { EngineError } from '../errors.js'
import { Memory } from '../memory.js'
import { completeKernels } from './complete.js'
import { createArrayBackend } from './gpu/array_backend.js'
import type { Backend } from './gpu/backend.js'
import { createGlBackend } from './gpu/gl_backend.js'
import { Gpu } from './gpu/gpu.js'
import { type GpuJs, gpuJs, isNode, provideWebGpu } from './gpu/gpujs.js'
import type { Traffic } from './gpu/queue.js'
import { checkRun } from './gpu/run_checks.js'
import { selfTest } from './gpu/self_test.js'
import { createJsEngine } from './js.js'
import { createWasmEngine } from './wasm.js'

/** The modes of gpu.js, the best device first; the last two have no device and run only by name. */
export const gpuModes = ['webgpu', 'webgl2', 'webgl', 'headlessgl', 'webasm', 'cpu'] as const
/** How gpu.js computes: `gpu:webgpu` … as the name of an engine. */
export type GpuMode = (typeof gpuModes)[number]

export interface GpuEngineOptions {
  /** Threads of the host engine, which runs layers without device kernels. */
  threads?: number
}

/** The engine on a device through gpu.js. */
export interface GpuEngine extends DeviceEngine {
  readonly mode: GpuMode
  /** Uploads, downloads and dispatches so far. */
  readonly traffic: Readonly<Traffic>
  /** Handle of the device, for tests and benchmarks. */
  readonly gpu: Gpu
}

const engines = new Map<string, Promise<GpuEngine>>()

/**
 * The gpu engine in a named mode, or in the best one that works here. There is one engine for each mode, so that nets
 * can share params. Throws an EngineError with the reason and the fix where the mode cannot run or computes wrong.
 */
export async function createGpuEngine(mode?: GpuMode, options: GpuEngineOptions = {}): Promise<GpuEngine> {
  if (mode !== undefined) return engineOf(mode, options)
  const reasons: EngineError[] = []
  for (const candidate of gpuModes) {
    if (candidate === 'webasm' || candidate === 'cpu') continue
    try {
      return await engineOf(candidate, options, true)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      reasons.push(error)
    }
  }
  // modes that miss the same are one line
  const modes = new Map<string, string[]>()
  for (const { message } of reasons) {
    const [, mode, why] = /^engine 'gpu:(\w+)' (?:cannot run here: )?(.*)$/s.exec(message) ?? ['', 'gpu', message]
    modes.set(why, [...(modes.get(why) ?? []), mode])
  }
  const lines = [...modes].map(([why, names]) => `  ${names.join(', ')}: ${why}`)
  throw new EngineError(
    `engine 'gpu': no device works here; without a device, wasm is the fastest engine\n${lines.join('\n')}`,
    { causes: reasons },
  )
}

/** An adapter that computes on the processor, many times slower than the wasm engine does. */
export const isSoftware = (detail: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software|fallback/i.test(detail)

function checkHardware({ mode, detail }: { mode: string; detail: string }): void {
  if (!isSoftware(detail)) return
  throw new EngineError(
    `engine 'gpu:${mode}' cannot run here: its adapter is no GPU (${detail}) and slower than wasm; ask for gpu:${mode} by name to use it all the same`,
  )
}

/** @param hardware whether adapters that are no GPU are refused */
async function engineOf(mode: GpuMode, options: GpuEngineOptions, hardware = false): Promise<GpuEngine> {
  const key = `${mode} ${options.threads ?? ''}`
  let engine = engines.get(key)
  if (hardware && !engine) checkHardware({ mode, detail: await detailOf(mode) })
  engine ??= engines.get(key)
  // a lost device is not given out again
  if (engine && (await engine.catch(() => undefined))?.gpu.backend.lossReason() !== undefined) engine = undefined
  if (!engine) {
    engine = build(mode, options)
    engines.set(key, engine)
    engine.catch(() => engines.delete(key))
  }
  if (hardware) checkHardware(await engine)
  return engine
}

/** What the adapter of a mode is called; the mode's own error where it has none. */
async function detailOf(mode: GpuMode): Promise<string> {
  const backend = await openBackend(await gpuJs(), mode)
  const { detail } = backend
  await backend.destroy()
  return detail
}

async function build(mode: GpuMode, options: GpuEngineOptions): Promise<GpuEngine> {
  const lib = await gpuJs()
  const name = `gpu:${mode}`
  const host = await createWasmEngine(options).catch(error => {
    if (error instanceof EngineError) return createJsEngine()
    throw error
  })
  const backend = await openBackend(lib, mode)
  const gpu = new Gpu(name, backend, host)
  const kernels = gpuKernels(gpu)
  gpu.kernels = completeKernels(name, kernels)
  const scratches: Memory[] = []
  const engine: GpuEngine = {
    name,
    mode,
    detail: backend.detail,
    threads: host.threads,
    isHost: false,
    heap: host.heap,
    kernels,
    host,
    gpu,
    traffic: gpu.queue.traffic,
    finish: () => gpu.queue.finish(),
    calledBy(caller) {
      gpu.caller = caller
    },
    run(kernel, args, out, constants = {}, by) {
      checkRun(kernel, args, out, constants, memory => scratches.includes(memory))
      gpu.run(kernel, args, out, constants, by)
    },
    scratch(length, slot = 0) {
      const memory = (scratches[slot] ??= new Memory(length, host.heap))
      if (memory.length < length) memory.resize(length)
      return memory
    },
  }
  await selfTest(engine)
  return engine
}

async function openBackend(lib: GpuJs, mode: GpuMode): Promise<Backend> {
  const problem = await whyNot(lib, mode)
  if (problem !== undefined) throw new EngineError(`engine 'gpu:${mode}' cannot run here: ${problem}`)
  try {
    if (mode === 'webgpu') return await createWebGpuBackend(lib)
    if (mode === 'webasm' || mode === 'cpu') return createArrayBackend(lib, mode)
    return createGlBackend(lib, mode)
  } catch (error) {
    throw new EngineError(`engine 'gpu:${mode}' does not start: ${(error as Error).message}`, { cause: error })
  }
}

/** Why a mode cannot run here and what would help, undefined if it can. */
async function whyNot({ GPU }: GpuJs, mode: GpuMode): Promise<string | undefined> {
  switch (mode) {
    case 'webgpu': {
      const missing = await provideWebGpu()
      if (missing !== undefined) return missing
      if (!GPU.isWebGPUSupported)
        return 'this browser has no navigator.gpu; use one with WebGPU, over https or on localhost, or gpu:webgl2'
      if (await GPU.isWebGPUAvailable()) return undefined
      return isNode
        ? 'WebGPU finds no adapter; install a Vulkan driver, or point VK_ICD_FILENAMES at one (SwiftShader works)'
        : 'WebGPU finds no adapter; a headless browser may need --enable-unsafe-webgpu, others a newer driver'
    }
    case 'webgl2':
      if (isNode)
        return 'Node has no WebGL; use gpu:webgpu (npm install webgpu@0.6.2), or gpu:headlessgl (npm install gl)'
      return GPU.isWebGL2Supported
        ? undefined
        : 'this browser gives no WebGL 2 context; turn on hardware acceleration, or use gpu:webgl'
    case 'webgl':
      if (isNode)
        return 'Node has no WebGL; use gpu:webgpu (npm install webgpu@0.6.2), or gpu:headlessgl (npm install gl)'
      return GPU.isWebGLSupported
        ? undefined
        : 'this browser gives no WebGL context; turn on hardware acceleration, or use wasm'
    case 'headlessgl':
      if (!isNode) return 'headless GL is for Node; a browser has gpu:webgpu, gpu:webgl2 and gpu:webgl'
      return GPU.isHeadlessGLSupported
        ? undefined
        : "the package 'gl' is not installed or finds no display; npm install gl, and run under xvfb-run -a"
    case 'webasm':
      return GPU.isWebAssemblySupported ? undefined : 'WebAssembly is missing; use gpu:cpu or js'
    case 'cpu':
      return undefined
  }
}

/** Kept apart so that what only WebGPU needs is together. */
async function createWebGpuBackend(lib: GpuJs): Promise<Backend> {
  const { createWebGpuBackend: create } = await import('./gpu/webgpu_backend.js')
  return create(lib)
}
