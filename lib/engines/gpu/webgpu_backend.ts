import { EngineError } from '../../errors.js'
import type { Constants, Dims, GpuKernel } from '../../gpu_kernel.js'
import type { Backend, Native, NativeTensor, Program } from './backend.js'
import type { BufferResult, GPUAdapterLike, GPUBufferLike, GpuJs } from './gpujs.js'
import { portableSource } from './portable_source.js'

const STORAGE = 0x80
const COPY_SRC = 0x04
const COPY_DST = 0x08
const MAP_READ = 0x01

/** WebGPU: values are storage buffers; the first call of a kernel waits for its compilation, later ones return before the device is done. */
export async function createWebGpuBackend(lib: GpuJs): Promise<Backend> {
  const gpu = new lib.GPU({ mode: 'webgpu' })

  function compile(kernel: GpuKernel, output: Dims, constants: Constants): Program {
    // a single row becomes a one-dimensional program: it may be longer, and its workgroups are full
    const dims = output[1] === 1 && output[2] === 1 ? [output[0]] : [...output]
    const settings = {
      output: dims,
      precision: 'single',
      pipeline: true,
      immutable: true,
      constants,
      functions: kernel.functions.map(text => portableSource(text, lib)),
    }
    const compiled = gpu.createKernel(portableSource(kernel.source(constants), lib), settings)
    return {
      run: args => compiled(...args.map(arg => (typeof arg === 'number' ? arg : asTensor(arg)))) as Promise<Native>,
      destroy: () => compiled.kernel.destroy(),
    }
  }

  // the first kernel opens the device, and shows how a result is made
  const first = compile({ name: 'pattern', source: () => 'function () { return 1.5 }', functions: [] }, [1, 1, 1], {})
  const pattern = (await first.run([])) as BufferResult
  const { context } = pattern
  const { device } = context
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)

  /** The buffer with other sizes, as an argument. */
  function asTensor({ native, dims }: NativeTensor): BufferResult {
    return Object.assign(Object.create(native), { type: pattern.type, output: dims })
  }

  function upload(values: Float32Array): Native {
    if (values.byteLength > limit)
      throw new EngineError(`${values.length} values are ${values.byteLength} bytes, but a buffer of this device holds at most ${limit}`)
    const buffer = device.createBuffer({ size: Math.max(4, values.byteLength), usage: STORAGE | COPY_SRC | COPY_DST })
    device.queue.writeBuffer(buffer, 0, values)
    return new lib.WebGPUBufferResult({ buffer, output: [values.length, 1, 1], componentCount: 1, context, kernel: pattern.kernel })
  }

  /** Buffers to read through, by size: mapping takes a buffer of its own. */
  async function download(native: Native, length: number): Promise<Float32Array> {
    const size = 4 * length
    const staging: GPUBufferLike = device.createBuffer({ size: Math.max(4, size), usage: MAP_READ | COPY_DST })
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer((native as BufferResult).buffer, 0, staging, 0, size)
    device.queue.submit([encoder.finish()])
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
    longRows: true,
    compile,
    layout: () => '',
    upload,
    download,
    delete: native => (native as BufferResult).delete(),
    settle: () => device.queue.onSubmittedWorkDone(),
    lossReason: () => (context.isLost ? 'the WebGPU device was lost' : undefined),
    async destroy() {
      pattern.delete()
      await gpu.destroy()
    },
  }
}

function adapterName({ info }: GPUAdapterLike): string {
  const parts = [info?.vendor, info?.architecture, info?.device, info?.description].filter(part => part)
  return parts.join(' ') || 'WebGPU adapter that does not tell its name'
}
