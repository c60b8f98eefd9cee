import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { checkPlaces } from './parts/axis_mix.js'
import type { Places } from './parts/places.js'
import { PlacesLayer } from './parts/places_layer.js'

/** Of each named axis the places from `start` up to, not including, `end`, `step` apart. */
export class StridedSliceLayer extends PlacesLayer {
  static override readonly param = ['strided_slice_param'] as const

  protected override placesOf(bottom: Blob): Places {
    const { axis, start, end, step } = withDefaults('StridedSliceParameter', this.param.strided_slice_param)
    for (const [name, list] of Object.entries({ start, end, step }))
      if (list.length !== axis.length && !(name === 'step' && list.length === 0))
        throw this.error(`${name} is given ${list.length} times for ${axis.length} axes: give it once for each`)
    const places: (readonly number[] | undefined)[] = bottom.shape.map(() => undefined)
    const named = axis.map(which => axisOf(this, bottom, which))
    named.forEach((which, i) => {
      if (named.indexOf(which) < i) throw this.error(`axis ${which} is named twice`)
      if (step[i] === 0) throw this.error('step: 0 leads nowhere')
      checkPlaces(this, which, bottom.dim(which))
      places[which] = stepsAlong(bottom.dim(which), start[i], end[i], step[i] ?? 1)
    })
    return places
  }
}

/** The places of a slice: negative ends count from the end, those beyond an end are that end. */
export function stepsAlong(size: number, start: number, end: number, step: number): number[] {
  const bounded = (place: number): number => {
    const at = place < 0 ? place + size : place
    return step > 0 ? Math.min(size, Math.max(0, at)) : Math.min(size - 1, Math.max(-1, at))
  }
  const places: number[] = []
  const stop = bounded(end)
  for (let place = bounded(start); step > 0 ? place < stop : place > stop; place += step) places.push(place)
  return places
}
