import { EngineError } from '../../errors.js'
import { garbageCollector } from '../../system/garbage.js'
import { importNode } from '../../system/nodejs.js'
import { WasmHeap } from './allocator.js'

const PAGE = 65536
const header = [0, 97, 115, 109, 1, 0, 0, 0]
/** A function () → v128. */
const vectorFunction = [1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0]
/** i8x16.splat of a constant; f32x4.relaxed_madd of three of them; a shared memory. */
const splat = [0x41, 0, 0xfd, 15]
const simd = new Uint8Array([...header, ...vectorFunction, 10, 8, 1, 6, 0, ...splat, 0x0b])
const relaxed = new Uint8Array([
  ...header,
  ...vectorFunction,
  10,
  19,
  1,
  17,
  0,
  ...splat,
  ...splat,
  ...splat,
  0xfd,
  0x85,
  0x02,
  0x0b,
])
const sharedMemory = new Uint8Array([...header, 5, 4, 1, 3, 1, 1])

/** What all WebAssembly engines of a process have in common. */
export interface Runtime {
  readonly module: WebAssembly.Module
  readonly heap: WasmHeap
  /** Whether multiply-adds are fused. */
  readonly fused: boolean
}

export const isNode = typeof process !== 'undefined' && typeof process.versions?.node === 'string'

let runtime: Promise<Runtime> | undefined

/** Compiles the module and makes the memory, once. Throws an EngineError that says what is missing. */
export function wasmRuntime(): Promise<Runtime> {
  runtime ??= createRuntime().catch(error => {
    runtime = undefined
    throw error
  })
  return runtime
}

async function createRuntime(): Promise<Runtime> {
  if (typeof WebAssembly === 'undefined') throw new EngineError('this JavaScript engine has no WebAssembly')
  if (!WebAssembly.validate(simd)) throw new EngineError('this JavaScript engine has no WebAssembly SIMD')
  if (typeof SharedArrayBuffer === 'undefined' && !WebAssembly.validate(sharedMemory)) {
    throw new EngineError('this JavaScript engine has no shared WebAssembly memory')
  }
  const fused = await enableRelaxed()
  const { memory, limit } = createMemory()
  const collect = await garbageCollector()
  const text = fused
    ? (await import('../../generated/wasm_fma.js')).fma
    : (await import('../../generated/wasm_plain.js')).plain
  try {
    return { module: await WebAssembly.compile(decode(text)), heap: new WasmHeap(memory, limit, collect), fused }
  } catch (error) {
    throw new EngineError(`the WebAssembly module was refused: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * Whether relaxed SIMD can be used. V8 has it on by default since Node 22; Node 20 has it behind a flag that works at
 * run time.
 */
async function enableRelaxed(): Promise<boolean> {
  if (!WebAssembly.validate(relaxed) && isNode) {
    const v8 = await importNode('node:v8')
    v8.setFlagsFromString('--experimental-wasm-relaxed-simd')
  }
  return WebAssembly.validate(relaxed)
}

/** The largest shared memory that is granted: only address space, pages are taken when they are used. */
function createMemory(): { memory: WebAssembly.Memory; limit: number } {
  let refusal: unknown
  for (let maximum = 65536; maximum >= 4096; maximum /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 16, maximum, shared: true }), limit: maximum * PAGE }
    } catch (error) {
      refusal = error
    }
  }
  throw new EngineError(
    `shared WebAssembly memory was refused: ${(refusal as Error).message}; raise the limit of address space (ulimit -v), or ask for engine: 'js', which is much slower`,
    { cause: refusal },
  )
}

/** Bytes of base64 text. */
export function decode(base64: string): Uint8Array<ArrayBuffer> {
  if (isNode) return Buffer.from(base64, 'base64')
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
