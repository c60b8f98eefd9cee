import type { Engine } from '../engine.js'
import { RistrettoError } from '../errors.js'
import type { Block, Heap } from '../memory.js'

/** The same engine, of whose host memory a net may take only so many bytes. */
export function limitEngine(engine: Engine, bytes: number): Engine {
  const heap = limitHeap(engine.heap, bytes)
  return engine.isHost ? { ...engine, heap } : { ...engine, heap, host: { ...engine.host, heap } }
}

/** The same heap, of which only so many bytes may be taken: what keeps a net that somebody else wrote within bounds. */
export function limitHeap(heap: Heap, bytes: number): Heap {
  const taken = new WeakMap<Block, number>()
  let left = bytes
  const giveBack = (block: Block) => {
    left += taken.get(block) ?? 0
    taken.delete(block)
  }
  return {
    allocate(length) {
      const size = 4 * length
      if (!(size <= left))
        throw new RistrettoError(
          `no memory for ${length} values (${size} bytes): ${bytes - left} of the ${bytes} bytes that maxMemory allows this net are in use`,
        )
      const block = heap.allocate(length)
      taken.set(block, size)
      left -= size
      return block
    },
    release(block) {
      giveBack(block)
      heap.release(block)
    },
    // what a program keeps of it is no longer the net's
    forget(block) {
      giveBack(block)
      heap.forget?.(block)
    },
    reclaim: () => heap.reclaim?.(),
    get available() {
      return Math.min(left, heap.available ?? left)
    },
  }
}
