import type { Blob } from '../blob.js'
import type { ArgMaxShape } from '../engine.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/**
 * The top_k largest values, largest first; on a tie the larger index comes first. Has no gradient.
 * With `axis`: along it, top has that axis of size top_k and holds indices, or values with out_max_val.
 * Without: over each item, top (N, 1, top_k, …) holds indices, or (N, 2, top_k, …) indices and then values with
 * out_max_val.
 */
export class ArgMaxLayer extends Layer {
  static override readonly param = ['argmax_param'] as const
  static override readonly uses = ['argMax'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private sizes!: ArgMaxShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const p = withDefaults('ArgMaxParameter', this.param.argmax_param)
    const topK = p.top_k
    const { shape } = bottom[0]
    if (p.axis !== undefined) {
      const axis = axisOf(this, bottom[0], p.axis)
      this.sizes = {
        outer: bottom[0].size(0, axis),
        size: shape[axis],
        inner: bottom[0].size(axis + 1),
        topK,
        output: p.out_max_val ? 'value' : 'index',
      }
      shape[axis] = topK
      top[0].reshape(shape)
    } else {
      if (shape.length === 0) throw this.error(`'${bottom[0].name}' is a single value: it needs a batch axis`)
      this.sizes = {
        outer: shape[0],
        size: bottom[0].size(1),
        inner: 1,
        topK,
        output: p.out_max_val ? 'both' : 'index',
      }
      const ones = Array<number>(Math.max(shape.length - 3, 0)).fill(1)
      top[0].reshape([shape[0], p.out_max_val ? 2 : 1, topK, ...ones])
    }
    if (topK < 1 || topK > this.sizes.size)
      throw this.error(
        `top_k: ${topK} must be at least 1 and at most ${this.sizes.size}, the number of values to choose from`,
      )
  }

  override work(): number {
    const { outer, size, inner, topK } = this.sizes
    return outer * size * inner * topK
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.argMax(this.sizes, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(_top: Blob[], propagateDown: boolean[]): void {
    if (propagateDown[0]) throw this.error('an index has no gradient: keep losses and force_backward away from it')
  }
}
