import type { Constants, Dims, GpuKernel } from '../../gpu_kernel.js'
import type { Backend, Native, NativeTensor, Program } from './backend.js'
import { type GpuJs, type GpuJsKernel, type TextureResult, textureSize } from './gpujs.js'
import { portableSource } from './portable_source.js'

/** The modes on a GL context, webgl2, webgl and headlessgl: values are textures, calls return before the device is done. */
export function createGlBackend(lib: GpuJs, mode: 'webgl2' | 'webgl' | 'headlessgl'): Backend {
  const gpu = new lib.GPU({ mode })

  function compile(kernel: GpuKernel, output: Dims, constants: Constants): Program {
    // without `tactic` small kernels would compute in less than single precision where the device has less
    const settings = {
      output: [...output],
      precision: 'single',
      tactic: 'precision',
      pipeline: true,
      immutable: true,
      constants,
      functions: kernel.functions.map(text => portableSource(text, lib)),
    }
    const compiled: GpuJsKernel = gpu.createKernel(portableSource(kernel.source(constants), lib), settings)
    return {
      run: args => compiled(...args.map(arg => (typeof arg === 'number' ? arg : asTensor(arg)))) as Native,
      destroy: () => compiled.kernel.destroy(),
    }
  }

  // the first kernel makes the context, and shows how a result of this mode is made
  const pattern = compile({ name: 'pattern', source: () => 'function () { return 1.5 }', functions: [] }, [1, 1, 1], {}).run(
    [],
  ) as TextureResult
  const gl = pattern.context
  const Texture = pattern.constructor as new (settings: object) => TextureResult
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
    return new Texture({ ...pattern, texture, size, dimensions: dims, output: dims, context: gl, kernel: pattern.kernel })
  }

  function download(native: Native, length: number): Float32Array {
    const texels = (native as TextureResult).renderRawOutput()
    const values = new Float32Array(length)
    // float textures are read in four channels, of which the first holds the value
    for (let i = 0; i < length; i++) values[i] = texels[4 * i]
    return values
  }

  return {
    mode,
    detail: adapterName(gl),
    uploadsAtOnce: true,
    longRows: false,
    compile,
    layout: native => `${(native as TextureResult).size[0]}x${(native as TextureResult).size[1]}`,
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

function adapterName(gl: WebGL2RenderingContext): string {
  const info = gl.getExtension('WEBGL_debug_renderer_info')
  return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
}
