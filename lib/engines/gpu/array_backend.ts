import { EngineError } from '../../errors.js'
import type { Constants, Dims, GpuKernel } from '../../gpu_kernel.js'
import { type Backend, MOST_ROUNDS, type Native, type NativeTensor, type Program, threadsOf } from './backend.js'
import type { GpuJs } from './gpujs.js'
import { portableKernel } from './portable_source.js'
import { shaderText } from './shader_text.js'

/** Texts that a page's devices take, by all that decides it: sizes do not. */
const translated = new Set<string>()
const MOST_TRANSLATED = 1024

/** The modes without a device, webasm and cpu: values are Float32Arrays, and every call is synchronous. */
export function createArrayBackend(lib: GpuJs, mode: 'webasm' | 'cpu'): Backend {
  const gpu = new lib.GPU({ mode })

  function compile(
    kernel: GpuKernel,
    output: Dims,
    constants: Constants,
    args: readonly (NativeTensor | number)[],
  ): Program {
    const width = kernel.width ?? 1
    const threads = threadsOf(kernel, output)
    const { source, functions } = portableKernel(kernel, constants, args, lib)
    const given = args.map(arg => (typeof arg === 'number' ? arg : input(arg)))
    const wholes = Object.entries(constants).map(([name, value]) => [name, Number.isInteger(value)])
    const text = JSON.stringify([source, functions, wholes, args.map(arg => Number.isInteger(arg) || typeof arg)])
    if (!translated.has(text)) {
      shaderText(kernel.name, source, { output: threads, functions, constants }, given, lib)
      if (translated.size >= MOST_TRANSLATED) translated.clear()
      translated.add(text)
    }
    const settings = {
      output: [...threads],
      precision: 'single',
      constants,
      functions,
      loopMaxIterations: MOST_ROUNDS,
    }
    const compiled = gpu.createKernel(source, settings)
    // flat values are wanted, not arrays of arrays
    if (compiled.kernel._shapeOutput) compiled.kernel._shapeOutput = data => data
    return {
      run(args) {
        const result = compiled(...args.map(arg => (typeof arg === 'number' ? arg : input(arg))))
        const { fallbackReason } = compiled.kernel
        if (fallbackReason) throw new EngineError(`kernel '${kernel.name}' cannot run as ${mode}: ${fallbackReason}`)
        return result instanceof Float32Array ? result : flat(result as Rows, threads, width)
      },
      destroy: () => compiled.kernel.destroy(),
    }
  }

  function input({ native, dims }: NativeTensor): unknown {
    const values = native as Float32Array
    const length = dims[0] * dims[1] * dims[2]
    return new lib.Input(values.length === length ? values : fitted(values, length), [...dims])
  }

  return {
    mode,
    detail: mode === 'webasm' ? 'gpu.js on WebAssembly, no device' : 'gpu.js as plain JavaScript, no device',
    uploadsAtOnce: false,
    mostRows: 1,
    longRows: true,
    compile,
    layout: () => '',
    upload: values => values,
    download: native => native as Float32Array,
    delete(_native: Native) {},
    settle: async () => {},
    lossReason: () => undefined,
    destroy: () => gpu.destroy(),
  }
}

/** The first `length` values, or all of them and zeros: a folded tensor may reach past its end. */
function fitted(values: Float32Array, length: number): Float32Array {
  if (values.length > length) return values.subarray(0, length)
  const longer = new Float32Array(length)
  longer.set(values)
  return longer
}

/** Rows of rows, of numbers or of vectors. */
type Rows = ArrayLike<ArrayLike<Float32Array | ArrayLike<Float32Array>>>

/** Rows of rows as one array. */
function flat(rows: Rows, [x, y, z]: Dims, width: number): Float32Array {
  const values = new Float32Array(x * y * z * width)
  let at = 0
  for (let k = 0; k < z; k++)
    for (let j = 0; j < y; j++) {
      const row = rows[k][j]
      if (width === 1) values.set(row as Float32Array, at)
      else for (let i = 0; i < x; i++) values.set((row as ArrayLike<Float32Array>)[i], at + i * width)
      at += x * width
    }
  return values
}
