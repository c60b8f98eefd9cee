import type { Blob } from '../blob.js'
import { Layer } from '../layer.js'

/** Takes blobs that nobody wants, so that they are no net outputs. Their gradient is 0. */
export class SilenceLayer extends Layer {
  static override readonly atDeploy = 'hides' as const
  static override readonly uses = ['fill'] as const
  override readonly bottomCount = { atLeast: 1 }
  override readonly topCount = { exactly: 0 }

  override reshape(): void {}
  override forward(): void {}

  override backward(_top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    bottom.forEach((blob, i) => {
      if (propagateDown[i]) this.kernels.fill(blob.count, 0, blob.memory.diff)
    })
  }
}
