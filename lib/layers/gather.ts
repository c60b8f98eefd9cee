import type { Blob, Shape } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import type { Places } from './parts/places.js'
import { PlacesLayer } from './parts/places_layer.js'

/** The named places along one axis, in their order and as often as they are named. */
export class GatherLayer extends PlacesLayer {
  static override readonly param = ['gather_param'] as const
  private readonly p = withDefaults('GatherParameter', this.param.gather_param)

  protected override placesOf(bottom: Blob): Places {
    const axis = axisOf(this, bottom, this.p.axis)
    const size = bottom.dim(axis)
    const taken = this.p.index.map(index => {
      if (index < -size || index >= size)
        throw this.error(`index: ${index} is no place of axis ${axis} of '${bottom.name}', which has ${size}`)
      return index < 0 ? index + size : index
    })
    return bottom.shape.map((_, i) => (i === axis ? taken : undefined))
  }

  protected override topShape(bottom: Blob, places: Places): Shape {
    const axis = axisOf(this, bottom, this.p.axis)
    const count = places[axis]?.length ?? 0
    const { shape } = this.p
    const dims = shape ? (shape.dim ?? []).map(Number) : [count]
    if (dims.reduce((a, b) => a * b, 1) !== count)
      throw this.error(`shape ${dims.join('×')} has not as many places as index is given, ${count}`)
    return [...bottom.shape.slice(0, axis), ...dims, ...bottom.shape.slice(axis + 1)]
  }
}
