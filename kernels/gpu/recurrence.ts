import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { gpuKernel, type Tensor, type View } from '../../lib/gpu_kernel.js'
import { Memory } from '../../lib/memory.js'

// RNN and LSTM step by step, made of the engine's other kernels. Tensors are (T, N, width), of one step (N, width),
// cont (T, N).

const stepOf = gpuKernel('recurrence, step', function (x: Tensor, t: number) {
  return x[t][this.thread.y][this.thread.x]
})
/** cont[t]·h, 0 where cont is 0. */
const continued = gpuKernel('recurrence, cont', function (h: Tensor, cont: Tensor, t: number) {
  if (cont[0][t][this.thread.y] === 0) return 0
  return cont[0][t][this.thread.y] * h[0][this.thread.y][this.thread.x]
})
/** Steps of a, then those of b. */
const joined = gpuKernel('recurrence, join', function (a: Tensor, b: Tensor) {
  if (this.thread.z < this.constants.first) return a[this.thread.z][this.thread.y][this.thread.x]
  return b[this.thread.z - this.constants.first][this.thread.y][this.thread.x]
})

/** The memories of one sequence on a device: values of a step go to memories of their own. */
export class Sequence {
  private readonly steps: Memory[] = []

  constructor(
    private readonly gpu: Gpu,
    private readonly count: number,
    private readonly batch: number,
    private readonly cont: Memory,
  ) {}

  /** A memory of one step, n values a stream. */
  step(width: number): Memory {
    const memory = new Memory(this.batch * width, this.gpu.host.heap)
    this.steps.push(memory)
    return memory
  }

  /** Step t of x (…, N, width). */
  take(x: Memory, t: number, width: number): Memory {
    const view: View = { memory: x, dims: [width, this.batch, x.length / (width * this.batch)] }
    const step = this.step(width)
    this.gpu.run(stepOf, [view, t], { memory: step, dims: [width, this.batch, 1] })
    return step
  }

  /** cont[t]·h. */
  carry(h: Memory, t: number, width: number): Memory {
    const dims = [width, this.batch, 1] as const
    const step = this.step(width)
    this.gpu.run(continued, [{ memory: h, dims }, { memory: this.cont, dims: [this.batch, this.count, 1] }, t], {
      memory: step,
      dims,
    })
    return step
  }

  /** all ← the steps, one after the other. */
  join(steps: readonly Memory[], width: number, all: Memory): void {
    const { gpu, batch } = this
    const join = (from: number, to: number): { handle: Handle; own: boolean } => {
      if (to - from === 1) return { handle: gpu.handle(steps[from]), own: false }
      const middle = (from + to) >> 1
      const [a, b] = [join(from, middle), join(middle, to)]
      const views = [a, b].map(({ handle }, i) => ({
        handle,
        dims: [width, batch, i ? to - middle : middle - from] as const,
      }))
      const handle = gpu.compute(joined, views, [width, batch, to - from], { first: middle - from })
      for (const part of [a, b]) if (part.own) gpu.release(part.handle)
      return { handle, own: true }
    }
    if (steps.length === 1) gpu.share(steps[0], all)
    else gpu.set(all, join(0, steps.length).handle)
  }

  dispose(): void {
    for (const step of this.steps) step.dispose()
  }
}
