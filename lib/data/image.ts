import type { NdArray } from 'ndarray'
import { EngineError, FormatError, NetError } from '../errors.js'
import { orientationOf, unturned, upright } from './orientation.js'

const MAX_BYTES = 2 ** 31 - 1

/** The part of npm ndarray-pixels that is used here. */
export interface PixelsModule {
  getPixels(data: Uint8Array, mimeType: string): Promise<NdArray<Uint8Array>>
}

/** A decoded image as it was seen (EXIF): R, G, B, A bytes, row by row, and what its file says about it. */
export interface DecodedImage {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8Array
  /** Channels in the file: 1 grey, 3 colour, 4 colour with transparency. */
  readonly channels: 1 | 3 | 4
  /** MIME type. */
  readonly type: string
}

/** Bytes in planes B, G, R (or one grey plane): how Caffe, through OpenCV, sees images. (C, H, W) */
export interface PlanarImage {
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly data: Uint8Array
}

/**
 * ndarray-pixels, imported when the first image is read; `load` says from where, since the prefetch worker cannot
 * resolve names.
 */
export async function importPixels(load?: () => Promise<PixelsModule>): Promise<PixelsModule> {
  try {
    // within a try: bundlers then know that the package may be missing
    return load ? await load() : await import('ndarray-pixels')
  } catch (error) {
    throw new EngineError(`all pictures but plain PNGs are read by two packages: ${whatToDo(error as Error)}`, {
      cause: error,
    })
  }
}

function whatToDo({ message }: Error): string {
  // sharp's own advice is about how it was installed
  if (/ERR_DLOPEN_DISABLED/.test(message))
    return 'it is there, and this process may load no native library (--no-addons, or a permission model without --allow-addons); plain PNG files need none'
  return `npm install ndarray-pixels sharp (${message})`
}

/** Pixels of a picture that is still decoded: decoders take some twenty bytes for each. */
export const MOST_PIXELS = 2 ** 27

/**
 * Decode a PNG or JPEG file, and in a browser whatever else it can show, turned as cameras wrote into JPEG files (EXIF). A file whose header speaks of more than `most`
 * pixels is a FormatError before anything is decoded: a few kB can be many GB of picture.
 */
export async function decodeImage(
  bytes: Uint8Array,
  pixels: PixelsModule,
  most: number = MOST_PIXELS,
): Promise<DecodedImage> {
  const { type, channels } = inspect(bytes)
  const [columns, rows] = storedSize(bytes)
  if (columns * rows > most)
    throw new FormatError(
      `this image (${bytes.length} bytes, ${type}) is ${columns}×${rows} pixels large, at most ${most} are decoded; make it smaller`,
    )
  const found = orientationOf(bytes)
  const orientation = found?.value === 1 ? undefined : found
  let decoded: NdArray<Uint8Array>
  try {
    // not every decoder turns pictures: none is asked to
    decoded = await pixels.getPixels(orientation ? unturned(bytes, orientation) : bytes, type)
  } catch (error) {
    // what decoders say is in the cause: some mix in what other threads met
    const why =
      type === 'image/bmp'
        ? 'browsers read such files, the packages that decode in Node do not; make it a PNG'
        : 'it is damaged, or cut off'
    throw new FormatError(`this image (${bytes.length} bytes, ${type}) cannot be decoded: ${why}`, { cause: error })
  }
  const [width, height] = decoded.shape
  const whole = { width, height, rgba: decoded.data }
  const turned = orientation ? upright(decoded.data, width, height, orientation.value) : whole
  return { ...turned, channels, type }
}

