import type { UpdateRule } from '../../engine.js'
import type { LearnableParam } from '../../net/node.js'
import { Solver } from '../../solver.js'

/** Stochastic gradient descent with momentum (`type: "SGD"`). */
export class SGDSolver extends Solver {
  /** What `type:` calls it. */
  static readonly type: string = 'SGD'

  protected update(index: number, { blob }: LearnableParam, rule: UpdateRule): void {
    const { data, diff } = blob.memory
    this.kernels.sgdUpdate(blob.count, rule, this.param.momentum ?? 0, data, diff, this.history[index].memory.data)
  }
}
