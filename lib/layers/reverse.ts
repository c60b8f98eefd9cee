import type { Blob } from '../blob.js'
import { type Places, reversed } from './parts/places.js'
import { PlacesLayer } from './parts/places_layer.js'

/** x with its places along an axis, the first unless named, in reverse. */
export class ReverseLayer extends PlacesLayer {
  static override readonly param = ['reverse_param'] as const

  protected override placesOf(bottom: Blob): Places {
    const { axis = [] } = this.param.reverse_param ?? {}
    const turned = new Set(axis.length ? axis : [0])
    for (const one of turned)
      if (!(one >= 0 && one < bottom.numAxes))
        throw this.error(`axis: ${one} is none of '${bottom.name}', which has ${bottom.numAxes}`)
    return bottom.shape.map((size, i) => (turned.has(i) ? reversed(size) : undefined))
  }
}
