import { type Blob, shapeText } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { type Places, reversed } from './parts/places.js'
import { PlacesLayer } from './parts/places_layer.js'

/** Pictures (N, C, H, W) mirrored: left and right, top and bottom, or both. */
export class FlipLayer extends PlacesLayer {
  static override readonly param = ['flip_param'] as const
  private fields = withDefaults('FlipParameter', this.param.flip_param)

  protected override placesOf(bottom: Blob): Places {
    if (bottom.numAxes !== 4) throw this.error(`'${bottom.name}' (${shapeText(bottom.shape)}) must be N × C × H × W`)
    const turned = [false, false, this.fields.flip_height, this.fields.flip_width]
    return bottom.shape.map((size, i) => (turned[i] ? reversed(size) : undefined))
  }
}
