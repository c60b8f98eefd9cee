import type { HostEngine } from '../../engine.js'
import { type Heap, Memory } from '../../memory.js'

type DryRunner = NonNullable<HostEngine['dryRun']>

/** The workspace of an engine's layers, and what dry runs say of it. */
export function scratchOn(heap: Heap) {
  const memories: Memory[] = []
  /** Bytes that were asked of each since the last dry run began. */
  let asked: number[] = []
  return {
    scratch(length: number, slot = 0): Memory {
      asked[slot] = Math.max(asked[slot] ?? 0, 4 * length)
      const memory = (memories[slot] ??= new Memory(length, heap))
      // one without storage may be as long as a dry run of a larger net has asked for
      if (memory.length < length || !memory.isAllocated) memory.resize(length)
      return memory
    },
    counting:
      (dryRun: DryRunner): DryRunner =>
      calls => {
        asked = []
        return { ...dryRun(calls), scratch: asked }
      },
  }
}
