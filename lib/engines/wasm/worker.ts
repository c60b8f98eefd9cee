/**
 * A thread of the WebAssembly engine. Becomes one string, lib/generated/wasm_worker.ts, that runs in Node and in
 * browsers.
 */
import { type BlasBinding, bindSgemm } from '../native/bind.js'
import type { OnednnBinding } from '../native/onednn/binding.js'
import { bindExecute } from '../native/onednn/execute.js'
import { instantiate, noLibrary } from './exports.js'

/** What a worker is told when it starts. */
export interface WorkerStart {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  /** Byte offset of the control block, and of the word in it that says a worker has died. */
  control: number
  failed: number
  thread: number
  /** On the native engine. */
  blas?: BlasBinding
  onednn?: OnednnBinding
}

interface Port {
  postMessage(message: unknown): void
}

/** Never returns while all is well: the thread then belongs to the module's own loop. */
function begin(port: Port, { module, memory, control, failed, thread, blas, onednn }: WorkerStart): void {
  const refuse = () => {
    throw new Error('only the main thread may ask for this')
  }
  try {
    const sgemm = blas && nodeRequire ? bindSgemm(nodeRequire, blas, memory) : noLibrary.sgemm
    const execute =
      onednn && nodeRequire
        ? bindExecute(nodeRequire(onednn.koffi) as typeof import('koffi'), onednn, memory, thread, (what, at) =>
            betweenPrimitives(what, at),
          )
        : noLibrary.execute
    const others = { ...noLibrary, reserve: refuse, workerDied: refuse, wake: refuse }
    const { serve, betweenPrimitives } = instantiate(module, memory, { ...others, sgemm, execute })
    port.postMessage('ready')
    serve(control, thread)
  } catch (error) {
    const words = new Int32Array(memory.buffer)
    Atomics.store(words, failed >> 2, 1)
    throw error
  }
}

/**
 * Node's `require`, or what gives its modules: Node 20 has the one among the globals of an evaluated worker, Bun and
 * Deno the other. There is neither in a browser.
 */
function findRequire(): ((name: string) => unknown) | undefined {
  const { require, process } = globalThis as {
    require?: (name: string) => unknown
    process?: { getBuiltinModule?: (name: string) => unknown }
  }
  if (require) return require
  const nodeModule = process?.getBuiltinModule?.('node:module') as typeof import('node:module') | undefined
  return nodeModule?.createRequire('file:///')
}

const nodeRequire = findRequire()
if (nodeRequire) {
  const port = (nodeRequire('node:worker_threads') as typeof import('node:worker_threads')).parentPort!
  port.once('message', (start: WorkerStart) => begin(port, start))
} else {
  addEventListener('message', event => begin(globalThis as unknown as Port, event.data as WorkerStart), { once: true })
}
