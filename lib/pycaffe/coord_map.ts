import { NetError } from '../errors.js'
import type { ConvolutionParameter, PoolingParameter } from '../generated/caffe.js'
import { L, type LayerSpec, type Top } from './net_spec.js'

/**
 * How coordinates go from one blob to another: to = scale·from + shift along each spatial axis. `axis` is the one
 * before the first spatial axis (1 for N × C × H × W), null where it does not matter. The two lists have one value, or
 * one for each spatial axis.
 */
export type CoordMap = readonly [axis: number | null, scale: readonly number[], shift: readonly number[]]

const IDENTITY: CoordMap = [null, [1], [0]]

/** Layers that leave every value in its place. */
const PASS_THROUGH = new Set(
  'AbsVal BatchNorm Bias BNLL Clip Dropout Eltwise ELU Exp Log LRN MVN Power PReLU ReLU Scale Sigmoid Split Swish TanH Threshold'.split(
    ' ',
  ),
)

/**
 * How coordinates go from the (first) bottom of a layer to its top. Throws a NetError for layers that keep no such
 * order.
 */
export function coordMap(layer: LayerSpec | Top): CoordMap {
  const map = mapOf('layer' in layer ? layer.layer : layer)
  if (!map)
    throw new NetError(
      `coordMap: a ${'layer' in layer ? layer.layer.type : layer.type} layer has no map of coordinates`,
    )
  return map
}

function mapOf(layer: LayerSpec): CoordMap | undefined {
  if (PASS_THROUGH.has(layer.type)) return IDENTITY
  const param = layer.toLayer(layer.type, [], [])
  switch (layer.type) {
    case 'Convolution':
    case 'Im2col': {
      const { axis, stride, kernel, pad } = spatial(param.convolution_param ?? {}, layer.type)
      return [axis, each([stride], s => 1 / s), each([pad, kernel, stride], (p, k, s) => (p - (k - 1) / 2) / s)]
    }
    case 'Deconvolution': {
      const { axis, stride, kernel, pad } = spatial(param.convolution_param ?? {}, layer.type)
      return [axis, stride, each([kernel, pad], (k, p) => (k - 1) / 2 - p)]
    }
    case 'Pooling': {
      const pooling = param.pooling_param ?? {}
      if (pooling.global_pooling) return undefined
      const { axis, stride, kernel, pad } = spatial(pooling, layer.type)
      return [axis, each([stride], s => 1 / s), each([pad, kernel, stride], (p, k, s) => (p - (k - 1) / 2) / s)]
    }
    case 'Crop': {
      const { axis = 2, offset = [] } = param.crop_param ?? {}
      return [axis - 1, [1], offset.length ? offset.map(value => 0 - value) : [0]]
    }
    default:
      return undefined
  }
}

/** Kernel (dilated), stride and pad, each for all spatial axes or one for each. */
function spatial(param: ConvolutionParameter | PoolingParameter, type: string) {
  const list = (value: number | number[] | undefined) =>
    value === undefined ? [] : typeof value === 'number' ? [value] : value
  const pick = (
    both: number | number[] | undefined,
    h: number | undefined,
    w: number | undefined,
    otherwise: number,
  ) =>
    h !== undefined || w !== undefined ? [h ?? otherwise, w ?? otherwise] : list(both).length ? list(both) : [otherwise]
  const size = pick(param.kernel_size, param.kernel_h, param.kernel_w, 0)
  if (size.includes(0)) throw new NetError(`coordMap: a ${type} layer needs its kernel_size`)
  const dilation = 'dilation' in param && param.dilation?.length ? param.dilation : [1]
  return {
    axis: 'axis' in param ? (param.axis ?? 1) : 1,
    kernel: each([size, dilation], (k, d) => (k - 1) * d + 1),
    stride: pick(param.stride, param.stride_h, param.stride_w, 1),
    pad: pick(param.pad, param.pad_h, param.pad_w, 0),
  }
}

/** f value by value; lists of one value stand for any length. */
function each(lists: readonly (readonly number[])[], f: (...values: number[]) => number): number[] {
  const length = Math.max(...lists.map(list => list.length))
  const wrong = lists.find(list => list.length !== 1 && list.length !== length)
  if (wrong)
    throw new NetError(
      `coordMap: ${wrong.length} values cannot be combined with ${length}: the layers have different spatial axes`,
    )
  return Array.from({ length }, (_, i) => f(...lists.map(list => list[list.length === 1 ? 0 : i])))
}

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

/** The bottoms to go back through: the second one of Crop only gives a size. */
const mappedBottoms = ({ layer }: Top): readonly Top[] =>
  layer.type === 'Crop' ? layer.bottoms.slice(0, 1) : layer.bottoms

/**
 * How coordinates go from one top to another, through the nearest blob that both come from.
 * Throws a NetError where no spatial layers connect them.
 */
export function coordMapFromTo(from: Top, to: Top): CoordMap {
  const fromMaps = new Map<Top, CoordMap>([[from, IDENTITY]])
  for (const [top, map] of fromMaps) for (const [bottom, next] of back(top, map)) fromMaps.set(bottom, next)
  const toMaps = new Map<Top, CoordMap>([[to, IDENTITY]])
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
  const bottoms = mappedBottoms(top)
  const own = bottoms.length ? mapOf(top.layer) : undefined
  return own ? bottoms.map(bottom => [bottom, compose(map, own)]) : []
}

/** A Crop layer that cuts `from` to the size of `to`, at the offsets that make their coordinates agree. */
export function crop(from: Top, to: Top): Top {
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
