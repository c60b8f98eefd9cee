import type { Blob } from '../blob.js'
import type { After } from '../engine.js'
import { KeptInputLayer } from './parts/kept_input.js'

const ALPHA = 1 / 6
const BETA = 1 / 2

/** top = bottom·min(max(bottom + 3, 0), 6) / 6. */
export class HardSwishLayer extends KeptInputLayer {
  static override readonly uses = ['copy', 'hardSwish', 'hardSwishGradient'] as const

  /** The gradient needs what came in. */
  override get after(): After | undefined {
    return this.needsBackward ? undefined : { hardSwish: [ALPHA, BETA] }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.hardSwish(bottom[0].count, ALPHA, BETA, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const [x, { diff: dy }, { diff: dx }] = [this.input(bottom, top), top[0].memory, bottom[0].memory]
    this.kernels.hardSwishGradient(bottom[0].count, ALPHA, BETA, x, dy, dx)
  }
}
