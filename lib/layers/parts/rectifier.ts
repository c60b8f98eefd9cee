import type { Blob } from '../../blob.js'
import type { After } from '../../engine.js'
import { Memory } from '../../memory.js'
import { NeuronLayer } from './neuron.js'

/** The largest float32, the smallest of full precision, and the largest below the cap of 6. */
const LARGEST = 2 ** 128 - 2 ** 104
const SMALLEST = 2 ** -126
const CAP = 6
const BELOW_CAP = CAP - 2 ** -21

/** y = x if x > 0, else slope·x; capped: at most 6. */
export abstract class RectifierLayer extends NeuronLayer {
  static override readonly uses = ['relu', 'reluGradient', 'clip', 'clipGradient', 'copy'] as const
  static override readonly onlyKernels = true

  private slope = 0
  private capped = false
  /** In place with a negative slope the sign of y does not tell the sign of x, so x is kept. */
  private signs: Memory | undefined

  protected abstract settings(): { slope: number; capped: boolean }

  override setup(bottom: Blob[], top: Blob[]): void {
    const { slope, capped } = this.settings()
    this.slope = slope
    this.capped = capped
    if (this.slope < 0 && bottom[0] === top[0]) this.signs = new Memory(bottom[0].count, this.engine.heap)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.signs?.resize(bottom[0].count)
  }

  /** Both kinks are where a clip has them: the usual ReLU6. */
  private get clips(): boolean {
    return this.capped && this.slope === 0
  }

  override get after(): After | undefined {
    if (this.signs && this.needsBackward) return undefined
    if (this.clips) return { clip: [0, CAP] }
    return this.capped ? undefined : { relu: this.slope }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { count } = bottom[0]
    const [x, y] = [bottom[0].memory.data, top[0].memory.data]
    if (this.signs && this.needsBackward) this.kernels.copy(count, x, this.signs)
    if (this.clips) this.kernels.clip(count, 0, CAP, x, y)
    else this.kernels.relu(count, this.slope, x, y)
    if (this.capped && !this.clips) this.kernels.clip(count, -LARGEST, CAP, y, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { count } = bottom[0]
    const [x, dy, dx] = [this.signs ?? bottom[0].memory.data, top[0].memory.diff, bottom[0].memory.diff]
    // clipGradient counts its bounds as inside, this layer 0 and 6 as outside
    if (this.clips) this.kernels.clipGradient(count, SMALLEST, BELOW_CAP, x, dy, dx)
    else this.kernels.reluGradient(count, this.slope, x, dy, dx)
    if (this.capped && !this.clips) this.kernels.clipGradient(count, -LARGEST, BELOW_CAP, x, dx, dx)
  }

  override dispose(): void {
    this.signs?.dispose()
  }
}