/** What the header says: format and number of channels. */
function inspect(bytes: Uint8Array): { type: string; channels: 1 | 3 | 4 } {
  const starts = (...magic: number[]) => magic.every((byte, i) => bytes[i] === byte)
  if (starts(0x89, 0x50, 0x4e, 0x47)) {
    // colour type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha
    const kind = bytes[25]
    return { type: 'image/png', channels: kind === 0 || kind === 4 ? 1 : kind === 6 ? 4 : 3 }
  }
  if (starts(0xff, 0xd8)) return { type: 'image/jpeg', channels: jpegComponents(bytes) === 1 ? 1 : 3 }
  if (starts(0x47, 0x49, 0x46)) return { type: 'image/gif', channels: 3 }
  if (starts(0x42, 0x4d)) return { type: 'image/bmp', channels: 3 }
  if (starts(0x52, 0x49, 0x46, 0x46)) return { type: 'image/webp', channels: 3 }
  throw new FormatError(`${bytes.length} bytes that are no PNG, JPEG or other known image${otherPicture(bytes)}`)
}

/** Pictures that are not read here, by what stands in them where. */
const OTHERS: readonly (readonly [at: number, magic: RegExp, what: string])[] = [
  [4, /^ftypavi/, 'an AVIF picture'],
  [4, /^ftyp(?:hei|hev|mif1|msf1)/, 'a HEIC picture, as telephones take them'],
  [0, /^(?:II\*\0|MM\0\*)/, 'a TIFF picture'],
  [0, /^%PDF/, 'a PDF document'],
  [0, /^\s*<(?:\?xml|svg)/, 'an SVG drawing, or other XML'],
]

function otherPicture(bytes: Uint8Array): string {
  if (bytes.length === 0) return ': the file is empty'
  const text = String.fromCharCode(...bytes.subarray(0, 32))
  const other = OTHERS.find(([at, magic]) => magic.test(text.slice(at)))
  return other ? `: this is ${other[2]}; save it as PNG or JPEG` : ''
}

/** The same of the picture as it was seen. */
export function imageSize(bytes: Uint8Array): [width: number, height: number] {
  const [width, height] = storedSize(bytes)
  return (orientationOf(bytes)?.value ?? 1) >= 5 ? [height, width] : [width, height]
}

/** Width and height as the header says; [0, 0] where it says nothing that is known here, which the decoder then refuses. */
function storedSize(bytes: Uint8Array): [width: number, height: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const within = (end: number) => bytes.length >= end
  if (bytes[0] === 0x89) return within(24) ? [view.getUint32(16), view.getUint32(20)] : [0, 0]
  if (bytes[0] === 0xff) {
    const at = jpegFrame(bytes)
    return at > 0 ? [view.getUint16(at + 7), view.getUint16(at + 5)] : [0, 0]
  }
  if (bytes[0] === 0x47) return within(10) ? [view.getUint16(6, true), view.getUint16(8, true)] : [0, 0]
  if (bytes[0] === 0x42)
    return within(26) ? [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))] : [0, 0]
  if (bytes[0] !== 0x52 || !within(30)) return [0, 0]
  // WebP: simple, lossless and extended files have the size in different places
  const kind = bytes[15]
  if (kind === 0x20) return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff]
  if (kind === 0x4c) {
    const bits = view.getUint32(21, true)
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1]
  }
  const three = (at: number) => 1 + view.getUint16(at, true) + (bytes[at + 2] << 16)
  return [three(24), three(27)]
}

/** Number of components in the frame header of a JPEG file; 0 if none is found. */
const jpegComponents = (bytes: Uint8Array): number => {
  const at = jpegFrame(bytes)
  return at > 0 ? bytes[at + 9] : 0
}

/** Where the frame header of a JPEG file begins; 0 if none is found. */
function jpegFrame(bytes: Uint8Array): number {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]
    if (marker === 0xff) {
      at++
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return at
    at += 2 + ((bytes[at + 2] << 8) | bytes[at + 3])
  }
  return 0
}

/**
 * Planes of an image: B, G, R; B, G, R, A; or grey = .299 R + .587 G + .114 B, rounded down for PNG and to the nearest
 * for others, since the libraries that Caffe reads them with differ in this.
 * @param channels 3 makes three equal planes of a grey image, 1 a grey plane of a colour image
 */
