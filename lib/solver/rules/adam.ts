import type { UpdateRule } from '../../engine.js'
import type { LearnableParam } from '../../net/node.js'
import { Solver } from '../../solver.js'

/**
 * Adam (`type: "Adam"`; `momentum` is β1, `momentum2` β2, `delta`). History: all first moments, then all second ones.
 */
export class AdamSolver extends Solver {
  /** What `type:` calls it. */
  static readonly type: string = 'Adam'

  protected override get moments(): number {
    return 2
  }

  protected update(index: number, { blob }: LearnableParam, rule: UpdateRule): void {
    const { data, diff } = blob.memory
    const { momentum: beta1 = 0, momentum2: beta2 = 0.999, delta = 1e-8 } = this.param
    const t = this.iter + 1
    const correction = Math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t)
    const m = this.history[index].memory.data
    const v = this.history[index + this.net.built.learnable.length].memory.data
    this.kernels.adamUpdate(blob.count, rule, beta1, beta2, delta, correction, data, diff, m, v)
  }
}
