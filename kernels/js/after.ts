import type { After } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { clip } from './clip.js'
import { hardSwish } from './hard_swish.js'
import { relu } from './relu.js'

/** y ← after(y), n values: one kernel after the other is what fusing must equal. */
export function applyAfter(n: number, after: After | undefined, y: Memory): void {
  if (after === undefined) return
  if ('relu' in after) relu(n, after.relu, y, y)
  else if ('clip' in after) clip(n, ...after.clip, y, y)
  else hardSwish(n, ...after.hardSwish, y, y)
}
