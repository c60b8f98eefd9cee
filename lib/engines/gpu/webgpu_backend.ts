import { EngineError } from '../../errors.js'
import type { Constants, Dims, GpuKernel } from '../../gpu_kernel.js'
import { type Backend, MOST_ROUNDS, type Native, type NativeTensor, type Program, threadsOf } from './backend.js'
import type {
  BufferResult,
  GPUAdapterLike,
  GPUBindGroupLike,
  GPUBufferLike,
  GPUPipelineLike,
  GpuJs,
  GpuJsKernel,
} from './gpujs.js'
import { portableKernel } from './portable_source.js'
import { BufferPool, COPY_DST, MAP_READ, UNIFORM } from './webgpu_pool.js'
import { wgsl, wholeIndices } from './whole_indices.js'

/** What is used of a kernel of gpu.js: its shader and how its arguments are laid out. */
interface WgslKernel {
  assembleWGSL(): string
  _ensureOutputBuffer(): void
  build(...args: unknown[]): Promise<void>
  readonly computePipeline: GPUPipelineLike
  readonly bindGroupLayout: object
  readonly paramsLayout: {
    readonly arrayArgs: readonly { name: string; index: number }[]
    readonly scalarArgs: readonly { index: number; offset: number }[]
    readonly byteLength: number
  }
  _computeDispatch(threads: readonly number[]): { groups: readonly [number, number, number]; dispatchWidth: number }
}

/**
 * Dispatches that are recorded before they are handed over: many at once cost less, and the device shall not wait for
 * the last one.
 */
const MOST_RECORDED = 24

/** Bindings and parameters that a program keeps. */
const MOST_KEPT = 32

/**
 * WebGPU: values are storage buffers. gpu.js translates and compiles kernels; they are run here, so that buffers are
 * used again, and so that dispatches share command buffers. The first call of a kernel waits for its compilation, later
 * ones return before the device is done.
 */
