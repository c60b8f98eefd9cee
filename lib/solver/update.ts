/** What turns the gradients that stand in the params' diffs into the gradients that an update rule is given. */
import type { UpdateRule } from '../engine.js'
import { kernelsOf } from '../engines/complete.js'
import type { SolverParameter } from '../generated/caffe.js'
import { Memory } from '../memory.js'
import type { BuiltNet, LearnableParam } from '../net/node.js'

/** √Σ over all params of Σ dw²: the L2 norm of all raw gradients together. */
export async function gradientNorm({ learnable, context }: BuiltNet): Promise<number> {
  const sums = new Memory(learnable.length, context.engine.heap)
  const kernels = kernelsOf(context.engine)
  learnable.forEach(({ blob }, i) => kernels.sumOfSquares(blob.count, blob.memory.diff, sums, i))
  await sums.pull()
  const norm = Math.sqrt(sums.array.reduce((sum, value) => sum + value, 0))
  sums.dispose()
  return norm
}

/** How one param is updated. `scale` divides by iter_size and clips. */
export function ruleOf(param: SolverParameter, learnable: LearnableParam, lr: number, scale: number): UpdateRule {
  return {
    rate: lr * learnable.lrMult,
    scale,
    decay: (param.weight_decay ?? 0) * learnable.decayMult,
    regularization: param.regularization_type === 'L1' ? 'L1' : 'L2',
  }
}

/** Update every param; a device is told whose each is. */
export function updateEach(
  { learnable, nodes, context }: BuiltNet,
  update: (i: number, of: LearnableParam) => void,
): void {
  const device = context.engine.isHost ? undefined : context.engine
  learnable.forEach((param, i) => {
    device?.calledBy?.(nodes.find(({ layer }) => layer.blobs.includes(param.blob))?.layer)
    update(i, param)
  })
  device?.calledBy?.()
}

/** The mean of the last losses, as Caffe smooths them: it starts anew with every call of `step`. */
export class SmoothedLoss {
  private recent: number[] = []
  private start = 0
  value = 0

  constructor(private readonly window: number) {}

  /** Forget the losses before iteration `iter`. */
  restart(iter: number): void {
    this.recent = []
    this.start = iter
    this.value = 0
  }

  /** Take in the loss of iteration `iter`. */
  add(loss: number, iter: number): void {
    const { recent, window } = this
    if (recent.length < window) {
      recent.push(loss)
      const n = recent.length
      this.value = (this.value * (n - 1) + loss) / n
    } else {
      const oldest = (iter - this.start) % window
      this.value += (loss - recent[oldest]) / window
      recent[oldest] = loss
    }
  }
}

/** How fast a run goes: iterations and seconds between two displays. */
export class Pace {
  private last: { iter: number; time: number } | undefined

  /** Count from iteration `iter`, unless the run is under way. */
  begin(iter: number): void {
    this.last ??= { iter, time: performance.now() }
  }

  /** What has passed since the last call. */
  since(iter: number): { iterations: number; seconds: number } {
    const time = performance.now()
    const { iter: before, time: then } = this.last ?? { iter, time }
    this.last = { iter, time }
    return { iterations: iter - before, seconds: (time - then) / 1000 }
  }
}
