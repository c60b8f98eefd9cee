import { NetError } from '../errors.js'
import type { DistortionParameter, NoiseParameter } from '../generated/caffe.js'
import { withDefaults } from '../proto/message.js'
import type { RandomStream } from '../rng.js'
import { between } from './batch_sampler.js'
import type { PlanarImage } from './image.js'

/** Every byte as a function of it and its channel; results are rounded and kept within a byte. */
function mapBytes(image: PlanarImage, value: (byte: number, c: number) => number): PlanarImage {
  const n = image.height * image.width
  const data = new Uint8ClampedArray(image.data.length)
  for (let c = 0, i = 0; c < image.channels; c++)
    for (const end = i + n; i < end; i++) data[i] = value(image.data[i], c)
  return { ...image, data: new Uint8Array(data.buffer) }
}

/**
 * SSD's distort_param: brightness, contrast, saturation, hue and the order of channels, each with its own probability;
 * contrast comes second half of the time, else last but one. Grey pictures have no saturation, hue or order.
 */
export function distortPicture(image: PlanarImage, param: DistortionParameter, random: RandomStream): PlanarImage {
  const p = withDefaults('DistortionParameter', param)
  const chance = (probability: number) => random.uniform() < probability
  const brightness = () => {
    if (!chance(p.brightness_prob)) return
    const delta = between(random, -p.brightness_delta, p.brightness_delta)
    image = mapBytes(image, byte => byte + delta)
  }
  const contrast = () => {
    if (!chance(p.contrast_prob)) return
    const factor = between(random, p.contrast_lower, p.contrast_upper)
    image = mapBytes(image, byte => byte * factor)
  }
  const saturation = () => {
    if (!chance(p.saturation_prob)) return
    const factor = between(random, p.saturation_lower, p.saturation_upper)
    if (image.channels === 3)
      image = throughHsv(image, hsv => mapBytes(hsv, (byte, c) => (c === 1 ? byte * factor : byte)))
  }
  const hue = () => {
    if (!chance(p.hue_prob)) return
    const delta = Math.round(between(random, -p.hue_delta, p.hue_delta))
    if (image.channels === 3)
      image = throughHsv(image, hsv =>
        mapBytes(hsv, (byte, c) => (c === 0 ? (((byte + delta) % 180) + 180) % 180 : byte)),
      )
  }
  const contrastEarly = chance(0.5)
  brightness()
  if (contrastEarly) contrast()
  saturation()
  hue()
  if (!contrastEarly) contrast()
  if (chance(p.random_order_prob) && image.channels === 3) {
    const order = [0, 1, 2]
    random.shuffle(order)
    image = inOrder(image, order)
  }
  return image
}

function inOrder(image: PlanarImage, order: readonly number[]): PlanarImage {
  const n = image.height * image.width
  const data = new Uint8Array(image.data.length)
  order.forEach((from, to) => {
    data.set(image.data.subarray(from * n, (from + 1) * n), to * n)
  })
  return { ...image, data }
}

const throughHsv = (image: PlanarImage, change: (hsv: PlanarImage) => PlanarImage): PlanarImage =>
  fromHsv(change(toHsv(image)))

/** Planes B, G, R → hue in units of 2°, saturation and value of 255. */
export function toHsv(image: PlanarImage): PlanarImage {
  const n = image.height * image.width
  const data = new Uint8ClampedArray(3 * n)
  for (let i = 0; i < n; i++) {
    const b = image.data[i]
    const g = image.data[n + i]
    const r = image.data[2 * n + i]
    const most = Math.max(b, g, r)
    const span = most - Math.min(b, g, r)
    const sixth = span === 0 ? 0 : most === r ? (g - b) / span : most === g ? 2 + (b - r) / span : 4 + (r - g) / span
    data[i] = Math.round(30 * (sixth < 0 ? sixth + 6 : sixth)) % 180
    data[n + i] = most === 0 ? 0 : (255 * span) / most
    data[2 * n + i] = most
  }
  return { ...image, data: new Uint8Array(data.buffer) }
}

/** The way back. */
export function fromHsv(image: PlanarImage): PlanarImage {
  const n = image.height * image.width
  const data = new Uint8ClampedArray(3 * n)
  for (let i = 0; i < n; i++) {
    const hue = image.data[i] / 30
    const value = image.data[2 * n + i]
    const chroma = (value * image.data[n + i]) / 255
    const of = (shift: number) => {
      const k = (shift + hue) % 6
      return value - chroma * Math.max(0, Math.min(k, 4 - k, 1))
    }
    data[i] = of(1)
    data[n + i] = of(3)
    data[2 * n + i] = of(5)
  }
  return { ...image, data: new Uint8Array(data.buffer) }
}

