import type { Engine } from '../engine.js'
import { kernelsOf } from '../engines/complete.js'
import { Memory } from '../memory.js'
import type { LearnableParam } from '../net/node.js'

/**
 * The gradients of an iteration's passes added up in pairs, and pairs of pairs, as members of a group add theirs up:
 * where each member's part is a power of two of passes the whole is one tree, whoever computes which leaf. It keeps one
 * gradient of every param for each doubling.
 */
export class PassTree {
  /** Sums that wait for their neighbour, by param: at level k one of 2^k passes. */
  private readonly waiting = new Map<LearnableParam, Memory[]>()

  constructor(private readonly engine: Engine) {}

  /** Pass `i` of `size` has left its gradient in the diffs of these params; after the last one, the sum of all stands there. */
  take(i: number, size: number, params: readonly LearnableParam[]): void {
    if (size === 1) return
    const kernels = kernelsOf(this.engine)
    const isLast = i === size - 1
    for (const param of params) {
      if (param.lrMult === 0) continue
      const gradient = param.blob.memory.diff
      const sums = this.sumsOf(param)
      let level = 0
      for (; isLast ? i >> level : (i >> level) & 1; level++)
        if ((i >> level) & 1) kernels.axpby(gradient.length, 1, sums[level], 1, gradient)
      if (isLast) continue
      sums[level] ??= new Memory(gradient.length, this.engine.heap)
      kernels.copy(gradient.length, gradient, sums[level])
      kernels.fill(gradient.length, 0, gradient)
    }
  }

  private sumsOf(param: LearnableParam): Memory[] {
    const known = this.waiting.get(param)
    if (known) return known
    const sums: Memory[] = []
    this.waiting.set(param, sums)
    return sums
  }

  dispose(): void {
    for (const sums of this.waiting.values()) for (const sum of sums) sum.dispose()
    this.waiting.clear()
  }
}
