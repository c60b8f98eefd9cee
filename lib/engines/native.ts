import type { HostEngine, Kernels } from '../engine.js'
import { EngineError } from '../errors.js'
import { isNode } from '../system/files.js'
import { findBlas } from './native/blas.js'
import { fusing } from './wasm/after.js'
import { dryRunner } from './wasm/dry_run.js'
import type { WasmExports } from './wasm/exports.js'
import { convolutionTaker, preparedConvolutions, wasmKernels } from './wasm/kernels.js'
import { isMatrixProduct, manyAxes } from './wasm/many_axes.js'
import { wasmRuntime } from './wasm/runtime.js'
import { buildWasmEngine, type WasmEngineOptions } from './wasm.js'

const engines = new Map<string, Promise<HostEngine>>()

/**
 * The wasm engine with the system's BLAS for matrix products and convolutions, on the same shared memory. Node only;
 * needs the optional package koffi and a BLAS. Throws an EngineError that says what is missing.
 */
export async function createNativeEngine(options: WasmEngineOptions = {}): Promise<HostEngine> {
  const engine = await startNativeEngine(options)
  await engine.ready
  return engine
}

/** The same, while its threads may still be on their way: see Engine.ready. */
export async function startNativeEngine(options: WasmEngineOptions = {}): Promise<HostEngine> {
  if (!isNode) throw new EngineError('engine native calls the system BLAS, which a browser has none of; use wasm')
  const key = `${options.threads ?? 'all'} ${process.env.RISTRETTO_BLAS ?? ''}`
  let engine = engines.get(key)
  if (!engine) {
    engine = build(options)
    engines.set(key, engine)
    engine.then(({ ready }) => ready).catch(() => engines.delete(key))
  }
  return engine
}

async function build(options: WasmEngineOptions): Promise<HostEngine> {
  const blas = await findBlas()
  const { engine: wasm, pool } = await buildWasmEngine(options, blas.binding)
  const { module } = await wasmRuntime()
  const threads = `${wasm.threads} thread${wasm.threads === 1 ? '' : 's'}`
  const { kernels, prepared } = nativeKernels(pool.exports)
  return {
    ...wasm,
    name: 'native',
    detail: `${blas.name}, ${threads}`,
    kernels: { ...wasm.kernels, ...kernels },
    prepared,
    dryRun: dryRunner(module, nativeKernels),
  }
}

/** The module's kernels, those that call sgemm in place of the others. */
function nativeKernels(exports: WasmExports) {
  exports.useBlas()
  const take = convolutionTaker(exports)
  const many = manyAxes(exports, exports.blasGemm)
  const wasm = wasmKernels(exports)
  const { begin, end } = fusing(exports)
  const kernels = {
    ...wasm,
    gemm(transA, transB, M, N, K, alpha, A, B, beta, C) {
      exports.blasGemm(transA, transB, M, N, K, alpha, A.pointer, B.pointer, beta, C.pointer)
    },
    convolution(s, x, w, bias, y, after) {
      if (!take(s)) return (isMatrixProduct(s) ? many : wasm).convolution(s, x, w, bias, y, after)
      const [px, pw, pb, py] = [x.pointer, w.readPointer, bias ? bias.readPointer : 0, y.pointer]
      begin(after)
      exports.blasConvolution(px, pw, pb, py)
      end(after)
    },
    convolutionInputGradient(s, dy, w, dx) {
      if (take(s)) exports.blasConvolutionInputGradient(dy.pointer, w.pointer, dx.pointer)
      else (isMatrixProduct(s) ? many : wasm).convolutionInputGradient(s, dy, w, dx)
    },
    convolutionWeightGradient(s, x, dy, dw) {
      if (take(s)) exports.blasConvolutionWeightGradient(x.pointer, dy.pointer, dw.pointer)
      else (isMatrixProduct(s) ? many : wasm).convolutionWeightGradient(s, x, dy, dw)
    },
  } satisfies Partial<Kernels>
  return { kernels, prepared: preparedConvolutions(exports, true) }
}
