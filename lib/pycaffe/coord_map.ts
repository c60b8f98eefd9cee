import { NetError } from '../errors.js'
import { type CoordMap, inPlace } from '../layer.js'
import { each } from '../layers/parts/coordinates.js'
import { mustTake } from '../system/arguments.js'
import { knownClass } from './classes.js'
import { L, LayerSpec, mustBeTops, Top } from './net_spec.js'

export type { CoordMap }

/**
 * How coordinates go from the (first) bottom of a layer to its top. Throws a NetError for layers that keep no such
 * order.
 */
export function coordMap(layer: LayerSpec | Top): CoordMap {
  mustTake(layer instanceof Top || layer instanceof LayerSpec, 'coordMap', 'a top or a layer of a NetSpec', layer)
  const map = mapOf('layer' in layer ? layer.layer : layer)
  if (!map)
    throw new NetError(
      `coordMap: a ${'layer' in layer ? layer.layer.type : layer.type} layer has no map of coordinates`,
    )
  return map
}

/** The map from a bottom of a layer; of types that nobody has registered none is known. */
const mapOf = (layer: LayerSpec, bottom = 0): CoordMap | undefined =>
  knownClass(layer.type)?.coordinates?.(layer.toLayer(layer.type, [], []), bottom)

/** The map `next` inside the map `base`: scales multiply, and the shift of `next` is scaled by `base`. */
function compose([axis1, scale1, shift1]: CoordMap, [axis2, scale2, shift2]: CoordMap): CoordMap {
  if (axis1 !== null && axis2 !== null && axis1 !== axis2)
    throw new NetError(`coordMap: layers with axis ${axis1} and axis ${axis2} cannot be combined`)
  const scale = each([scale1, scale2], (a, b) => a * b)
  const shift = each([scale1, shift2, shift1], (a, further, b) => a * further + b)
  // both as long as the longer one
  return [axis1 ?? axis2, each([scale, shift], a => a), each([shift, scale], b => b)]
}

function inverse([axis, scale, shift]: CoordMap): CoordMap {
  return [axis, each([scale], a => 1 / a), each([shift, scale], (b, a) => 0 - b / a)]
}

/**
 * How coordinates go from one top to another, through the nearest blob that both come from.
 * Throws a NetError where no spatial layers connect them.
 */
export function coordMapFromTo(from: Top, to: Top): CoordMap {
  mustBeTops('coordMapFromTo', [from, to])
  const fromMaps = new Map<Top, CoordMap>([[from, inPlace]])
  for (const [top, map] of fromMaps) for (const [bottom, next] of back(top, map)) fromMaps.set(bottom, next)
  const toMaps = new Map<Top, CoordMap>([[to, inPlace]])
  for (const [top, map] of toMaps) {
    const met = fromMaps.get(top)
    if (met) return compose(map, inverse(met))
    for (const [bottom, next] of back(top, map)) toMaps.set(bottom, next)
  }
  throw new NetError(
    `coordMap: no map from the ${from.layer.type} to the ${to.layer.type} layer: they share no blob through layers that keep the order of coordinates`,
  )
}

/** The maps of a top's bottoms. Maps grow while they are walked, so every blob is met once, nearest first. */
function back(top: Top, map: CoordMap): [Top, CoordMap][] {
  return top.layer.bottoms.flatMap((bottom, i): [Top, CoordMap][] => {
    const own = mapOf(top.layer, i)
    return own ? [[bottom, compose(map, own)]] : []
  })
}

/** A Crop layer that cuts `from` to the size of `to`, at the offsets that make their coordinates agree. */
export function crop(from: Top, to: Top): Top {
  mustBeTops('crop', [from, to])
  const [axis, scale, shift] = coordMapFromTo(from, to)
  const off = (value: number) => Math.abs(value - Math.round(value)) > 1e-6
  if (scale.some(a => Math.abs(a - 1) > 1e-6))
    throw new NetError(`crop: the scales differ (by ${scale.join(', ')}): resample one of the two first`)
  if (shift.some(b => b > 1e-6))
    throw new NetError(
      `crop: the offset would be negative (${shift.map(b => -b).join(', ')}): pad more, or crop the other one`,
    )
  if (shift.some(off)) throw new NetError(`crop: the offset is no whole number (${shift.map(b => -b).join(', ')})`)
  return L.Crop(from, to, { crop_param: { axis: (axis ?? 1) + 1, offset: shift.map(b => 0 - Math.round(b)) } })
}