export async function createWebGpuBackend(lib: GpuJs): Promise<Backend> {
  const gpu = new lib.GPU({ mode: 'webgpu' })

  // the first kernel opens the device
  const first = gpu.createKernel('function () { return 1.5 }', {
    output: [1],
    precision: 'single',
    pipeline: true,
    immutable: true,
  })
  const pattern = (await first()) as BufferResult
  const { context } = pattern
  const { device } = context
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  /** What makes programs give up their parameters: they are made again when they are needed. */
  const programs = new Set<() => void>()
  const pool = new BufferPool(device, flush, () => {
    for (const forget of programs) forget()
  })

  let encoder: ReturnType<typeof device.createCommandEncoder> | undefined
  let pass: ReturnType<NonNullable<typeof encoder>['beginComputePass']> | undefined
  let recorded = 0

  /** Hand over what was recorded. */
  function flush(): void {
    if (!encoder) return
    pass!.end()
    device.queue.submit([encoder.finish()])
    encoder = pass = undefined
    recorded = 0
  }

  function compile(
    kernel: GpuKernel,
    outputDims: Dims,
    constants: Constants,
    args: readonly (NativeTensor | number)[],
  ): Program {
    // a single row becomes a one-dimensional program: it may be longer, and its workgroups are full
    const threads = threadsOf(kernel, outputDims)
    const output = threads[1] === 1 && threads[2] === 1 && (kernel.height ?? 1) === 1 ? [threads[0]] : [...threads]
    const count = outputDims[0] * outputDims[1] * outputDims[2]
    checkSize(count)
    const { source, functions } = portableKernel(kernel, constants, args, lib)
    const settings = {
      output,
      precision: 'single',
      pipeline: true,
      immutable: true,
      constants,
      functions,
      loopMaxIterations: MOST_ROUNDS,
    }
    const compiled: GpuJsKernel<WgslKernel> = gpu.createKernel(source, settings)
    const shader = compiled.kernel
    // results come from the pool
    shader._ensureOutputBuffer = () => {}
    adapt(shader, kernel, args, outputDims)
    const bindings = new Map<string, GPUBindGroupLike>()
    const params = new Map<string, GPUBufferLike>()
    let groups: readonly [number, number, number] = [0, 0, 0]
    let width = 0
    let ready: Promise<void> | undefined = shader
      .build(...args.map(arg => (typeof arg === 'number' ? arg : asTensor(arg))))
      .then(() => {
        const dispatch = shader._computeDispatch([...threads])
        groups = dispatch.groups
        width = dispatch.dispatchWidth
        ready = undefined
      })
    ready.catch(() => {})

    /** The buffer with the sizes and these numbers. */
    function paramsFor(values: readonly (NativeTensor | number)[]): GPUBufferLike {
      const { byteLength, scalarArgs } = shader.paramsLayout
      const key = scalarArgs.map(({ index }) => values[index]).join()
      let buffer = params.get(key)
      if (!buffer) {
        const words = new Uint32Array(byteLength / 4)
        words.set([...threads, width])
        const floats = new Float32Array(words.buffer)
        for (const { index, offset } of scalarArgs) floats[offset / 4] = values[index] as number
        if (params.size >= MOST_KEPT) forget()
        buffer = device.createBuffer({ size: byteLength, usage: UNIFORM | COPY_DST })
        device.queue.writeBuffer(buffer, 0, floats)
        params.set(key, buffer)
      }
      return buffer
    }

    function forget(): void {
      flush()
      for (const buffer of params.values()) buffer.destroy()
      params.clear()
      bindings.clear()
    }

    function run(values: readonly (NativeTensor | number)[]): Native {
      if (context.isLost) throw new Error('the WebGPU device was lost')
      const result = pool.take(4 * count)
      const numbers = paramsFor(values)
      const buffers = [
        numbers,
        ...shader.paramsLayout.arrayArgs.map(({ index }) => ((values[index] as NativeTensor).native as Values).buffer),
        result,
      ]
      const key = buffers.map(buffer => pool.idOf(buffer)).join()
      let group = bindings.get(key)
      if (!group) {
        if (bindings.size >= MOST_KEPT) bindings.clear()
        const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
        group = device.createBindGroup({ layout: shader.bindGroupLayout, entries })
        bindings.set(key, group)
      }
      encoder ??= device.createCommandEncoder()
      pass ??= encoder.beginComputePass()
      pass.setPipeline(shader.computePipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(...groups)
      if (++recorded >= MOST_RECORDED) flush()
      return { buffer: result, alive: true } satisfies Values
    }

    programs.add(forget)
    return {
      run: values => (ready ? ready.then(() => run(values)) : run(values)),
      destroy() {
        forget()
        programs.delete(forget)
        compiled.kernel.destroy()
      },
    }
  }

  /** A buffer as gpu.js takes it when it compiles. */
  function asTensor({ native, dims }: NativeTensor): BufferResult {
    return Object.assign(Object.create(pattern), {
      type: pattern.type,
      buffer: (native as Values).buffer,
      output: dims,
      componentCount: 1,
    })
  }

  /**
   * Sizes become constants of the shader, which gpu.js would read from memory at every access; and rows that a thread
   * computes besides the one it returns are stored.
   */
  function adapt(shader: WgslKernel, kernel: GpuKernel, args: readonly (NativeTensor | number)[], output: Dims): void {
    const assemble = shader.assembleWGSL.bind(shader)
    const { height = 1 } = kernel
    const threads = threadsOf(kernel, output)
    shader.assembleWGSL = () => {
      let text = assemble()
      for (const { name, index } of shader.paramsLayout.arrayArgs) {
        const { dims } = args[index] as NativeTensor
        for (const [axis, letter] of ['x', 'y', 'z'].entries())
          text = text.replaceAll(`i32(params.user_${name}_dims.${letter})`, String(dims[axis]))
      }
      if (height > 1) {
        const row = `${threads[0]}u * (gid.y * ${height}u + ${output[1]}u * gid.z)`
        text = text
          .replace('params.outputX * (gid.y + params.outputY * gid.z)', row)
          .replace(/(fn fn_storeRow\()[^)]*\)[^}]*\}/, () => storeRow(height, output))
      }
      for (const [axis, letter] of ['X', 'Y', 'Z'].entries())
        text = text.replaceAll(`params.output${letter}`, `${threads[axis]}u`)
      return kernel.wholeIndices ? wholeIndices(text, wgsl) : text
    }
  }

  function checkSize(count: number): void {
    if (4 * count > limit)
      throw new EngineError(
        `${count} values are ${4 * count} bytes, but a buffer of this device holds at most ${limit}`,
      )
  }

  function upload(values: Float32Array): Native {
    checkSize(values.length)
    const buffer = pool.take(values.byteLength)
    // what was recorded may still read this buffer, and writing does not wait for it
    flush()
    device.queue.writeBuffer(buffer, 0, values)
    return { buffer, alive: true } satisfies Values
  }

  /** Mapping takes a buffer of its own. */
  async function download(native: Native, length: number): Promise<Float32Array> {
    const size = 4 * length
    flush()
    const staging: GPUBufferLike = device.createBuffer({ size: Math.max(4, size), usage: MAP_READ | COPY_DST })
    const copy = device.createCommandEncoder()
    copy.copyBufferToBuffer((native as Values).buffer, 0, staging, 0, size)
    device.queue.submit([copy.finish()])
    await staging.mapAsync(1)
    const values = new Float32Array(staging.getMappedRange(0, Math.max(4, size)).slice(0), 0, length)
    staging.unmap()
    staging.destroy()
    return values
  }

  return {
    mode: 'webgpu',
    detail: adapterName(context.adapter),
    // host values lie in shared memory, which Dawn in Node does not take: a copy does not
    uploadsAtOnce: false,
    mostRows: 4,
    longRows: true,
    compile,
    layout: () => '',
    upload,
    download,
    delete(native) {
      const values = native as Values
      if (values.alive) pool.give(values.buffer)
      values.alive = false
    },
    async settle() {
      flush()
      await device.queue.onSubmittedWorkDone()
      pool.trim()
    },
    lossReason: () => (context.isLost ? 'the WebGPU device was lost' : undefined),
    async destroy() {
      flush()
      pool.destroy()
      pattern.delete()
      await gpu.destroy()
    },
  }
}

/** Values on the device. */
interface Values {
  readonly buffer: GPUBufferLike
  alive: boolean
}

/** WGSL for a row of the thread's own; rows past the end are nobody's. */
const storeRow = (
  height: number,
  [x, y]: Dims,
): string => `fn fn_storeRow(row : f32, a : f32, b : f32, c : f32, d : f32) -> f32 {
  let y = threadGid.y * ${height}u + u32(row);
  if (y < ${y}u) {
    let at = threadGid.x * 4u + ${x}u * (y + ${y}u * threadGid.z);
    result[at] = a;
    result[at + 1u] = b;
    result[at + 2u] = c;
    result[at + 3u] = d;
  }
  return 0.0;
}`

function adapterName({ info, isFallbackAdapter }: GPUAdapterLike): string {
  const fallback = isFallbackAdapter || info?.isFallbackAdapter ? '(fallback adapter)' : ''
  const parts = [info?.vendor, info?.architecture, info?.device, info?.description, fallback].filter(part => part)
  return parts.join(' ') || 'WebGPU adapter that does not tell its name'
}
