import type { ClassLossShape } from '../../lib/engine.js'

/** What a summed loss is divided by; never below 1. `valid` is the number of labels that are not ignored. */
export function normalizer(s: Pick<ClassLossShape, 'outer' | 'inner' | 'normalization'>, valid: number): number {
  switch (s.normalization) {
    case 'FULL':
      return Math.max(1, s.outer * s.inner)
    case 'VALID':
      return Math.max(1, valid)
    case 'BATCH_SIZE':
      return Math.max(1, s.outer)
    case 'NONE':
      return 1
  }
}
