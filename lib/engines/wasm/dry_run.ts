import type { DryRun, Kernels, PreparedConvolutions, Workspace } from '../../engine.js'
import { type Heap, Memory } from '../../memory.js'
import { instantiate, noLibrary, type WasmExports } from './exports.js'

const PAGE = 65536
const BYTES = 4

/** What an engine makes of an instance of the module. */
export interface Bound {
  readonly kernels: Partial<Kernels>
  readonly prepared: PreparedConvolutions
}

/**
 * What kernels take for themselves, as they say it: in an instance of the module that has no thread they cut their
 * work and ask for workspace, and compute nothing. Its memory holds what the module keeps and a job, no values; a
 * kernel that writes to the workspace it asked for traps. `table` is the engine's.
 */
export function dryRunner(
  module: WebAssembly.Module,
  table: Kernels,
  bind: (exports: WasmExports, plain: Kernels) => Bound,
) {
  let exports: WasmExports | undefined
  /** Bytes for each thread, and for all of them. */
  const asked = [0, 0]
  return (calls: (dry: DryRun) => void): Workspace => {
    exports ??= dryInstance(module, (slot, bytes) => {
      asked[slot] = bytes
    })
    exports.start(PAGE, 0, false)
    asked.fill(0)
    let kept = 0
    const heap: Heap = {
      allocate(length) {
        kept += BYTES * length
        return { array: new Float32Array(0), pointer: 0 }
      },
      release() {},
    }
    // what WebAssembly does not have takes nothing; the table may have grown since the last run
    const idle = mapFunctions(table, () => () => {})
    // bound anew: buffers that bindings keep between calls are counted in every run
    const { kernels, prepared } = bind(exports, idle)
    const nothing = new Memory(0, heap)
    calls({
      kernels: { ...idle, ...onNothing(kernels, nothing) },
      prepared: onNothing(prepared, nothing),
    })
    return { own: asked[0], shared: asked[1] + kept }
  }
}

type AnyFunction = (...args: unknown[]) => unknown

const mapFunctions = <T extends object>(table: T, change: (call: AnyFunction) => AnyFunction): T =>
  Object.fromEntries(Object.entries(table).map(([name, call]) => [name, change(call as AnyFunction)])) as T

/** The same functions, which get `nothing` for every memory: values of a net are neither made nor marked as changed. */
function onNothing<T extends object>(table: T, nothing: Memory): T {
  const plain = (argument: unknown): unknown =>
    argument instanceof Memory ? nothing : Array.isArray(argument) ? argument.map(plain) : argument
  return mapFunctions(
    table,
    call =>
      (...args) =>
        call(...args.map(plain)),
  )
}

function dryInstance(module: WebAssembly.Module, ask: (slot: number, bytes: number) => void): WasmExports {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true })
  return instantiate(module, memory, {
    reserve(slot, bytes) {
      // WebAssembly numbers come signed
      ask(slot, bytes >>> 0)
      return 2 * PAGE
    },
    workerDied() {},
    wake() {},
    ...noLibrary,
  })
}
