import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { blobData, blobShape } from '../proto/blob_proto.js'
import { withDefaults } from '../proto/message.js'
import { readMessage } from '../proto/wire.js'

/**
 * x (N, C, …), any number of them: y = output_scale·(input_scale·x ± mean_scale·mean), with a mean for each channel, or
 * for each value of an item from a file; fewer are used again from the first on.
 */
export class MeanLayer extends Layer {
  static override readonly param = ['mean_param'] as const
  static override readonly uses = ['axpby', 'addBias'] as const
  override readonly bottomCount: Count = { atLeast: 1 }
  override readonly topCount: Count = { atLeast: 1 }
  private fields = withDefaults('MeanParameter', this.param.mean_param)
  private values: readonly number[] = []
  /** Height and width of the mean from a file. */
  private size: readonly number[] | undefined
  /** What is added to each bottom, scaled. */
  private readonly means: Memory[] = []

  override async setup(bottom: Blob[], top: Blob[]): Promise<void> {
    const { file, value, operation } = this.fields
    if (operation === undefined) throw this.error('mean_param.operation is missing: write ADD or SUBTRACT')
    if (bottom.length !== top.length)
      throw this.error(`it has ${bottom.length} bottoms and ${top.length} tops: give one top for each bottom`)
    if (file) {
      const proto = readMessage('BlobProto', await this.context.files.read(file), { file })
      this.values = [...blobData(proto, file)]
      this.size = blobShape(proto, file).slice(-2)
    } else this.values = value
    if (!this.values.length) throw this.error('mean_param needs values, or a file that holds some')
    for (const _ of bottom) this.means.push(new Memory(0, this.engine.heap))
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const { values, size, fields } = this
    const factor = (fields.operation === 'SUBTRACT' ? -1 : 1) * fields.output_scale * fields.mean_scale
    bottom.forEach((x, k) => {
      const count = x.numAxes > 1 ? x.size(1, size ? x.numAxes : 2) : 0
      if (!count || count % values.length || size?.some((length, i) => length !== x.shape.at(i - 2)))
        throw this.error(
          `${values.length} means do not fit '${x.name}' (${shapeText(x.shape)}): ${size ? `they are of pictures of ${size.join('×')}` : 'they must divide its channels'}`,
        )
      top[k].reshape(x.shape)
      const mean = this.means[k]
      if (mean.length === count) return
      mean.resize(count)
      mean.array.forEach((_, i, array) => {
        array[i] = factor * values[i % values.length]
      })
    })
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    bottom.forEach((x, k) => {
      const y = top[k].memory.data
      const channels = this.means[k].length
      this.kernels.axpby(x.count, this.scale, x.memory.data, 0, y)
      this.kernels.addBias(x.dim(0), channels, x.size(1) / channels, this.means[k], y)
    })
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    bottom.forEach((x, k) => {
      if (propagateDown[k]) this.kernels.axpby(x.count, this.scale, top[k].memory.diff, 0, x.memory.diff)
    })
  }

  private get scale(): number {
    return this.fields.output_scale * this.fields.input_scale
  }

  override dispose(): void {
    for (const memory of this.means) memory.dispose()
  }
}
