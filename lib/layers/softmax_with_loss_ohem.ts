import { SoftmaxWithLossLayer } from './softmax_with_loss.js'

/** SoftmaxWithLoss under the name that Intel's R-FCN has for it; two of the three tops will do. */
export class SoftmaxWithLossOHEMLayer extends SoftmaxWithLossLayer {
  static override readonly uses = [...SoftmaxWithLossLayer.uses, 'infogainLoss', 'infogainLossGradient'] as const

  override setup(): void {}
}
