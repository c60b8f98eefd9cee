import { NetError } from '../../errors.js'
import type { ConvolutionParameter, PoolingParameter } from '../../generated/caffe.js'
import type { CoordMap } from '../../layer.js'

/** f value by value; lists of one value stand for any length. */
export function each(lists: readonly (readonly number[])[], f: (...values: number[]) => number): number[] {
  const length = Math.max(...lists.map(list => list.length))
  const wrong = lists.find(list => list.length !== 1 && list.length !== length)
  if (wrong)
    throw new NetError(
      `coordMap: ${wrong.length} values cannot be combined with ${length}: the layers have different spatial axes`,
    )
  return Array.from({ length }, (_, i) => f(...lists.map(list => list[list.length === 1 ? 0 : i])))
}

/** A window of a bottom makes one value. */
export function windowed(param: ConvolutionParameter | PoolingParameter, type: string): CoordMap {
  const { axis, stride, kernel, pad } = spatial(param, type)
  return [axis, each([stride], s => 1 / s), each([pad, kernel, stride], (p, k, s) => (p - (k - 1) / 2) / s)]
}

/** One value makes a window of the top. */
export function spread(param: ConvolutionParameter, type: string): CoordMap {
  const { axis, stride, kernel, pad } = spatial(param, type)
  return [axis, stride, each([kernel, pad], (k, p) => (k - 1) / 2 - p)]
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
