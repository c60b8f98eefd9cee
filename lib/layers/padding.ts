import { type Blob, shapeText } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { checkPlaces } from './parts/axis_mix.js'
import type { Places } from './parts/places.js'
import { PlacesLayer } from './parts/places_layer.js'

/** The bottom with places around it: of one value, or of values mirrored or repeated from its edge; or cut off. */
export class PaddingLayer extends PlacesLayer {
  static override readonly param = ['padding_param'] as const
  private readonly p = withDefaults('PaddingParameter', this.param.padding_param)
  protected override get nothing(): number {
    return this.p.value
  }

  protected override placesOf(bottom: Blob): Places {
    const first = axisOf(this, bottom, this.p.axis)
    const { before } = this.p
    const after = this.p.after.length ? this.p.after : before
    if (!before.length || before.length !== after.length || first + before.length > bottom.numAxes)
      throw this.error(
        `before and after are given ${before.length} and ${after.length} times: both need one number for each axis from axis ${first} of '${bottom.name}' (${shapeText(bottom.shape)}) on, or for some of them`,
      )
    return bottom.shape.map((_, axis) => {
      const i = axis - first
      return i < 0 || i >= before.length ? undefined : this.along(bottom, axis, before[i], after[i])
    })
  }

  private along(bottom: Blob, axis: number, before: number, after: number): number[] {
    const size = bottom.dim(axis)
    const out = size + before + after
    const { mode } = this.p
    const reach = Math.max(before, after)
    if (out < 0 || before < -size || after < -size)
      throw this.error(`before: ${before} and after: ${after} cut off more than the ${size} places of axis ${axis}`)
    if (reach > 0 && ((mode === 'REFLECT' && reach >= size) || (mode === 'EDGE' && size === 0)))
      throw this.error(
        `mode: ${mode} has ${size} places along axis ${axis} of '${bottom.name}' (${shapeText(bottom.shape)}): too few for ${reach} new ones`,
      )
    checkPlaces(this, axis, out)
    return Array.from({ length: out }, (_, i) => {
      const place = i - before
      if (place >= 0 && place < size) return place
      if (mode === 'CONSTANT') return -1
      if (mode === 'EDGE') return place < 0 ? 0 : size - 1
      return place < 0 ? -place : 2 * (size - 1) - place
    })
  }
}
