import { EngineError } from '../../errors.js'
import type { Block } from '../../memory.js'
import { importNode, importNodeLater } from '../../system/nodejs.js'
import { startLimit } from '../../system/start_limit.js'
import type { BlasBinding } from '../native/bind.js'
import type { OnednnBinding } from '../native/onednn/binding.js'
import { instantiate, noLibrary, type WasmExports } from './exports.js'
import { isNode, type Runtime } from './runtime.js'
import type { WorkerStart } from './worker.js'

/** Values in the control block, and where in it (bytes) a dying worker leaves word. See kernels/wasm/threads.ts. */
const CONTROL_LENGTH = 256
const FAILED = 192
const QUIT = 196

/** A module instance for the calling thread, and the workers that help it. */
export interface Pool {
  readonly exports: WasmExports
  readonly threads: number
  /** Settles when all workers are at work, and starts them; kernels may run before, on those that are. */
  readonly ready: Promise<void>
  /** Kernels of the calling thread that still run at that time (performance.now()) throw; undefined ends it. */
  limitTime(until: number | undefined): void
  /** Set when a worker has died: the pool is of no further use. */
  readonly broken: boolean
}

/** How many threads can work here, if nobody says otherwise. */
export async function availableThreads(): Promise<number> {
  if (isNode) {
    const os = await importNode('node:os')
    return os.availableParallelism()
  }
  return globalThis.navigator?.hardwareConcurrency ?? 1
}

/** Why memory cannot be shared with workers here, or undefined if it can. */
export function sharingRefused(): string | undefined {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated
  return !isNode && isolated === false ? 'the page is not cross-origin isolated' : undefined
}

export interface PoolOptions {
  workerUrl?: string | URL
  /** The library whose sgemm the native engine's passes call. */
  blas?: BlasBinding
  /** The oneDNN whose primitives they call. */
  onednn?: OnednnBinding
  /** How long a thread may take to start, in ms. */
  limit?: number
}

/**
 * A pool of `threads − 1` workers. In a browser it waits for them; in Node they start with the first job that they can
 * take part in, or when somebody asks whether they are ready, and take their time beside what the caller does.
 */
export async function createPool(
  { module, heap }: Runtime,
  threads: number,
  { workerUrl, blas, onednn, limit }: PoolOptions = {},
): Promise<Pool> {
  const control = heap.allocate(CONTROL_LENGTH)
  const words = new Int32Array(control.array.buffer, control.pointer, CONTROL_LENGTH)
  const blocks: (Block | undefined)[] = []
  let reason = ''
  const native = blas && (await importNode('node:module')).createRequire(blas.koffi)
  let { sgemm, execute } = noLibrary
  if (native) {
    const { bindSgemm } = await import('../native/bind.js')
    sgemm = bindSgemm(native, blas, heap.memory)
  }
  if (native && onednn) {
    const { bindExecute } = await import('../native/onednn/execute.js')
    execute = bindExecute(native(onednn.koffi), onednn, heap.memory, 0, (what, at) =>
      pool.exports.betweenPrimitives(what, at),
    )
  }
  let starting: Promise<void> | undefined
  let end = Number.POSITIVE_INFINITY
  const pool = {
    threads,
    limitTime(until: number | undefined) {
      end = until ?? Number.POSITIVE_INFINITY
      pool.exports.limitTime(until !== undefined)
    },
    get ready(): Promise<void> {
      return (starting ??= startWorkers())
    },
    broken: false,
    exports: instantiate(module, heap.memory, {
      sgemm,
      execute,
      reserve(slot, bytes) {
        // WebAssembly numbers come signed
        const length = (bytes >>> 0) / 4
        const old = blocks[slot]
        blocks[slot] = undefined
        if (old) heap.release(old)
        return (blocks[slot] = heap.allocate(length)).pointer
      },
      wake() {
        void pool.ready
      },
      isLate: () => performance.now() > end,
      outOfTime() {
        throw new EngineError('the time of the pass was up while it ran (timeLimit), and what it gives is unfinished')
      },
      workerDied() {
        fail('it stopped in the middle of a kernel')
        throw new EngineError(`a worker of the wasm engine has died: ${reason}; create the net again`)
      },
    }),
  }
  /** Every later dispatch throws; workers that are still alive return. */
  const fail = (why: string) => {
    reason ||= why
    pool.broken = true
    Atomics.store(words, FAILED / 4, 1)
    Atomics.store(words, QUIT / 4, 1)
    Atomics.notify(words, 1)
  }
  pool.exports.start(control.pointer, threads, mayWait(words))
  const start = (thread: number): WorkerStart => ({
    module,
    memory: heap.memory,
    control: control.pointer,
    failed: control.pointer + FAILED,
    thread,
    blas,
    onednn,
  })
  // one thread has no worker, and needs no program of one
  const isOwn = threads > 1 && (isNode || workerUrl === undefined)
  const program = isOwn ? (await import('../../generated/wasm_worker.js')).source : ''
  const spawn = isNode ? await nodeSpawner(program) : browserSpawner(program, workerUrl)
  const refuse = (error: unknown): never => {
    const why = `could not start: ${(error as Error).message}; use threads: 1`
    fail(`it ${why}`)
    throw new EngineError(`a worker of the wasm engine ${why}`, { cause: error })
  }
  const startWorkers = (): Promise<void> => {
    let ready: Promise<void>
    try {
      const workers = Array.from({ length: threads - 1 }, (_, i) => spawn(start(i + 1), fail, limit))
      ready = Promise.all(workers).then(() => {}, refuse)
    } catch (error) {
      refuse(error)
    }
    // whoever waits for it is told; nobody has to
    ready!.catch(() => {})
    return ready!
  }
  if (isNode) refuseForbidden(refuse, threads)
  else await pool.ready
  // the control block must outlive every worker
  pinned.push(control)
  return pool
}

