import type { Blob } from '../blob.js'
import type { Preparation } from '../data/preparation.js'
import { NetError } from '../errors.js'
import type { LayerParameter } from '../generated/caffe.js'
import type { BuiltNet } from './node.js'

/** How pictures become the first input of a net. */
export class PictureInput {
  /** Layers that say how the training prepared pictures: the description's, or the last model's. */
  layers: readonly LayerParameter[] = []
  private known: { readonly by: LayerParameter | undefined; readonly is: Preparation } | undefined

  /** What a program said, whatever the layers say. */
  get chosen(): Preparation | undefined {
    return this.known?.by ? undefined : this.known?.is
  }
  /** Let a program say it, or with undefined the layers again. */
  set chosen(is: Preparation | undefined) {
    this.known = is && { by: undefined, is }
  }

  /** What was chosen, or what the layers say. Reads the mean file. A NetError if the input is not N × C × H × W. */
  async preparation(built: BuiltNet, input: Blob | undefined): Promise<Preparation | undefined> {
    const [layer] = this.layers
    if (this.known && (!this.known.by || this.known.by === layer)) return this.known.is
    if (!layer || !input) return undefined
    const { shape, name } = input
    if (shape.length !== 4)
      throw new NetError(`input '${name}' is [${shape.join(', ')}], no N × C × H × W, so no picture fits it`)
    const { preparationOf } = await import('./preparation.js')
    const reader = built.nodes.find(({ bottom }) => bottom.includes(input))
    const is = await preparationOf(layer, shape.slice(1), built.context, reader)
    this.known = { by: layer, is }
    return is
  }
}
