import type { Sgemm } from '../native/bind.js'
import type { Execute } from '../native/onednn/execute.js'
import type { KernelExports } from './bind/index.js'

/**
 * What the WebAssembly module exports, with byte offsets in place of memories: scripts/wasm-entry.ts makes its entry
 * from these declarations, each name once.
 */
export interface WasmExports extends KernelExports {
  start(control: number, threads: number, mainMayWait: boolean): void
  /** Whether the calling thread asks `isLate` before each chunk. */
  limitTime(on: boolean): void
  serve(control: number, thread: number): void
  countChunks(chunks: number, counters: number): void
  /** Jobs that were offered to the workers so far, and their chunks. */
  dispatches(): number
  chunksDispatched(): number
  /** Runs so many chunks of a table of primitives: see native/onednn/execute.ts. */
  runPrimitives(table: number, chunks: number): void
  /** What is done between primitives, described at that byte offset, on the calling thread. */
  betweenPrimitives(what: number, at: number): void
  /** The 36 points of 3×3 filters for those products: see kernels/wasm/winograd.ts. `outputs` is a multiple of 8. */
  tilePoints(inputs: number, outputs: number, w: number, to: number): void
  /** Recurrent kernels have their products by such a table from now on, a chunk being so many streams; 0: by themselves. */
  useTable(table: number, streams: number, products: number): void
  /** An LSTM's sequence by a table, cut into so many units of so many streams: see kernels/wasm/lstm_table.ts. */
  lstmOfTable(
    steps: number,
    batch: number,
    hidden: number,
    units: number,
    streams: number,
    table: number,
    cont: number,
    gates: number,
    conted: number,
    products: number,
    h: number,
    c: number,
    y: number,
  ): void
  /** Slot 0 ← the sum of `n` slots, a tree; offsets and strides are multiples of 16 bytes. Needs no `start`. */
  treeSum(base: number, stride: number, n: number, from: number, to: number): void
}

/** What the module asks of its host. */
export interface WasmImports extends WebAssembly.ModuleImports {
  /** A block of at least `bytes`; the one that was returned for this slot before is void. */
  reserve(slot: number, bytes: number): number
  /** Throws. */
  workerDied(): void
  /** Starts the workers, once, before the first job that they can take part in. */
  wake(): void
  /** Whether the time of a pass is up: asked before a chunk, after limitTime(true). */
  isLate(): boolean
  /** Throws the error that says so. */
  outOfTime(): void
  /** The system's BLAS, on the native engine; the passes of the wasm engine never ask for it. */
  sgemm: Sgemm
  /** Its oneDNN likewise. */
  execute: Execute
}

/** What an instance is given without the system's libraries and without limits. */
export const noLibrary: Pick<WasmImports, 'sgemm' | 'execute' | 'isLate' | 'outOfTime'> = {
  isLate: () => false,
  outOfTime: () => {},
  sgemm: () => {
    throw new Error('only the native engine has a BLAS')
  },
  execute: () => {
    throw new Error('only the native engine has primitives')
  },
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, engine: WasmImports): WasmExports {
  return new WebAssembly.Instance(module, { env: { memory }, engine }).exports as unknown as WasmExports
}