/** Where a program may start no workers, that is to be known before the first pass. */
function refuseForbidden(refuse: (error: Error) => never, threads: number): void {
  const { permission } = process as { permission?: { has(scope: string): boolean } }
  if (threads > 1 && permission && !permission.has('worker'))
    refuse(new Error('the process has no permission to start workers (--allow-worker)'))
}

const pinned: Block[] = []

/**
 * A browser's main thread may not wait, only spin. A wait for a value that is not there returns at once wherever
 * waiting is allowed.
 */
function mayWait(words: Int32Array): boolean {
  try {
    Atomics.wait(words, 0, -1, 0)
    return true
  } catch {
    return false
  }
}

/** Starts one worker; resolves when it is ready. `died` is called if it ends later on. */
type Spawn = (start: WorkerStart, died: (why: string) => void, limit?: number) => Promise<void>

async function nodeSpawner(program: string): Promise<Spawn> {
  const threads = await importNodeLater('node:worker_threads')
  return (start, died, limit) => {
    const { Worker } = threads()
    // where workers are forbidden this throws at once
    const worker = new Worker(program, { eval: true, execArgv: [], name: 'ristretto-wasm' })
    return answerOf(worker, limit, (resolve, reject) => {
      worker.once('message', () => {
        worker.unref()
        resolve()
      })
      worker.once('error', error => {
        died(error.message)
        reject(error)
      })
      worker.once('exit', code => {
        died(`it exited with code ${code}`)
        reject(new Error(`it exited with code ${code}`))
      })
      worker.postMessage(start)
    })
  }
}

function browserSpawner(program: string, workerUrl?: string | URL): Spawn {
  return (start, died, limit) => {
    const url = workerUrl ?? URL.createObjectURL(new Blob([program], { type: 'text/javascript' }))
    const worker = new Worker(url, { name: 'ristretto-wasm' })
    return answerOf(worker, limit, (resolve, reject) => {
      worker.onmessage = () => {
        if (workerUrl === undefined) URL.revokeObjectURL(url as string)
        resolve()
      }
      worker.onerror = event => {
        const why = event.message || 'its script was refused (a content security policy needs the workerUrl option)'
        died(why)
        reject(new Error(why))
      }
      worker.postMessage(start)
    })
  }
}

/** Waits for a worker's first word; one that says nothing in time is ended. */
function answerOf(
  worker: { terminate(): unknown },
  limit: number | undefined,
  listen: (resolve: () => void, reject: (error: Error) => void) => void,
): Promise<void> {
  let started: () => void
  return new Promise<void>((resolve, reject) => {
    started = startLimit(why => {
      worker.terminate()
      reject(new Error(why))
    }, limit)
    listen(resolve, reject)
  }).finally(() => started())
}
