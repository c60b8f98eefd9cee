import type { UpdateRule } from '../../engine.js'
import { NetError } from '../../errors.js'
import type { LearnableParam } from '../../net/node.js'
import { Solver } from '../../solver.js'

/** RMSProp: rates follow a moving mean of squared gradients (`type: "RMSProp"`; `rms_decay`, `delta`, no momentum). */
export class RMSPropSolver extends Solver {
  /** What `type:` calls it. */
  static readonly type: string = 'RMSProp'

  protected override checkParam(): void {
    const { momentum, rms_decay: decay = 0.99 } = this.param
    if (momentum) throw new NetError(`solver: momentum ${momentum} cannot be used with RMSProp; leave it out`)
    if (!(decay >= 0 && decay < 1)) throw new NetError(`solver: rms_decay must lie in [0, 1), it is ${decay}`)
  }

  protected update(index: number, { blob }: LearnableParam, rule: UpdateRule): void {
    const { data, diff } = blob.memory
    const { rms_decay: decay = 0.99, delta = 1e-8 } = this.param
    this.kernels.rmspropUpdate(blob.count, rule, decay, delta, data, diff, this.history[index].memory.data)
  }
}
