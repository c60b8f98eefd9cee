import type { ConvolutionShape, HostEngine, Kernels } from '../engine.js'
import { EngineError } from '../errors.js'
import { isNode } from '../system/nodejs.js'
import { withBounds } from './bounds.js'
import { findBlas } from './native/blas.js'
import { convolver } from './native/onednn/convolve.js'
import { joiner } from './native/onednn/join.js'
import type { Runner } from './native/onednn/kept.js'
import { openOnednn } from './native/onednn/open.js'
import { recurrences } from './native/onednn/recurrence.js'
import { jsKernels } from './plain_loops.js'
import { fusing } from './wasm/after.js'
import { convolutionTaker, preparedConvolutions, withPreparedBounds } from './wasm/bind/convolution.js'
import { bounds, wasmKernels } from './wasm/bind/index.js'
import { dryRunner } from './wasm/dry_run.js'
import type { WasmExports } from './wasm/exports.js'
import { isMatrixProduct, manyAxes } from './wasm/many_axes.js'
import type { Pool } from './wasm/pool.js'
import { wasmRuntime } from './wasm/runtime.js'
import { buildWasmEngine, type WasmEngineOptions } from './wasm.js'

const engines = new Map<string, Promise<{ engine: HostEngine; pool: Pool }>>()

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
  let entry = engines.get(key)
  // an engine whose worker has died is not given out again
  if (entry && (await entry.catch(() => undefined))?.pool.broken !== false) entry = undefined
  if (!entry) {
    entry = build(options)
    engines.set(key, entry)
  }
  return (await entry).engine
}

async function build(options: WasmEngineOptions): Promise<{ engine: HostEngine; pool: Pool }> {
  const blas = await findBlas()
  const onednn = blas.onednn === undefined ? undefined : await openOnednn(blas.koffi, blas.onednn)
  const { engine: wasm, pool, counting } = await buildWasmEngine(options, blas.binding, onednn?.binding)
  const { module, heap } = await wasmRuntime()
  const threads = `${wasm.threads} thread${wasm.threads === 1 ? '' : 's'}`
  const { kernels, prepared } = nativeKernels(pool.exports)
  const runner: Runner = {
    heap,
    threads: pool.threads,
    run: (table, chunks) => pool.exports.runPrimitives(table, chunks),
    tilePoints: pool.exports.tilePoints,
    lstm: pool.exports.lstmOfTable,
  }
  const isWinograd = (s: ConvolutionShape) => prepared.length(s) > 0
  const byPrimitive = onednn && convolver(onednn.library, runner, isWinograd)
  const byTable = onednn && recurrences(onednn.library, runner, pool.exports)
  const dryRun = dryRunner(module, jsKernels, nativeKernels)
  const engine: HostEngine = {
    ...wasm,
    name: 'native',
    detail: `${blas.measured ?? blas.name}${onednn ? `; primitives of oneDNN ${onednn.library.version.join('.')}` : ''}, ${threads}`,
    kernels: withBounds(
      {
        ...jsKernels,
        ...kernels,
        convolution(...call) {
          if (!byPrimitive?.convolution(...call)) kernels.convolution(...call)
        },
        convolutionInputGradient(...call) {
          if (!byPrimitive?.inputGradient(...call)) kernels.convolutionInputGradient(...call)
        },
        lstm(...call) {
          if (!byTable?.lstm(...call)) kernels.lstm(...call)
        },
        lstmGradient(...call) {
          if (!byTable?.lstmGradient(...call)) kernels.lstmGradient(...call)
        },
        rnn(...call) {
          if (!byTable?.rnn(...call)) kernels.rnn(...call)
        },
        rnnGradient(...call) {
          if (!byTable?.rnnGradient(...call)) kernels.rnnGradient(...call)
        },
      },
      bounds,
    ),
    prepared: withPreparedBounds(prepared),
    dryRun: counting(byPrimitive && byTable ? byTable.counting(byPrimitive.counting(dryRun)) : dryRun),
    join: onednn && joiner(onednn.library, runner, isWinograd),
  }
  return { engine, pool }
}

/** The module's kernels, those that call sgemm in place of the others. */
function nativeKernels(exports: WasmExports, plain?: Kernels) {
  exports.useBlas()
  const taken = convolutionTaker(exports)
  /** What the taps see is written out for one row of outputs at least; kernels too large for it are the module's own. */
  const take = (s: ConvolutionShape) => isLowered(s) && taken(s)
  const many = manyAxes(exports, exports.blasGemm)
  const wasm = wasmKernels(exports, plain)
  const { begin, end } = fusing(exports)
  const other = (s: ConvolutionShape) => (s.input.length > 2 && isMatrixProduct(s) ? many : wasm)
  const kernels = {
    ...wasm,
    gemm(transA, transB, M, N, K, alpha, A, B, beta, C) {
      exports.blasGemm(transA, transB, M, N, K, alpha, A.pointer, B.pointer, beta, C.pointer)
    },
    convolution(s, x, w, bias, y, after) {
      if (!take(s)) return other(s).convolution(s, x, w, bias, y, after)
      const [px, pw, pb, py] = [x.pointer, w.readPointer, bias ? bias.readPointer : 0, y.pointer]
      begin(after)
      try {
        exports.blasConvolution(px, pw, pb, py)
      } finally {
        end(after)
      }
    },
    convolutionInputGradient(s, dy, w, dx) {
      if (take(s)) exports.blasConvolutionInputGradient(dy.pointer, w.pointer, dx.pointer)
      else other(s).convolutionInputGradient(s, dy, w, dx)
    },
    convolutionWeightGradient(s, x, dy, dw) {
      if (take(s)) exports.blasConvolutionWeightGradient(x.pointer, dy.pointer, dw.pointer)
      else other(s).convolutionWeightGradient(s, x, dy, dw)
    },
  } satisfies Partial<Kernels>
  return { kernels, prepared: preparedConvolutions(exports, true) }
}

/** Most values of a piece that is written out for sgemm: 512 MiB. */
const PIECE = 2 ** 27

/** Whether the pieces of kernels/wasm/blas_convolution.ts, at their smallest, are of a size to be written. */
function isLowered(s: ConvolutionShape): boolean {
  if (s.input.length > 2 || s.channels === 0) return true
  const w = s.input.length - 1
  const [KH, DH, OH] = w > 0 ? [s.kernel[0], s.dilation[0], s.output[0]] : [1, 1, 1]
  const overlap = (KH - 1) * (KH > 1 ? DH : 0)
  const [KW, OW] = [s.kernel[w], s.output[w] + 32]
  const [channels, outputs] = [s.channels / s.group, s.outputs / s.group]
  const row = channels * KW * (KH + 3 * overlap) * OW
  const plane = KW * Math.max((OH + overlap) * OW, KH * (OH + 1056), KH * OH * OW)
  return row <= PIECE && plane <= PIECE && outputs * 1056 <= PIECE
}
