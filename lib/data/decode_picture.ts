import { decodeImage, MOST_PIXELS, type PixelsModule, type PlanarImage, toPlanes } from './image.js'
import type { Deflate } from './inflate.js'
import { orientationOf, unturned, upright } from './orientation.js'
import { readPlainPng } from './png.js'

/** What decodes picture files. */
export interface Decoders {
  /** ndarray-pixels, imported when the first file needs it. */
  readonly pixels: () => Promise<PixelsModule>
  readonly deflate: Deflate
}

/**
 * A picture file as its planes B, G, R or one of grey, turned as EXIF says. Plain PNGs are read here, all others by the
 * general decoder; both give the same bytes.
 */
export async function decodePicture(bytes: Uint8Array, channels: 1 | 3, decoders: Decoders): Promise<PlanarImage> {
  const plain = readPlainPng(bytes, MOST_PIXELS, decoders.deflate)
  if (plain) return withChannels(plain, channels)
  const orientation = orientationOf(bytes)
  const turned = orientation !== undefined && orientation.value !== 1
  const decoded = await decodeImage(turned ? unturned(bytes, orientation) : bytes, await decoders.pixels())
  const image = toPlanes(decoded, channels)
  return turned ? upright(image, orientation.value) : image
}

/** Planes of a PNG as toPlanes makes them. */
export function withChannels(image: PlanarImage, channels: 1 | 3): PlanarImage {
  if (image.channels === channels) return image
  const { height, width, data } = image
  const n = height * width
  const planes = new Uint8Array(n * channels)
  if (channels === 3) for (let c = 0; c < 3; c++) planes.set(data.subarray(0, n), c * n)
  // weights in 1/2¹⁵, rounded down as Caffe's PNG reader does
  else for (let i = 0; i < n; i++) planes[i] = (data[2 * n + i] * 9797 + data[n + i] * 19234 + data[i] * 3737) >> 15
  return { channels, height, width, data: planes }
}
