import { EngineError } from '../../errors.js'
import type { Constants, Dims, GpuKernel } from '../../gpu_kernel.js'
import { type Backend, MOST_ROUNDS, type Native, type NativeTensor, type Program, threadsOf } from './backend.js'
import { type GpuJs, type GpuJsKernel, type TextureResult, textureSize } from './gpujs.js'
import { portableKernel } from './portable_source.js'
import { glsl, wholeIndices } from './whole_indices.js'

/** A texture with one value a texel, or with four: what a kernel that computes four at once writes. */
interface Texture extends TextureResult {
  packed?: boolean
}

/** What is changed of a kernel of gpu.js. */
interface GlKernel {
  readonly kernelArguments: readonly { readonly id: string }[]
  _getMainArgumentsString(args: unknown): string
  getFragmentShader(args: unknown): string
}

/**
 * The modes on a GL context, webgl2, webgl and headlessgl: values are textures, calls return before the device is done.
 */
export function createGlBackend(lib: GpuJs, mode: 'webgl2' | 'webgl' | 'headlessgl'): Backend {
  const gpu = new lib.GPU({ mode, ...(mode === 'headlessgl' ? undefined : ownContext(mode)) })

  function compile(
    kernel: GpuKernel,
    output: Dims,
    constants: Constants,
    args: readonly (NativeTensor | number)[],
  ): Program {
    // without `tactic` small kernels would compute in less than single precision where the device has less
    const threads = threadsOf(kernel, output)
    const { source, functions } = portableKernel(kernel, constants, args, lib)
    const settings = {
      output: [...threads],
      precision: 'single',
      tactic: 'precision',
      pipeline: true,
      immutable: true,
      constants,
      functions,
      loopMaxIterations: MOST_ROUNDS,
    }
    const compiled: GpuJsKernel<GlKernel> = gpu.createKernel(source, settings)
    readDirectly(compiled.kernel, args, kernel.wholeIndices ?? false)
    const packed = kernel.width === 4
    return {
      run(values) {
        const result = compiled(...values.map(arg => (typeof arg === 'number' ? arg : asTensor(arg)))) as Texture
        if (packed) result.packed = true
        return result
      },
      destroy: () => compiled.kernel.destroy(),
    }
  }

  /**
   * Let the shader read its tensors through functions of their own, with all sizes written in: those of gpu.js divide
   * by sizes that the compiler does not know. Widths of textures are powers of two.
   */
  function readDirectly(kernel: GlKernel, args: readonly (NativeTensor | number)[], sums: boolean): void {
    const declared = kernel._getMainArgumentsString.bind(kernel)
    kernel._getMainArgumentsString = values => {
      const readers = kernel.kernelArguments.map(({ id }, i) => {
        const arg = args[i]
        return typeof arg === 'number' ? '' : reader(id, arg)
      })
      return declared(values) + readers.join('')
    }
    const whole = kernel.getFragmentShader.bind(kernel)
    kernel.getFragmentShader = values => {
      const text = whole(values).replace(/getFloatFromSampler2D\((\w+), \1Size, \1Dim, /g, 'read_$1(')
      return sums ? wholeIndices(text, glsl) : text
    }
  }

  function reader(name: string, { native, dims }: NativeTensor): string {
    const { size, packed } = native as Texture
    const [width, height] = size as unknown as [number, number]
    // without single-channel textures a value is the first of four channels
    const texel = mode === 'webgl2' ? `texture(${name}` : `texture2D(${name}`
    const place =
      mode === 'webgl2'
        ? `vec2(float(t & ${width - 1}), float(t >> ${Math.log2(width)}))`
        : `vec2(float(t - t / ${width} * ${width}), float(t / ${width}))`
    const value = `${texel}, (${place} + 0.5) * vec2(${float(1 / width)}, ${float(1 / height)}))`
    const channel = 'c < 2 ? (c == 0 ? v.r : v.g) : (c == 2 ? v.b : v.a)'
    const index = `x + ${dims[0]} * (y + ${dims[1]} * z)`
    return `float read_${name}(int z, int y, int x) { ${
      packed
        ? `int i = ${index}; int t = i / 4; int c = i - 4 * t; vec4 v = ${value}; return ${channel};`
        : `int t = ${index}; return ${value}.r;`
    } }\n`
  }

  // the first kernel makes the context, and shows how a result of this mode is made
  const pattern = compile(
    { name: 'pattern', source: () => 'function () { return 1.5 }', functions: [] },
    [1, 1, 1],
    {},
    [],
  ).run([]) as TextureResult
  const gl = pattern.context
  let readFrame: WebGLFramebuffer | undefined
  const TextureOf = pattern.constructor as new (settings: object) => TextureResult
  /** Floats of a texel: 1 where single-channel float textures exist, else 4. */
  const channels = pattern.textureFormat === gl.RGBA ? 4 : 1

  /** The texture with other sizes, as an argument. */
  function asTensor({ native, dims }: NativeTensor): TextureResult {
    return Object.assign(Object.create(native), { type: pattern.type, output: dims, dimensions: dims })
  }

  function upload(values: Float32Array): Native {
    const size = textureSize(values.length)
    const [width, height] = size
    const texels = new Float32Array(width * height * channels)
    if (channels === 1) texels.set(values)
    else for (let i = 0; i < values.length; i++) texels[4 * i] = values[i]
    const texture = gl.createTexture()
    gl.activeTexture(gl.TEXTURE15)
    gl.bindTexture(gl.TEXTURE_2D, texture)
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST)
    gl.texImage2D(gl.TEXTURE_2D, 0, pattern.internalFormat, width, height, 0, pattern.textureFormat, gl.FLOAT, texels)
    const dims = [values.length, 1, 1]
    return new TextureOf({
      ...pattern,
      texture,
      size,
      dimensions: dims,
      output: dims,
      context: gl,
      kernel: pattern.kernel,
    })
  }

  async function download(native: Native, length: number): Promise<Float32Array> {
    const texture = native as Texture
    const texels = mode === 'webgl2' ? await fetched(texture) : texture.renderRawOutput()
    if (texture.packed) return texels
    const values = new Float32Array(length)
    // float textures are read in four channels, of which the first holds the value
    for (let i = 0; i < length; i++) values[i] = texels[4 * i]
    return values
  }

  /**
   * The texels, without keeping the page waiting for what is queued before: they are copied into a buffer on the device,
   * and fetched when a fence says that it has them.
   */
  async function fetched({ texture, size }: Texture): Promise<Float32Array> {
    const [width, height] = [size[0], size[1]]
    const values = new Float32Array(4 * width * height)
    gl.bindFramebuffer(gl.FRAMEBUFFER, (readFrame ??= gl.createFramebuffer()))
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
    const buffer = gl.createBuffer()
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer)
    gl.bufferData(gl.PIXEL_PACK_BUFFER, values.byteLength, gl.STREAM_READ)
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, 0)
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    gl.bindFramebuffer(gl.FRAMEBUFFER, null)
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
    gl.flush()
    // a lost context makes no fence, and answers none
    while (fence && !gl.isContextLost()) {
      if (gl.clientWaitSync(fence, 0, 0) !== gl.TIMEOUT_EXPIRED) break
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    gl.deleteSync(fence)
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer)
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, values)
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    gl.deleteBuffer(buffer)
    return values
  }

  return {
    mode,
    detail: adapterName(gl),
    uploadsAtOnce: true,
    mostRows: 1,
    longRows: false,
    compile,
    layout: native =>
      `${(native as Texture).size[0]}x${(native as Texture).size[1]}${(native as Texture).packed ? 'x4' : ''}`,
    upload,
    download,
    delete: native => (native as TextureResult).delete(),
    settle: async () => {},
    lossReason: () => (gl.isContextLost() ? 'the WebGL context was lost' : undefined),
    async destroy() {
      ;(pattern as TextureResult).delete()
      await gpu.destroy()
    },
  }
}

/** A canvas and its context, on the faster of two adapters, that can hold float values. */
function ownContext(mode: 'webgl2' | 'webgl'): { canvas: unknown; context: unknown } {
  const canvas =
    typeof document === 'undefined'
      ? new OffscreenCanvas(2, 2)
      : Object.assign(document.createElement('canvas'), { width: 2, height: 2 })
  const settings = { alpha: false, depth: false, antialias: false, powerPreference: 'high-performance' }
  const context = canvas.getContext(mode, settings) as WebGLRenderingContext | null
  if (!context)
    throw new EngineError('the browser gives no context; it may have lost too many of them, load the page again')
  const needed = mode === 'webgl2' ? 'EXT_color_buffer_float' : 'OES_texture_float'
  if (!context.getExtension(needed))
    throw new EngineError(`the device cannot compute in single precision: it lacks ${needed}; use wasm`)
  return { canvas, context }
}

function adapterName(gl: WebGL2RenderingContext): string {
  const info = gl.getExtension('WEBGL_debug_renderer_info')
  return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
}

/** A number as shader languages write it: with a point. */
const float = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value))
