import * as common from '../../kernels/js/common.js'
import type { Fusions, HostEngine } from '../engine.js'
import { type Heap, Memory, plainHeap } from '../memory.js'
import { openTable } from './late_kernels.js'

/** Plain loops: all engines of this kind have one table. */
const kernels = openTable({ ...common }, (table, late) => Object.assign(table, late.plain))

const all = ['relu', 'clip', 'hardSwish'] as const

/** One kernel after the other: what faster engines do at once is tested against it. */
const fuses: Fusions = {
  convolution: all,
  addBias: all,
  eltwiseSum: all,
  scaleChannels: all,
  normalizeChannels: all,
}

/** Double precision behind the same interface: kernels and layers only ever read and write numbers. */
const float64Heap: Heap = {
  allocate: length => ({ array: new Float64Array(length) as unknown as Float32Array, pointer: 0 }),
  release() {},
}

/**
 * The reference engine: one thread, ordinary arrays.
 * @param options.float64 compute and store in double precision; for numeric gradients in `ristretto/testing` alone
 */
export function createJsEngine(options: { float64?: boolean } = {}): HostEngine {
  const heap = options.float64 ? float64Heap : plainHeap
  const slots: Memory[] = []
  return {
    name: options.float64 ? 'js:float64' : 'js',
    detail: options.float64 ? 'plain loops in double precision' : 'plain loops',
    threads: 1,
    isHost: true,
    heap,
    kernels,
    fuses,
    scratch(length, slot = 0) {
      const memory = (slots[slot] ??= new Memory(length, heap))
      if (memory.length < length) memory.resize(length)
      return memory
    },
  }
}
