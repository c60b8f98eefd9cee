import type { UpdateRule } from '../../engine.js'
import { NetError } from '../../errors.js'
import type { LearnableParam } from '../../net/node.js'
import { Solver } from '../../solver.js'

/** AdaGrad: rates shrink with the sum of squared gradients (`type: "AdaGrad"`; `delta`, no momentum). */
export class AdaGradSolver extends Solver {
  /** What `type:` calls it. */
  static readonly type: string = 'AdaGrad'

  protected override checkParam(): void {
    if (this.param.momentum)
      throw new NetError(`solver: momentum ${this.param.momentum} cannot be used with AdaGrad; leave it out`)
  }

  protected update(index: number, { blob }: LearnableParam, rule: UpdateRule): void {
    const { data, diff } = blob.memory
    this.kernels.adagradUpdate(blob.count, rule, this.param.delta ?? 1e-8, data, diff, this.history[index].memory.data)
  }
}