export function toPlanes(image: DecodedImage, channels: 1 | 3 | 4 = image.channels): PlanarImage {
  const { width, height, rgba } = image
  const n = width * height
  const data = new Uint8Array(n * channels)
  if (channels === 1 && image.channels === 1) for (let i = 0; i < n; i++) data[i] = rgba[4 * i]
  else if (channels === 1) {
    const half = image.type === 'image/png' ? 0 : 1 << 14
    // weights in 1/2^15
    for (let i = 0; i < n; i++)
      data[i] = (rgba[4 * i] * 9797 + rgba[4 * i + 1] * 19234 + rgba[4 * i + 2] * 3737 + half) >> 15
  } else
    for (let i = 0; i < n; i++) {
      data[i] = rgba[4 * i + 2]
      data[n + i] = rgba[4 * i + 1]
      data[2 * n + i] = rgba[4 * i]
      if (channels === 4) data[3 * n + i] = rgba[4 * i + 3]
    }
  return { channels, height, width, data }
}

/** A rectangle of an image. */
export function cropImage(image: PlanarImage, x: number, y: number, width: number, height: number): PlanarImage {
  const data = new Uint8Array(image.channels * height * width)
  for (let c = 0, to = 0; c < image.channels; c++)
    for (let row = 0; row < height; row++, to += width) {
      const from = (c * image.height + y + row) * image.width + x
      data.set(image.data.subarray(from, from + width), to)
    }
  return { channels: image.channels, height, width, data }
}

/**
 * The image in another size: bilinear with half-pixel centres, y(i) = x((i + ½)·old/new − ½), no smoothing when it
 * shrinks. Weights are rounded to 1/2048, as OpenCV's resize of bytes does.
 */
export function resizeImage(image: PlanarImage, height: number, width: number): PlanarImage {
  if (image.height === height && image.width === width) return image
  const { channels } = image
  if (channels * height * width > MAX_BYTES)
    throw new NetError(`an image of ${channels}×${height}×${width} cannot be made: more than 2³¹ − 1 bytes`)
  const data = new Uint8Array(channels * height * width)
  const rows = samplePoints(image.height, height, false)
  const columns = samplePoints(image.width, width, true)
  for (let c = 0, to = 0; c < channels; c++) {
    const plane = image.data.subarray(c * image.height * image.width, (c + 1) * image.height * image.width)
    for (let y = 0; y < height; y++) {
      const above = rows.first[y] * image.width
      const below = rows.second[y] * image.width
      const b0 = rows.weight0[y]
      const b1 = rows.weight1[y]
      for (let x = 0; x < width; x++, to++) {
        const left = columns.first[x]
        const right = columns.second[x]
        const a0 = columns.weight0[x]
        const a1 = columns.weight1[x]
        const upper = plane[above + left] * a0 + plane[above + right] * a1
        const lower = plane[below + left] * a0 + plane[below + right] * a1
        data[to] = (((b0 * (upper >> 4)) >> 16) + ((b1 * (lower >> 4)) >> 16) + 2) >> 2
      }
    }
  }
  return { channels, height, width, data }
}

/**
 * For each new position the two old ones and their weights, in 1/2048.
 * @param snap give all weight to one position at the edges, where the two are the same: OpenCV does so for columns but
 * not for rows,
 *   which shows in the last bit
 */
function samplePoints(from: number, to: number, snap: boolean) {
  const points = {
    first: new Int32Array(to),
    second: new Int32Array(to),
    weight0: new Int32Array(to),
    weight1: new Int32Array(to),
  }
  for (let i = 0; i < to; i++) {
    const at = Math.fround((i + 0.5) * (from / to) - 0.5)
    const first = Math.floor(at)
    const inside = first >= 0 && first < from - 1
    points.first[i] = Math.min(Math.max(first, 0), from - 1)
    points.second[i] = Math.min(Math.max(first + 1, 0), from - 1)
    points.weight1[i] = snap && !inside ? 0 : Math.round((at - first) * 2048)
    points.weight0[i] = 2048 - points.weight1[i]
    if (snap && first < 0) points.second[i] = points.first[i]
  }
  return points
}
