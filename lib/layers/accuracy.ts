import { type Blob, shapeText } from '../blob.js'
import type { AccuracyShape } from '../engine.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { checkLabels } from './parts/loss.js'

/**
 * Share of the labels that are among the top_k scores along `axis`; the second top has it for each class. No gradient.
 */
export class AccuracyLayer extends Layer {
  static override readonly atDeploy = 'metric' as const
  static override readonly compares = 'either'
  static override readonly param = ['accuracy_param'] as const
  static override readonly uses = ['accuracy'] as const
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { atLeast: 1, atMost: 2 }

  private shape!: AccuracyShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [scores, label] = bottom
    const param = withDefaults('AccuracyParameter', this.param.accuracy_param)
    const axis = axisOf(this, scores, param.axis)
    const shape = { outer: scores.size(0, axis), classes: scores.dim(axis), inner: scores.size(axis + 1) }
    this.shape = { ...shape, topK: param.top_k, ignoreLabel: param.ignore_label }
    if (label.count !== shape.outer * shape.inner)
      throw this.error(
        `label '${label.name}' (${shapeText(label.shape)}) must hold ${shape.outer * shape.inner} values, one for each place of '${scores.name}' (${shapeText(scores.shape)}) outside axis ${axis}`,
      )
    if (param.top_k > shape.classes)
      throw this.error(`top_k: ${param.top_k} is larger than the number of classes, ${shape.classes}`)
    top[0].reshape([])
    top[1]?.reshape([shape.classes])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    checkLabels(this, bottom[1], this.shape.classes, this.shape.ignoreLabel)
    this.kernels.accuracy(
      this.shape,
      bottom[0].memory.data,
      bottom[1].memory.data,
      top[0].memory.data,
      top[1]?.memory.data ?? null,
    )
  }

  override backward(_top: Blob[], propagateDown: boolean[]): void {
    if (propagateDown.includes(true))
      throw this.error('a share of hits has no gradient: keep losses and force_backward away from it')
  }
}
