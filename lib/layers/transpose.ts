import type { Blob } from '../blob.js'
import { PermuteLayer } from './permute.js'

/** Permute under the name and the field of CRNN's forks: axis i of the top is axis dim[i] of the bottom, all axes named. */
export class TransposeLayer extends PermuteLayer {
  static override readonly param = ['transpose_param'] as const

  protected override axesOf(bottom: Blob): readonly number[] {
    const { dim = [] } = this.param.transpose_param ?? {}
    if (dim.length !== bottom.numAxes)
      throw this.error(
        `transpose_param names ${dim.length} axes, '${bottom.name}' has ${bottom.numAxes}: name each once`,
      )
    return dim
  }
}
