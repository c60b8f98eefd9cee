import type { UpdateRule } from '../../engine.js'
import type { LearnableParam } from '../../net/node.js'
import { Solver } from '../../solver.js'

/** Nesterov's accelerated gradient (`type: "Nesterov"`). */
export class NesterovSolver extends Solver {
  /** What `type:` calls it. */
  static readonly type: string = 'Nesterov'

  protected update(index: number, { blob }: LearnableParam, rule: UpdateRule): void {
    const { data, diff } = blob.memory
    this.kernels.nesterovUpdate(blob.count, rule, this.param.momentum ?? 0, data, diff, this.history[index].memory.data)
  }
}
