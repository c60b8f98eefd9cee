import type { After, Fusions } from '../../engine.js'

const all = ['relu', 'clip', 'hardSwish'] as const

/** Every kernel that may fuse does so, with all there is. */
export const wasmFuses: Fusions = {
  convolution: all,
  addBias: all,
  eltwiseSum: all,
  scaleChannels: all,
  normalizeChannels: all,
}

/** In the order of kernels/wasm/after.ts. */
const [NOTHING, RELU, CLIP, HARD_SWISH] = [0, 1, 2, 3]

/** What the module exports for it. */
export interface AfterExports {
  /** What kernels that fuse do to their results from now on: 0 nothing, 1 a ReLU with slope `low`, 2 a clip, 3 a hard swish. */
  after(kind: number, low: number, high: number): void
}

/**
 * `begin` tells the module what the next call does to its result, `end` that it is over, however it ends: a call that
 * traps would leave it to the next one. Nothing else, pointers of memories for instance, may stand between them.
 */
export function fusing(wasm: AfterExports) {
  return {
    begin(after: After | undefined): void {
      if (after === undefined) return
      if ('relu' in after) wasm.after(RELU, after.relu, 0)
      else if ('clip' in after) wasm.after(CLIP, ...after.clip)
      else wasm.after(HARD_SWISH, ...after.hardSwish)
    },
    end(after: After | undefined): void {
      if (after !== undefined) wasm.after(NOTHING, 0, 0)
    },
  }
}
