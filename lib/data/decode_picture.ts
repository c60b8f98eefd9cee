import { decodeImage, MOST_PIXELS, type PixelsModule, type PlanarImage, toPlanes } from './image.js'
import { type Deflate, importDeflate } from './inflate.js'
import { readPlainPng } from './png.js'

/** What decodes picture files. */
export interface Decoders {
  /** ndarray-pixels, imported when the first file needs it. */
  readonly pixels: () => Promise<PixelsModule>
  readonly deflate: Deflate
}

/** A picture file that was decoded. */
export interface OpenPicture {
  readonly height: number
  readonly width: number
  /** Channels in the file: 1 grey, 3 colour, 4 colour with transparency. */
  readonly channels: 1 | 3 | 4
  /** Planes B, G, R or one of grey; as many as in the file where no number is asked for. */
  planes(channels?: 1 | 3): PlanarImage
}

let loaded: Promise<Deflate> | undefined

/** Plain PNGs are read here, all others by ndarray-pixels; both give the same bytes, turned as EXIF says. */
export async function openPicture(
  bytes: Uint8Array,
  pixels: Decoders['pixels'],
  deflate?: Deflate,
): Promise<OpenPicture> {
  loaded ??= importDeflate()
  const plain = readPlainPng(bytes, MOST_PIXELS, deflate ?? (await loaded))
  if (plain) {
    const { height, width } = plain
    const channels = plain.channels as 1 | 3 | 4
    return { height, width, channels, planes: wanted => (wanted ? withChannels(plain, wanted) : plain) }
  }
  const decoded = await decodeImage(bytes, await pixels())
  const { height, width, channels } = decoded
  return { height, width, channels, planes: wanted => toPlanes(decoded, wanted) }
}

/** A picture file as its planes B, G, R or one of grey. */
export async function decodePicture(bytes: Uint8Array, channels: 1 | 3, decoders: Decoders): Promise<PlanarImage> {
  return (await openPicture(bytes, decoders.pixels, decoders.deflate)).planes(channels)
}

/** Planes of a PNG as toPlanes makes them; transparency is left out. */
export function withChannels(image: PlanarImage, channels: 1 | 3): PlanarImage {
  if (image.channels === channels) return image
  const { height, width, data } = image
  const n = height * width
  if (image.channels === 4 && channels === 3) return { channels, height, width, data: data.slice(0, 3 * n) }
  const planes = new Uint8Array(n * channels)
  if (channels === 3) for (let c = 0; c < 3; c++) planes.set(data.subarray(0, n), c * n)
  // weights in 1/2¹⁵, rounded down as Caffe's PNG reader does
  else for (let i = 0; i < n; i++) planes[i] = (data[2 * n + i] * 9797 + data[n + i] * 19234 + data[i] * 3737) >> 15
  return { channels, height, width, data: planes }
}
