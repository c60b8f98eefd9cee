import type { Engine, HostEngine } from '../engine.js'
import { EngineError } from '../errors.js'
import { whatIs } from '../system/arguments.js'
import { aCount, checkOptions } from '../system/check_options.js'
import { didYouMean } from '../system/names.js'
import type { GpuMode } from './gpu.js'
import { createJsEngine } from './js.js'
import { fetchKernels } from './late_kernels.js'
import { startWasmEngine } from './wasm.js'

/** Names of the engines that compute at once, on the host. */
export type HostName = 'js' | 'js:float64' | 'wasm' | 'native'

/**
 * Engine names: `js`, `wasm` (the default), `native`, `gpu` (the best device that works) or one mode of it, `gpu:webgl2`
 * for instance, and what registerEngine knows; `js:float64` is the oracle of ristretto/testing.
 */
export type EngineName = HostName | 'gpu' | `gpu:${GpuMode}` | (string & {})

/** How an engine is started. */
export interface EngineOptions {
  /** Compute threads, the calling one included; default: the cores this process may use. */
  threads?: number
}

const gpuModes: readonly GpuMode[] = ['webgpu', 'webgl2', 'webgl', 'headlessgl', 'webasm', 'cpu']
const known = ['js', 'wasm', 'native', 'gpu', ...gpuModes.map(mode => `gpu:${mode}`)]

/** Makes an engine, or throws an EngineError that says why it cannot run here. */
export type EngineFactory = (options: EngineOptions) => Engine | Promise<Engine>

const registered = new Map<string, EngineFactory>()

/**
 * Make `engine: '<name>'` mean what the factory gives, which is asked anew for every net. A later registration replaces
 * an earlier or built-in one. An EngineError for what is no name or no function.
 */
export function registerEngine(name: string, factory: EngineFactory): void {
  if (typeof name !== 'string' || !name || typeof factory !== 'function')
    throw new EngineError(
      `registerEngine takes a name and a function that makes the engine: registerEngine('mine', () => engine), not ${whatIs(name)} and ${whatIs(factory)}; an engine itself goes into the option engine`,
    )
  registered.set(name, factory)
}

/**
 * The engine of that name, or the engine itself where one is given; an EngineError says why it cannot run here. Nothing
 * falls back silently.
 */
export async function createEngine(name: HostName, options?: EngineOptions): Promise<HostEngine>
export async function createEngine(name?: EngineName | Engine, options?: EngineOptions): Promise<Engine>
export async function createEngine(name: EngineName | Engine = 'wasm', options: EngineOptions = {}): Promise<Engine> {
  checkOptions('createEngine', options, { threads: aCount })
  const engine = await startEngine(name, options)
  await Promise.all([engine.ready, fetchKernels(engine)])
  return engine
}

/** The same, while threads and late kernels may still be on their way: see Engine.ready and fetchKernels. */
export async function startEngine(name: EngineName | Engine, options: EngineOptions): Promise<Engine> {
  if (typeof name !== 'string') return checked(name, 'the option engine')
  const factory = registered.get(name)
  const { threads } = options
  if (factory)
    return checked(await factory(threads === undefined ? {} : { threads }), `what registerEngine('${name}', …) gives`)
  if (name === 'js') return createJsEngine()
  if (name === 'js:float64') return createJsEngine({ float64: true })
  if (name === 'wasm') return startWasmEngine(options)
  if (name === 'native') return (await import('./native.js')).startNativeEngine(options)
  if (name === 'gpu' || name.startsWith('gpu:')) {
    const mode = gpuModes.find(known => name === `gpu:${known}`)
    // loaded only when asked for: gpu.js is large
    if (mode !== undefined || name === 'gpu') return (await import('./gpu.js')).createGpuEngine(mode, options)
  }
  const names = [...known, ...registered.keys()]
  throw new EngineError(
    `there is no engine '${name}'${didYouMean(name, names)}; known engines: ${names.join(', ')}; an engine of your own needs registerEngine('${name}', …) before the net is made`,
  )
}

/** The engine, if it has what every engine must have: TypeScript says so earlier, JavaScript does not. */
function checked(engine: Engine, what: string): Engine {
  const given: Partial<Engine> = typeof engine === 'object' && engine !== null ? engine : {}
  const missing = [
    typeof given.name !== 'string' && 'name',
    typeof given.isHost !== 'boolean' && 'isHost',
    !given.heap && 'heap',
    !given.kernels && 'kernels',
    typeof given.scratch !== 'function' && 'scratch',
    given.isHost === false && !given.host && 'host',
  ].filter(Boolean)
  if (missing.length === 0) return engine
  throw new EngineError(
    `${what} is no engine: it has no ${missing.join(', no ')}. Begin with one that is there, { ...(await createEngine('js')), name: '…', kernels: … }, or give a name`,
  )
}

/**
 * The engine used when nobody asked for one, as startEngine gives it: wasm, or js, which says why in its detail and in
 * the log, where the platform has no WebAssembly to run it. Where it has, but no memory for it, that is an EngineError:
 * hundreds of times slower is not what anybody meant.
 */
export async function startDefaultEngine(options: EngineOptions, log: (line: string) => void): Promise<Engine> {
  try {
    return await startWasmEngine(options)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (error.cause instanceof RangeError) throw error
    const reason = `wasm cannot run here: ${error.message}`
    log(`engine js is used, since ${reason}`)
    const engine = createJsEngine()
    return { ...engine, detail: `${engine.detail}, since ${reason}` }
  }
}

/**
 * What a written `solver_mode: GPU` means: the gpu engine's name if a hardware adapter answers, else undefined, with
 * the reason in the log. Old prototxts say GPU as a matter of course, so this is the one request that may be turned
 * down without an error.
 */
export async function gpuForSolverMode(
  options: EngineOptions,
  log: (line: string) => void,
): Promise<EngineName | undefined> {
  let reason: string
  try {
    const engine = await startEngine('gpu', options)
    await engine.ready
    return engine.name
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    reason = error.message
  }
  log(`solver_mode: GPU is written, but no GPU answers here; the default engine is used (${reason})`)
  return undefined
}