/** SSD's noise_param; every change that is switched on takes place (SSD does not look at `prob` either). */
export function spoilPicture(image: PlanarImage, param: NoiseParameter, random: RandomStream): PlanarImage {
  const p = withDefaults('NoiseParameter', param)
  const missing = (['clahe', 'convert_to_lab'] as const).find(field => p[field]) ?? (p.jpeg > 0 ? 'jpeg' : undefined)
  if (missing) throw new NetError(`noise_param.${missing} is not there: leave it out`)
  const n = image.height * image.width
  const coloured = image.channels === 3
  if (p.decolorize && coloured) {
    const grey = luminance(image)
    image = mapPlanes(image, () => grey)
  }
  if (p.gauss_blur) image = mapPlanes(image, plane => blurred(plane, image.height, image.width))
  if (p.hist_eq) {
    // Y of YCrCb alone: B, G and R move by as much as it does
    const before = coloured ? luminance(image) : image.data
    const after = equalized(before)
    image = mapBytesAt(image, (byte, i) => byte + after[i % n] - before[i % n])
  }
  if (p.erode) image = mapPlanes(image, plane => eroded(plane, image.height, image.width))
  if (p.posterize) image = mapBytes(image, byte => byte - (byte % 64) + 32)
  if (p.inverse) image = mapBytes(image, byte => 255 - byte)
  if (p.saltpepper) image = peppered(image, withDefaults('SaltPepperParameter', p.saltpepper_param), random)
  return p.convert_to_hsv && coloured ? toHsv(image) : image
}

function mapBytesAt(image: PlanarImage, value: (byte: number, i: number) => number): PlanarImage {
  const data = new Uint8ClampedArray(image.data.length)
  for (let i = 0; i < data.length; i++) data[i] = value(image.data[i], i)
  return { ...image, data: new Uint8Array(data.buffer) }
}

function mapPlanes(image: PlanarImage, change: (plane: Uint8Array) => Uint8Array): PlanarImage {
  const n = image.height * image.width
  const data = new Uint8Array(image.data.length)
  for (let c = 0; c < image.channels; c++) data.set(change(image.data.subarray(c * n, (c + 1) * n)), c * n)
  return { ...image, data }
}

function luminance(image: PlanarImage): Uint8Array {
  const n = image.height * image.width
  const grey = new Uint8Array(n)
  for (let i = 0; i < n; i++)
    grey[i] = Math.round(0.114 * image.data[i] + 0.587 * image.data[n + i] + 0.299 * image.data[2 * n + i])
  return grey
}

/** Gaussian of 7×7 with σ 1.5; beyond the edge the picture is mirrored. */
function blurred(plane: Uint8Array, height: number, width: number): Uint8Array {
  const weights = Array.from({ length: 7 }, (_, k) => Math.exp(-((k - 3) ** 2) / 4.5))
  const sum = weights.reduce((a, b) => a + b)
  const pass = (from: ArrayLike<number>, step: number, size: number, at: (i: number) => number) =>
    Float64Array.from({ length: plane.length }, (_, i) => {
      const place = at(i)
      let total = 0
      for (let k = -3; k <= 3; k++) {
        const wanted = Math.abs(place + k)
        const inside = Math.max(0, wanted < size ? wanted : 2 * (size - 1) - wanted)
        total += weights[k + 3] * from[i + (inside - place) * step]
      }
      return total / sum
    })
  const across = pass(plane, 1, width, i => i % width)
  return new Uint8Array(Uint8ClampedArray.from(pass(across, width, height, i => Math.floor(i / width))).buffer)
}

/** Each value so that all are taken about equally often. */
function equalized(plane: Uint8Array): Uint8Array {
  const counts = new Uint32Array(256)
  for (const value of plane) counts[value]++
  const first = counts.findIndex(count => count > 0)
  const rest = plane.length - counts[first]
  if (rest === 0) return plane
  const table = new Uint8Array(256)
  for (let value = first + 1, sum = 0; value < 256; value++) {
    sum += counts[value]
    table[value] = Math.round((255 * sum) / rest)
  }
  return plane.map(value => table[value])
}

/** The least of each pixel and its four neighbours. */
const eroded = (plane: Uint8Array, height: number, width: number): Uint8Array =>
  plane.map((value, i) => {
    const x = i % width
    const y = Math.floor(i / width)
    let least = value
    if (x > 0) least = Math.min(least, plane[i - 1])
    if (x < width - 1) least = Math.min(least, plane[i + 1])
    if (y > 0) least = Math.min(least, plane[i - width])
    if (y < height - 1) least = Math.min(least, plane[i + width])
    return least
  })

/** Pixels at random places get the value (none: 0 … 255 by chance). */
function peppered(
  image: PlanarImage,
  { fraction, value = [] }: { fraction: number; value?: readonly number[] },
  random: RandomStream,
) {
  if (value.length > 1 && value.length !== image.channels)
    throw new NetError(`saltpepper_param.value is given ${value.length} times for ${image.channels} channels`)
  const n = image.height * image.width
  const data = image.data.slice()
  for (let k = Math.floor(Math.min(Math.max(fraction, 0), 1) * n); k > 0; k--) {
    const at = random.integer(n)
    for (let c = 0; c < image.channels; c++)
      data[c * n + at] = value.length ? value[value.length > 1 ? c : 0] : random.integer(256)
  }
  return { ...image, data }
}
