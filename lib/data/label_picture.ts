import { FormatError } from '../errors.js'
import { decodeImage, MOST_PIXELS, type PixelsModule, type PlanarImage } from './image.js'
import { isPng, readPng } from './png_samples.js'

/**
 * A picture whose pixels are labels, 0 … 255, as one plane: the indices of a palette, or grey values (fewer than 8 bits
 * are stretched to 0 … 255, as OpenCV does). FormatErrors: colours, 16 bits, JPEG, which changes values.
 */
export async function readLabels(bytes: Uint8Array, pixels: () => Promise<PixelsModule>): Promise<PlanarImage> {
  if (!isPng(bytes)) return greyOf(bytes, await pixels())
  const { width, height, depth, kind, channels, data } = await readPng(bytes, MOST_PIXELS)
  if (kind === 'palette') return { channels: 1, height, width, data }
  return {
    channels: 1,
    height,
    width,
    data: kind === 'grey' ? everyNth(data, channels, 255 / (2 ** depth - 1)) : sameChannels(data, channels),
  }
}

async function greyOf(bytes: Uint8Array, pixels: PixelsModule): Promise<PlanarImage> {
  const { width, height, rgba, type } = await decodeImage(bytes, pixels)
  if (type === 'image/jpeg')
    throw new FormatError('labels are not kept by a JPEG file, which changes values: save them as PNG')
  return { channels: 1, height, width, data: sameChannels(rgba, 4) }
}

const everyNth = (data: Uint8Array, step: number, factor: number): Uint8Array =>
  Uint8Array.from({ length: data.length / step }, (_, i) => data[i * step] * factor)

function sameChannels(data: Uint8Array, channels: number): Uint8Array {
  const plane = everyNth(data, channels, 1)
  const odd = plane.findIndex((grey, i) => data[i * channels + 1] !== grey || data[i * channels + 2] !== grey)
  if (odd >= 0)
    throw new FormatError(
      `pixel ${odd} has the colour ${data.subarray(odd * channels, odd * channels + 3).join(', ')}: labels are the indices of a palette or grey values, so save the picture with a palette`,
    )
  return plane
}
