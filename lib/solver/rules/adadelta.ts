import type { UpdateRule } from '../../engine.js'
import type { LearnableParam } from '../../net/node.js'
import { Solver } from '../../solver.js'

/**
 * AdaDelta (`type: "AdaDelta"`; `momentum` is its decay ρ, `delta`). History: all squared gradients, then all squared
 * steps.
 */
export class AdaDeltaSolver extends Solver {
  /** What `type:` calls it. */
  static readonly type: string = 'AdaDelta'

  protected override get moments(): number {
    return 2
  }

  protected update(index: number, { blob }: LearnableParam, rule: UpdateRule): void {
    const { data, diff } = blob.memory
    const { momentum = 0, delta = 1e-8 } = this.param
    const steps = this.history[index + this.net.built.learnable.length]
    this.kernels.adadeltaUpdate(
      blob.count,
      rule,
      momentum,
      delta,
      data,
      diff,
      this.history[index].memory.data,
      steps.memory.data,
    )
  }
}
