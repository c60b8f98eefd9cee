/** Runs oneDNN's primitives on one thread of the pool. */
import { signals } from '../signals.js'
import type { OnednnBinding } from './binding.js'

/**
 * Runs chunk number `chunk` of the job whose table lies at byte offset `table` of the memory. Throws if the library
 * refuses, which it must not: every primitive was made for its arguments.
 */
export type Execute = (table: number, chunk: number) => void

/**
 * A table of 64-bit floats, which hold addresses exactly; places are counted in words of the memory.
 *
 * [PARTS, guarded, then for each chunk: place of its calls, how many]: chunks are parts of some layers of all images.
 * Guarded, if not 0: products run in them, from which signals are kept.
 * [IMAGES, place, words, bindings, calls]: a chunk is an image, and each thread has `words` of its own from `place` on:
 * bindings (a memory object, its address for image 0, bytes from one image to the next), then calls.
 * [STEPS, place, words, bindings, calls, chunks]: the same for each chunk of a step in place of each thread. Chunks are
 * numbered from step to step, and addresses are those of step 0, so many bytes from one step to the next.
 * A call is a primitive, how many arguments it takes, and where they are; or OWN, what the engine does
 * itself, and the byte offset of what it reads for that.
 */
export const PARTS = 0
export const IMAGES = 1
export const STEPS = 2
/** Words of a call and of a binding. */
export const CALL = 3
/** No primitive has this address. */
export const OWN = 0
export const POOL = 0
export const COPY = 1
export const [BEFORE_TILES, BEHIND_TILES] = [2, 3]

/** Bind on this thread, which has a stream of its own. `between` is betweenPrimitives of its module. */
export function bindExecute(
  koffi: typeof import('koffi'),
  { file, engine }: OnednnBinding,
  memory: WebAssembly.Memory,
  thread: number,
  between: (what: number, at: number) => void,
): Execute {
  const library = koffi.load(file)
  oneOpenMpThread(koffi)
  const out = new BigUint64Array(new ArrayBuffer(4096))
  const status: number = library.func('int dnnl_stream_create(uintptr_t, uintptr_t, uint32_t)')(
    Number(koffi.address(out)),
    engine,
    1,
  )
  if (status !== 0) throw new Error(`oneDNN gives this thread no stream: status ${status}`)
  const stream = Number(out[0])
  const execute = library.func('int dnnl_primitive_execute(uintptr_t, uintptr_t, int, uintptr_t)')
  const setHandle = library.func('int dnnl_memory_set_data_handle(uintptr_t, uintptr_t)')
  const { block, restore } = signals(koffi)
  let words = new Float64Array(memory.buffer)
  const run = (place: number, count: number): void => {
    for (let i = 0, at = place; i < count; i++, at += CALL) {
      if (words[at] === OWN) {
        between(words[at + 1], words[at + 2])
        continue
      }
      const status: number = execute(words[at], stream, words[at + 1], words[at + 2])
      if (status !== 0) throw new Error(`a primitive of oneDNN failed with status ${status}`)
    }
  }
  return (table, chunk) => {
    // a memory that has grown has a longer view
    if (memory.buffer.byteLength > words.byteLength) words = new Float64Array(memory.buffer)
    const head = (table >>> 0) / 8
    if (words[head] === PARTS) {
      const isGuarded = words[head + 1] !== 0
      if (isGuarded) block()
      try {
        run(words[head + 2 + 2 * chunk], words[head + 3 + 2 * chunk])
      } finally {
        if (isGuarded) restore()
      }
      return
    }
    const chunks = words[head] === STEPS ? words[head + 5] : 0
    const [own, number] = chunks ? [chunk % chunks, Math.floor(chunk / chunks)] : [thread, chunk]
    let at = words[head + 1] + own * words[head + 2]
    for (let i = 0; i < words[head + 3]; i++, at += CALL) {
      const status: number = setHandle(words[at], words[at + 1] + number * words[at + 2])
      if (status !== 0) throw new Error(`oneDNN refuses a memory: status ${status}`)
    }
    run(at, words[head + 4])
  }
}

/** OpenMP counts threads for each calling thread; the loader finds the runtime that the library brought along. */
function oneOpenMpThread(koffi: typeof import('koffi')): void {
  for (const file of ['libgomp.so.1', 'libomp.so.5', 'libiomp5.so', 'libomp.dylib']) {
    try {
      koffi.load(file).func('void omp_set_num_threads(int)')(1)
    } catch {
      // another one than this
    }
  }
}
