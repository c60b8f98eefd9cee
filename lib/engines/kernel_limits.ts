import type { ConvolutionShape, LRNShape, PoolingShape } from '../engine.js'

/**
 * What kernels of any engine can count. Their sizes are 32-bit integers, and so is every product of them that becomes
 * an address: a window that asks for more is refused here, before any kernel, with a sentence that says why. What is
 * in a blob needs no limit of its own, since its memory is there; what a kernel writes for itself (padded images,
 * packed weights, rows between pads) does.
 */

const MOST_SIZE = 2 ** 31 - 1
/** Largest size along an axis, padding included. */
const MOST_ALONG = 2 ** 30
/** Most values of what a kernel keeps for itself: 2 GiB. */
export const MOST_KEPT = 2 ** 29
/** Largest LRN window: its square still is a 32-bit integer. */
const MOST_LRN = 32767

const text = (sizes: readonly number[]): string => sizes.join('×')

/** Whether n is a size that kernels can count. */
export const isSize = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= MOST_SIZE

const tooMany = (what: string, sizes: readonly number[], values: number): string =>
  `${what} of ${text(sizes)}, with what kernels write beside it, would take ${values} values, kernels keep ${MOST_KEPT} at most`

/** n in whole units. */
const up = (n: number, unit: number): number => Math.ceil(n / unit) * unit

/** Why no kernel can run this convolution, or undefined if it can. */
export function convolutionProblem(s: ConvolutionShape): string | undefined {
  const { batch, channels, outputs, group, input, output, kernel, stride, pad, dilation } = s
  if (!(isSize(batch) && isSize(channels) && isSize(outputs) && isSize(group)) || channels % group || outputs % group)
    return `batch ${batch}, ${channels} channels, ${outputs} outputs and group ${group} are no sizes of a convolution`
  let padded = 1
  let taps = 1
  let places = 1
  let isPadded = false
  for (let i = 0; i < input.length; i++) {
    if (!(isSize(input[i]) && isSize(output[i]) && isSize(pad[i])))
      return `input ${input[i]}, output ${output[i]} and pad ${pad[i]} along spatial axis ${i} must be whole numbers from 0 to ${MOST_SIZE}`
    if (!(kernel[i] >= 1 && stride[i] >= 1 && dilation[i] >= 1))
      return `kernel ${kernel[i]}, stride ${stride[i]} and dilation ${dilation[i]} along spatial axis ${i} must be at least 1`
    if (!(isSize(kernel[i]) && Number.isInteger(stride[i]) && Number.isInteger(dilation[i])))
      return `kernel ${kernel[i]}, stride ${stride[i]} and dilation ${dilation[i]} along spatial axis ${i} must be whole numbers, the kernel of at most ${MOST_SIZE}`
    const size = input[i] + 2 * pad[i]
    if (size > MOST_ALONG)
      return `${input[i]} values with a pad of ${pad[i]} on both sides are ${size} along spatial axis ${i}, kernels count ${MOST_ALONG} at most`
    const fits = Math.floor((size - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1
    if (output[i] !== fits)
      return `kernel ${kernel[i]}, stride ${stride[i]}, pad ${pad[i]} and dilation ${dilation[i]} make ${fits} of ${input[i]} values along spatial axis ${i}, not ${output[i]}`
    isPadded ||= pad[i] > 0
    padded *= size
    taps *= kernel[i]
    places *= output[i]
  }
  // more axes are made of products whose matrices are cut to size
  if (input.length > 2) return undefined
  const image = isPadded ? (channels + 3) * padded : 0
  const panels = group * up(outputs / group, 8) * places
  if (image + panels > MOST_KEPT)
    return tooMany(
      'a padded image',
      [channels, ...input.map((size, i) => size + 2 * pad[i])],
      isPadded ? image + panels : panels,
    )
  const packed = group * up(channels / group, 4) * up(outputs / group, 8) * taps
  if (packed > MOST_KEPT) return tooMany('packed weights', [outputs, channels / group, ...kernel], packed)
  return undefined
}

const paddedSize = (s: PoolingShape, i: number): number => Math.max(1, s.input[i] + 2 * s.pad[i])

/** Size along axis i of a window of which nothing is left out that meets the padded picture. */
export const clampedKernel = (s: PoolingShape, i: number): number => Math.min(s.kernel[i], paddedSize(s, i))

/** Step along axis i that leads no further than out of the padded picture. */
export const clampedStride = (s: PoolingShape, i: number): number =>
  s.output[i] > 2 ? s.stride[i] : Math.min(s.stride[i], paddedSize(s, i))

/** Why no kernel can run this pooling, or undefined if it can. */
export function poolingProblem(s: PoolingShape): string | undefined {
  const { planes, input, output, pad } = s
  if (!isSize(planes)) return `${planes} is no number of planes`
  for (let i = 0; i < 2; i++) {
    // no arrays here: every pass asks
    const kernel = clampedKernel(s, i)
    const stride = clampedStride(s, i)
    if (!(isSize(input[i]) && isSize(output[i]) && isSize(pad[i])))
      return `input ${input[i]}, output ${output[i]} and pad ${pad[i]} must be whole numbers from 0 to ${MOST_SIZE}`
    if (!(Number.isInteger(s.kernel[i]) && kernel >= 1 && Number.isInteger(s.stride[i]) && stride >= 1))
      return `kernel ${s.kernel[i]} and stride ${s.stride[i]} must be whole numbers from 1 on`
    const size = Math.max(input[i] + 2 * pad[i], (output[i] + 3) * stride + kernel)
    if (size > MOST_ALONG)
      return `${input[i]} values with a pad of ${pad[i]} under ${output[i]} windows of ${s.kernel[i]}, ${s.stride[i]} apart, are ${size}, kernels count ${MOST_ALONG} at most`
  }
  const columns = up(output[1], 4)
  const width = clampedKernel(s, 1)
  const row = Math.max(pad[1] + input[1], columns * clampedStride(s, 1) + width) + 8
  const kept = Math.max(
    row + 2 * clampedKernel(s, 0) * columns,
    input[0] * row + output[0] * output[1] + 32,
    2 * (output[1] + 2 * width + 16) + output[0] * columns,
  )
  if (kept > MOST_KEPT)
    return `windows of ${text(s.kernel)} over ${text(input)} with a pad of ${text(pad)} would take ${kept} values, kernels keep ${MOST_KEPT} at most`
  return undefined
}

/** Why no kernel can run this normalization, or undefined if it can. */
export function lrnProblem({ size }: Pick<LRNShape, 'size'>): string | undefined {
  if (size % 2 !== 1) return `local_size: ${size} must be odd, so that the window has a centre`
  if (size > MOST_LRN) return `local_size: ${size} is too large, it can be ${MOST_LRN} at most`
  return undefined
}
