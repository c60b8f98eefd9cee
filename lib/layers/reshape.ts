import { type Blob, shapeText, sizeOf } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * The same values under another shape: `num_axes` axes from `axis` on are replaced by `shape`, in which 0 copies the
 * bottom's axis and one −1 is worked out. Values and gradients are the bottom's own: nothing is copied. `axis: -1`
 * means behind the last axis.
 */
export class ReshapeLayer extends Layer {
  static override readonly param = ['reshape_param'] as const
  /** It computes nothing, but naming a kernel says that the values may stay where they are. */
  static override readonly uses = ['copy'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    top[0].reshape(this.newShape(bottom[0]))
    top[0].shareData(bottom[0])
    top[0].shareDiff(bottom[0])
  }

  override forward(): void {}
  override backward(): void {}

  private newShape(bottom: Blob): number[] {
    const p = withDefaults('ReshapeParameter', this.param.reshape_param)
    const wanted = p.shape?.dim ?? []
    const old = bottom.shape
    const of = `'${bottom.name}' (${shapeText(old)})`
    const start = p.axis >= 0 ? p.axis : old.length + p.axis + 1
    if (start < 0 || start > old.length)
      throw this.error(
        `axis: ${p.axis} is out of range for ${of}: give ${-old.length - 1} to ${old.length}, where ${old.length} and -1 mean behind the last axis`,
      )
    if (p.num_axes < -1) throw this.error(`num_axes: ${p.num_axes} must be 0 or more, or -1 for all axes from axis on`)
    const end = p.num_axes === -1 ? old.length : start + p.num_axes
    if (end > old.length)
      throw this.error(
        `num_axes: ${p.num_axes} from axis ${start} on reaches past ${of}: at most ${old.length - start} axes are left`,
      )
    if (wanted.filter(size => size === -1).length > 1)
      throw this.error(`shape [${wanted.join(', ')}] holds more than one -1: only one size can be worked out`)
    if (wanted.some(size => size < -1))
      throw this.error(`shape [${wanted.join(', ')}] holds a negative size other than -1`)

    const copied = wanted.map((size, i) => {
      if (size !== 0) return size
      if (start + i >= old.length)
        throw this.error(`shape [${wanted.join(', ')}] wants to copy axis ${start + i}, which ${of} does not have`)
      return old[start + i]
    })
    const known =
      sizeOf(old, 0, start) * sizeOf(old, end) * copied.reduce((product, size) => product * (size === -1 ? 1 : size), 1)
    const inferred = known === 0 ? 0 : bottom.count / known
    const shape = [...old.slice(0, start), ...copied.map(size => (size === -1 ? inferred : size)), ...old.slice(end)]
    if (shape.some(size => !Number.isInteger(size)) || sizeOf(shape) !== bottom.count)
      throw this.error(
        `${of} has ${bottom.count} values, which do not fit the shape [${[...old.slice(0, start), ...copied, ...old.slice(end)].join(', ')}]: the number of values cannot change`,
      )
    return shape
  }
}
