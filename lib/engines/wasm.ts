import * as plain from '../../kernels/js/common.js'
import type { HostEngine } from '../engine.js'
import { EngineError } from '../errors.js'
import { withBounds } from './bounds.js'
import { fetchKernels, type Late, openTable } from './late_kernels.js'
import type { BlasBinding } from './native/bind.js'
import type { OnednnBinding } from './native/onednn/binding.js'
import { wasmFuses } from './wasm/after.js'
import { bindCommon, commonBounds } from './wasm/bind/common.js'
import { preparedConvolutions, withPreparedBounds } from './wasm/bind/convolution.js'
import { dryRunner } from './wasm/dry_run.js'
import { availableThreads, createPool, type Pool, sharingRefused } from './wasm/pool.js'
import { wasmRuntime } from './wasm/runtime.js'
import { scratchOn } from './wasm/scratch.js'

export interface WasmEngineOptions {
  /** Threads that compute, the calling one included; default: the cores this process may use. */
  threads?: number
  /** Where a browser loads the worker script from, if a content security policy forbids blob: URLs. */
  workerUrl?: string | URL
}

const MOST_THREADS = 64

const engines = new Map<number, Promise<{ engine: HostEngine; pool: Pool }>>()

/**
 * WebAssembly SIMD kernels over one shared memory, on several threads, every kernel at hand. All engines of a process share the memory; there
 * is one engine for each number of threads. Throws an EngineError where WebAssembly SIMD or shared memory is missing.
 */
export async function createWasmEngine(options: WasmEngineOptions = {}): Promise<HostEngine> {
  const engine = await startWasmEngine(options)
  await Promise.all([engine.ready, fetchKernels(engine)])
  return engine
}

/** The same, while threads and late kernels may still be on their way: see Engine.ready and fetchKernels. */
export async function startWasmEngine(options: WasmEngineOptions = {}): Promise<HostEngine> {
  const wanted = options.threads ?? (await availableThreads())
  if (!Number.isInteger(wanted) || wanted < 1)
    throw new EngineError(`threads must be a whole number from 1 on, not ${wanted}`)
  // a page that may not share memory has one thread, whatever was asked for; `threads` and `detail` say so
  const threads = sharingRefused() ? 1 : Math.min(wanted, MOST_THREADS)
  let entry = engines.get(threads)
  // an engine whose worker has died is not given out again
  if (entry && (await entry.catch(() => undefined))?.pool.broken !== false) entry = undefined
  if (entry === undefined) {
    entry = buildWasmEngine({ ...options, threads })
    engines.set(threads, entry)
  }
  return (await entry).engine
}

/** An engine of its own, with its pool; the native engine gives the pool a BLAS. */
export async function buildWasmEngine(
  options: WasmEngineOptions,
  blas?: BlasBinding,
  onednn?: OnednnBinding,
): Promise<{ engine: HostEngine; pool: Pool; counting: ReturnType<typeof scratchOn>['counting'] }> {
  const threads = options.threads ?? (await availableThreads())
  const runtime = await wasmRuntime()
  const pool = await createPool(runtime, threads, { workerUrl: options.workerUrl, blas, onednn })
  const { heap, fused } = runtime
  const { scratch, counting } = scratchOn(heap)
  const refused = sharingRefused()
  let late: Late | undefined
  const common = withBounds({ ...plain, ...bindCommon(pool.exports, plain) }, commonBounds)
  const kernels = openTable(common, (table, fetched) => {
    late = fetched
    const { plain, bindLate, lateBounds } = late
    Object.assign(table, withBounds({ ...plain, ...bindLate(pool.exports, plain) }, lateBounds))
  })
  const engine: HostEngine = {
    name: 'wasm',
    detail: `${fused ? 'fma' : 'no fma'}, ${threads} thread${threads === 1 ? '' : 's'}${refused ? ` (${refused})` : ''}`,
    threads,
    isHost: true,
    ready: whenAsked(pool),
    heap,
    kernels,
    fuses: wasmFuses,
    dryRun: counting(
      dryRunner(runtime.module, kernels, (exports, idle) => ({
        kernels: { ...bindCommon(exports, idle), ...late?.bindLate(exports, idle) },
        prepared: preparedConvolutions(exports, false),
      })),
    ),
    prepared: withPreparedBounds(preparedConvolutions(pool.exports, false)),
    limitTime: pool.limitTime,
    scratch,
  }
  pools.set(engine, pool)
  return { engine, pool, counting }
}

/** Waiting for the threads is what starts them, if no kernel has. */
const whenAsked = (pool: Pool): PromiseLike<void> => ({
  // biome-ignore lint/suspicious/noThenProperty: to be waited for, it must be awaitable
  then: (resolve, reject) => pool.ready.then(resolve, reject),
})

const pools = new WeakMap<HostEngine, Pool>()

/** The pool behind an engine that createWasmEngine gave out. */
export const poolOf = (engine: HostEngine): Pool | undefined => pools.get(engine)
