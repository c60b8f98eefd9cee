import { EngineError } from '../../errors.js'

// The part of gpu.js that is used here, typed once: its own typings leave most of it open.

/** A compiled kernel: called with Inputs, textures, buffers or numbers. */
export interface GpuJsKernel<Extras = unknown> {
  (...args: unknown[]): unknown
  readonly kernel: Extras & {
    built: boolean
    fallbackReason?: string
    context: unknown
    destroy(removeCanvas?: boolean): void
    /** On webasm and webgpu: makes nested arrays of the flat result. */
    _shapeOutput?: (data: Float32Array) => unknown
  }
}

export interface GpuJsInstance {
  readonly mode: string
  readonly context: unknown
  createKernel<Extras = unknown>(source: string, settings: Record<string, unknown>): GpuJsKernel<Extras>
  destroy(): Promise<void>
}

/** A value on a WebGPU device. */
export interface BufferResult {
  readonly buffer: GPUBufferLike
  readonly context: { readonly device: GPUDeviceLike; readonly adapter: GPUAdapterLike; readonly isLost: boolean }
  readonly kernel: unknown
  readonly type: string
  delete(): void
}

export interface GPUBufferLike {
  readonly size: number
  mapAsync(mode: number): Promise<void>
  getMappedRange(offset?: number, size?: number): ArrayBuffer
  unmap(): void
  destroy(): void
}

export type GPUPipelineLike = object
export type GPUBindGroupLike = object

export interface GPUDeviceLike {
  readonly queue: {
    writeBuffer(buffer: GPUBufferLike, offset: number, data: Float32Array): void
    submit(commands: unknown[]): void
    onSubmittedWorkDone(): Promise<void>
  }
  readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number }
  createBuffer(settings: { size: number; usage: number }): GPUBufferLike
  createBindGroup(settings: {
    layout: object
    entries: { binding: number; resource: { buffer: GPUBufferLike } }[]
  }): GPUBindGroupLike
  createCommandEncoder(): {
    beginComputePass(): {
      setPipeline(pipeline: GPUPipelineLike): void
      setBindGroup(index: number, group: GPUBindGroupLike): void
      dispatchWorkgroups(x: number, y: number, z: number): void
      end(): void
    }
    copyBufferToBuffer(from: GPUBufferLike, fromOffset: number, to: GPUBufferLike, toOffset: number, size: number): void
    finish(): unknown
  }
  destroy(): void
}

export interface GPUAdapterLike {
  readonly isFallbackAdapter?: boolean
  readonly info?: {
    readonly vendor?: string
    readonly architecture?: string
    readonly description?: string
    readonly device?: string
    readonly isFallbackAdapter?: boolean
  }
}

/** A value in a WebGL texture. */
export interface TextureResult {
  readonly texture: WebGLTexture & { _refs?: number }
  readonly size: ArrayLike<number>
  readonly context: WebGL2RenderingContext
  readonly kernel: unknown
  readonly type: string
  readonly internalFormat: number
  readonly textureFormat: number
  renderRawOutput(): Float32Array
  delete(): void
}

/** A kernel of gpu.js as far as it translates: all that needs no device. */
export interface Translating {
  threadDim: number[]
  paramsLayout: object
  setupConstants(): void
  setupArguments(args: ArrayLike<unknown>): void
  validateSettings(args: ArrayLike<unknown>): void
  translateSource(): void
  computeParamsLayout(): object
  assembleWGSL(): string
}

export interface GpuJs {
  readonly WebGPUKernel: new (source: string, settings: object) => Translating
  readonly WebGL2FunctionNode: unknown
  readonly FunctionBuilder: {
    fromKernel(kernel: unknown, node: unknown, options: object): { getPrototypeString(name: string): string }
  }
  readonly GPU: {
    new (settings: { mode: string; canvas?: unknown; context?: unknown }): GpuJsInstance
    isWebGPUAvailable(): Promise<boolean>
  } & Record<
    'isWebGPUSupported' | 'isWebGL2Supported' | 'isWebGLSupported' | 'isHeadlessGLSupported' | 'isWebAssemblySupported',
    boolean
  >
  readonly Input: new (values: Float32Array, dims: number[]) => unknown
  /** The parser that gpu.js reads kernels with. */
  readonly acorn: { parse(text: string, options: { ecmaVersion: 'latest' }): SyntaxNode }
  readonly utils: { getKernelTextureSize(settings: unknown, dims: readonly number[]): Int32Array }
}

/** A node of a syntax tree: ESTree. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

export const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined && !('Deno' in globalThis)

let library: Promise<GpuJs> | undefined

/** gpu.js, loaded when a gpu engine is first asked for. */
export function gpuJs(): Promise<GpuJs> {
  library ??= loadLibrary()
  return library
}

async function loadLibrary(): Promise<GpuJs> {
  const gl = isNode ? await optionalModule('gl') : undefined
  const { load } = await import('../../generated/gpujs.js')
  const lib = load(name => {
    if (name === 'gl' && gl !== undefined) return gl
    throw new EngineError(`gpu.js asks for the module '${name}', which is not here`)
  }) as GpuJs
  lib.utils.getKernelTextureSize = (_settings, [x, y = 1, z = 1]) => textureSize(x * y * z)
  return lib
}

/**
 * Width and height of the texture for n values. gpu.js would choose by the sizes of the tensor; here it depends on
 * their number alone, so that a tensor can be read with other sizes. The width is a power of two, which makes the
 * arithmetic on places exact.
 */
export function textureSize(n: number): Int32Array {
  const width = 2 ** Math.ceil(Math.log2(Math.sqrt(Math.max(n, 1))))
  return Int32Array.of(width, Math.ceil(Math.max(n, 1) / width))
}

/** A package that may be missing; the name is an argument, so that no bundler looks for it. */
const optionalImport = (name: string): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ name)

/** The default export of an optional package, or undefined where it is not installed or does not load. */
async function optionalModule(name: string): Promise<unknown> {
  try {
    const module = (await optionalImport(name)) as { default?: unknown }
    return module.default ?? module
  } catch {
    return undefined
  }
}

/**
 * navigator.gpu in Node, from the optional peer `webgpu` (Dawn), if nothing else has put it there.
 * @returns why there is none
 */
export async function provideWebGpu(): Promise<string | undefined> {
  const known = globalThis as { navigator?: { gpu?: unknown } }
  if (known.navigator?.gpu !== undefined || !isNode) return undefined
  let dawn: { create(flags: string[]): unknown; globals: object }
  try {
    dawn = (await optionalImport('webgpu')) as typeof dawn
  } catch (error) {
    return `the package 'webgpu' (Dawn) does not load: ${(error as Error).message}; npm install webgpu@0.6.2`
  }
  Object.assign(globalThis, dawn.globals)
  // Dawn ends with the object that made it, so it is held for the life of the process
  const gpu = dawn.create([])
  Object.defineProperty(globalThis, 'navigator', {
    value: Object.create(known.navigator ?? null, { gpu: { value: gpu } }),
    configurable: true,
  })
  return undefined
}
