import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/** A learned blob of the given shape as a top: values and gradients are the param's own. It starts at 0. */
export class ParameterLayer extends Layer {
  static override readonly atDeploy = 'stays' as const
  static override readonly param = ['parameter_param'] as const
  /** It computes nothing, but naming a kernel says that the values may stay where they are. */
  static override readonly uses = ['copy'] as const
  override readonly bottomCount: Count = { exactly: 0 }
  override readonly topCount: Count = { exactly: 1 }

  override setup(): void {
    this.addBlob(this.param.parameter_param?.shape?.dim ?? [])
  }

  override reshape(_bottom: Blob[], top: Blob[]): void {
    top[0].reshape(this.blobs[0].shape)
    this.shareValues(top)
  }

  override forward(_bottom: Blob[], top: Blob[]): void {
    // again, because the param may have been given another owner's memory since
    this.shareValues(top)
  }

  override backward(): void {}

  private shareValues(top: Blob[]): void {
    top[0].shareData(this.blobs[0])
    top[0].shareDiff(this.blobs[0])
  }
}
