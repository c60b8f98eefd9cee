import { EngineError } from '../../errors.js'
import { MOST_ROUNDS } from './backend.js'
import type { GpuJs } from './gpujs.js'

/** What a kernel becomes on a device. */
export interface ShaderText {
  /** The whole module that WebGPU compiles. */
  readonly wgsl: string
  /** The functions that WebGL 2 compiles; what reads textures is put before them. */
  readonly glsl: string
}

/**
 * A portable kernel as the text that a page's devices compile: where there is no device it is made as well, so that what
 * cannot be translated is refused before a page meets it. Throws an EngineError that names the kernel.
 */
export function shaderText(
  name: string,
  source: string,
  settings: { readonly output: readonly number[]; readonly functions: readonly string[]; readonly constants: object },
  args: readonly unknown[],
  lib: GpuJs,
): ShaderText {
  let language = 'WGSL'
  try {
    const kernel = new lib.WebGPUKernel(source, {
      ...settings,
      output: [...settings.output],
      precision: 'single',
      loopMaxIterations: MOST_ROUNDS,
    })
    kernel.setupConstants()
    kernel.setupArguments(args)
    kernel.validateSettings(args)
    kernel.threadDim = [...settings.output]
    kernel.translateSource()
    kernel.paramsLayout = kernel.computeParamsLayout()
    const wgsl = kernel.assembleWGSL()
    language = 'GLSL'
    const builder = lib.FunctionBuilder.fromKernel(kernel, lib.WebGL2FunctionNode, {
      fixIntegerDivisionAccuracy: false,
    })
    const glsl = builder.getPrototypeString('kernel')
    return { wgsl, glsl }
  } catch (error) {
    throw new EngineError(`kernel '${name}' cannot be translated to ${language}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
