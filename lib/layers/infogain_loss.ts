import { type Blob, shapeText } from '../blob.js'
import { fileKind } from '../data/file_kind.js'
import type { ClassLossShape } from '../engine.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { blobData } from '../proto/blob_proto.js'
import { withDefaults } from '../proto/message.js'
import { readMessage } from '../proto/wire.js'
import { axisOf } from './parts/axis.js'
import { checkLabels, LossLayer, normalizationOf } from './parts/loss.js'

/**
 * scores, labels [, H] → −Σ over labels Σₗ H[label,l]·log softmax(scores)[l] / normalizer, classes along `axis`.
 * H (classes × classes) is bottom 2 or the file `source`; the identity gives SoftmaxWithLoss. Top 1, if named, is the
 * softmax.
 */
export class InfogainLossLayer extends LossLayer {
  static override readonly atDeploy = { type: 'Softmax' } as const
  static override readonly param = ['infogain_loss_param', 'loss_param'] as const
  static override readonly uses = ['softmax', 'infogainLoss', 'infogainLossGradient', 'power'] as const
  override readonly bottomCount: Count = { atLeast: 2, atMost: 3 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  private sizes!: ClassLossShape
  private readonly probability = new Memory(0, this.engine.heap)
  /** H from the file. */
  private readonly gains = new Memory(0, this.engine.heap)

  override async setup(bottom: Blob[]): Promise<void> {
    if (this.param.loss_param?.normalize !== undefined)
      throw this.error('normalize is not understood here: write normalization: VALID for true, BATCH_SIZE for false')
    if (bottom.length > 2) return
    const source = this.param.infogain_loss_param?.source
    if (!source)
      throw this.error(
        'the infogain matrix is missing: name a file in infogain_loss_param.source, or give it as a third bottom',
      )
    const bytes = await this.context.files.read(source)
    const found = fileKind(bytes)
    if (found && found.kind !== 'blob')
      throw this.error(`infogain_loss_param.source '${source}' is ${found.text}; the matrix is a .binaryproto`)
    const values = blobData(readMessage('BlobProto', bytes, { file: source }), source)
    this.gains.resize(values.length)
    this.gains.array.set(values)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const [scores, labels] = bottom
    const axis = axisOf(this, scores, withDefaults('InfogainLossParameter', this.param.infogain_loss_param).axis)
    const classes = scores.dim(axis)
    const outer = scores.size(0, axis)
    const inner = scores.size(axis + 1)
    if (labels.count !== outer * inner)
      throw this.error(
        `label '${labels.name}' (${shapeText(labels.shape)}) must hold ${outer * inner} values, one for each place of '${scores.name}' (${shapeText(scores.shape)}) outside axis ${axis}`,
      )
    const count = bottom[2]?.count ?? this.gains.length
    if (count !== classes * classes)
      throw this.error(
        `the infogain matrix has ${count} values, but ${classes} classes need ${classes}×${classes} = ${classes * classes}`,
      )
    const ignoreLabel = this.param.loss_param?.ignore_label
    this.sizes = { outer, classes, inner, ignoreLabel, normalization: normalizationOf(this.param.loss_param, 'VALID') }
    this.probability.resize(scores.count)
    top[1]?.reshapeLike(scores)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { outer, classes, inner, ignoreLabel } = this.sizes
    checkLabels(this, bottom[1], classes, ignoreLabel)
    const probability = this.probabilities(top)
    this.kernels.softmax(outer, classes, inner, bottom[0].memory.data, probability)
    this.kernels.infogainLoss(this.sizes, probability, bottom[1].memory.data, this.matrix(bottom), top[0].memory.data)
    this.divideByFixed(1, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    this.refuseLabelGradient(propagateDown, bottom, 2)
    if (!propagateDown[0]) return
    const label = bottom[1].memory.data
    const dloss = top[0].memory.diff
    const { diff } = bottom[0].memory
    this.kernels.infogainLossGradient(this.sizes, this.probabilities(top), label, this.matrix(bottom), dloss, diff)
    this.divideByFixed(bottom[0].count, diff)
  }

  override dispose(): void {
    this.probability.dispose()
    this.gains.dispose()
  }

  private probabilities(top: Blob[]): Memory {
    return top[1]?.memory.data ?? this.probability
  }

  private matrix(bottom: Blob[]): Memory {
    return bottom[2]?.memory.data ?? this.gains
  }
}
