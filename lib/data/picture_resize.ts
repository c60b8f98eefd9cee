import { NetError } from '../errors.js'
import type { ResizeParameter } from '../generated/caffe.js'
import { withDefaults } from '../proto/message.js'
import type { RandomStream } from '../rng.js'
import type { Box } from './boxes.js'
import { MOST_PIXELS, type PlanarImage, resizeImage } from './image.js'

type Interpolation = NonNullable<ResizeParameter['interp_mode']>[number]

/** A picture in another size, and where boxes of it are then. */
export interface Resized {
  readonly image: PlanarImage
  readonly place: <B extends Box>(box: B) => B
}

/** SSD's resize_param: to the size whatever the sides' ratio, to cover it, or to fit into it with a border around. */
export function resizePicture(image: PlanarImage, param: ResizeParameter, random: RandomStream): Resized {
  const { resize_mode, height, width, interp_mode = [] } = withDefaults('ResizeParameter', param)
  if (!height || !width) throw new NetError(`resize_param has height ${height} and width ${width}: give both`)
  if (height * width > MOST_PIXELS)
    throw new NetError(`resize_param asks for ${height}×${width}: at most ${MOST_PIXELS} pixels are made`)
  const mode = interp_mode.length ? interp_mode[random.integer(interp_mode.length)] : 'LINEAR'
  const unmoved = <B extends Box>(box: B): B => box
  if (resize_mode === 'WARP') return { image: interpolate(image, height, width, mode), place: unmoved }
  const wide = image.width / image.height
  const byHeight = wide >= width / height === (resize_mode === 'FIT_SMALL_SIZE')
  const h = byHeight ? height : Math.max(1, Math.round(width / wide))
  const w = byHeight ? Math.max(1, Math.round(height * wide)) : width
  if (h * w > MOST_PIXELS) throw new NetError(`a picture of ${image.height}×${image.width} would become ${h}×${w}`)
  const fitted = interpolate(image, h, w, mode)
  if (resize_mode === 'FIT_SMALL_SIZE') return { image: fitted, place: unmoved }
  const top = (height - h) >> 1
  const left = (width - w) >> 1
  return {
    image: padded(fitted, height, width, top, left, param),
    place: box => ({
      ...box,
      xmin: (left + box.xmin * w) / width,
      ymin: (top + box.ymin * h) / height,
      xmax: (left + box.xmax * w) / width,
      ymax: (top + box.ymax * h) / height,
    }),
  }
}

function padded(image: PlanarImage, height: number, width: number, top: number, left: number, param: ResizeParameter) {
  const { pad_mode, pad_value = [] } = withDefaults('ResizeParameter', param)
  const { channels } = image
  if (pad_value.length > 1 && pad_value.length !== channels)
    throw new NetError(`resize_param.pad_value is given ${pad_value.length} times for ${channels} channels`)
  const data = new Uint8Array(channels * height * width)
  const from = borderOf(pad_mode)
  for (let c = 0, to = 0; c < channels; c++) {
    const value = pad_value[pad_value.length > 1 ? c : 0] ?? 0
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++, to++) {
        const row = y - top
        const column = x - left
        const inside = row >= 0 && row < image.height && column >= 0 && column < image.width
        data[to] =
          inside || from
            ? image.data[
                (c * image.height + (from?.(row, image.height) ?? row)) * image.width +
                  (from?.(column, image.width) ?? column)
              ]
            : value
      }
  }
  return { channels, height, width, data }
}

/** Which pixel of a row or column stands where there is none; undefined where a value does. */
export const borderOf = (
  mode: NonNullable<ResizeParameter['pad_mode']>,
): ((i: number, n: number) => number) | undefined =>
  mode === 'MIRRORED' ? mirrored : mode === 'REPEAT_NEAREST' ? nearest : undefined

const nearest = (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1)

/** The edge itself stands once: c b | a b c | b a. */
function mirrored(i: number, n: number): number {
  if (n === 1) return 0
  const period = 2 * (n - 1)
  const at = ((i % period) + period) % period
  return at < n ? at : period - at
}

/** For each new position the first old one, and the weights of it and those that follow. */
interface Taps {
  readonly first: Int32Array
  readonly weights: Float64Array
  readonly count: number
}

/** The image in another size; LINEAR is what OpenCV makes of bytes, to the last bit. */
export function interpolate(image: PlanarImage, height: number, width: number, mode: Interpolation): PlanarImage {
  if (image.height === height && image.width === width) return image
  const shrinks = height <= image.height && width <= image.width
  if (mode === 'LINEAR' || (mode === 'AREA' && !shrinks)) return resizeImage(image, height, width)
  const { channels } = image
  const rows = tapsOf(image.height, height, mode)
  const columns = tapsOf(image.width, width, mode)
  const data = new Uint8ClampedArray(channels * height * width)
  const wide = new Float64Array(image.height * width)
  for (let c = 0; c < channels; c++) {
    for (let y = 0, to = 0; y < image.height; y++) {
      const line = (c * image.height + y) * image.width
      for (let x = 0; x < width; x++, to++) {
        let sum = 0
        for (let k = 0; k < columns.count; k++)
          sum += columns.weights[x * columns.count + k] * image.data[line + nearest(columns.first[x] + k, image.width)]
        wide[to] = sum
      }
    }
    for (let y = 0, to = c * height * width; y < height; y++)
      for (let x = 0; x < width; x++, to++) {
        let sum = 0
        for (let k = 0; k < rows.count; k++)
          sum += rows.weights[y * rows.count + k] * wide[nearest(rows.first[y] + k, image.height) * width + x]
        data[to] = sum
      }
  }
  return { channels, height, width, data: new Uint8Array(data.buffer) }
}

function tapsOf(from: number, to: number, mode: Interpolation): Taps {
  const scale = from / to
  const count = mode === 'NEAREST' ? 1 : mode === 'CUBIC' ? 4 : mode === 'LANCZOS4' ? 8 : Math.ceil(scale) + 1
  const taps = { first: new Int32Array(to), weights: new Float64Array(to * count), count }
  for (let i = 0; i < to; i++) {
    const weights = taps.weights.subarray(i * count, (i + 1) * count)
    if (mode === 'NEAREST' || mode === 'AREA') {
      taps.first[i] = Math.floor(i * scale)
      // how much of each old pixel the new one covers
      for (let k = 0; k < count; k++) {
        const at = taps.first[i] + k
        weights[k] =
          mode === 'NEAREST' ? 1 : Math.max(0, Math.min(at + 1, (i + 1) * scale) - Math.max(at, i * scale)) / scale
      }
      continue
    }
    const place = (i + 0.5) * scale - 0.5
    taps.first[i] = Math.floor(place) - count / 2 + 1
    let sum = 0
    for (let k = 0; k < count; k++) {
      const distance = Math.abs(place - taps.first[i] - k)
      weights[k] = mode === 'CUBIC' ? cubic(distance) : lanczos4(distance)
      sum += weights[k]
    }
    for (let k = 0; k < count; k++) weights[k] /= sum
  }
  return taps
}

/** The cubic convolution with a = −¾, which is OpenCV's. */
const cubic = (x: number): number =>
  x < 1 ? (1.25 * x - 2.25) * x * x + 1 : x < 2 ? ((-0.75 * x + 3.75) * x - 6) * x + 3 : 0

const lanczos4 = (x: number): number => {
  const t = Math.PI * x
  return x === 0 ? 1 : x < 4 ? (4 * Math.sin(t) * Math.sin(t / 4)) / (t * t) : 0
}
