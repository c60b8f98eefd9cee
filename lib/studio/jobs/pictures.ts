import { decodePicture, withChannels } from '../../data/decode_picture.js'
import { importPixels, MOST_PIXELS, type PlanarImage } from '../../data/image.js'
import { importDeflate } from '../../data/inflate.js'
import { readPlainPng, writePng } from '../../data/png.js'
import { readDatum } from '../../proto/datum.js'
import { StudioError, type TestOneRequest } from '../api/index.js'

/** A picture file as planes B, G, R or one of grey. */
export async function planesOfFile(file: Uint8Array, channels: 1 | 3): Promise<PlanarImage> {
  return decodePicture(file, channels, { pixels: () => importPixels(), deflate: await importDeflate() })
}

/** Whether a picture file is read without a native library. */
export const isPlain = async (file: Uint8Array): Promise<boolean> =>
  readPlainPng(file, MOST_PIXELS, await importDeflate()) !== undefined

/** What a pad draws as planes. */
export function planesOfPixels(
  given: Extract<TestOneRequest['picture'], { pixels: Uint8Array }>,
  channels: 1 | 3,
): PlanarImage {
  const { width, height, pixels, channels: own } = given
  const n = width * height
  const isSize = (side: number) => Number.isSafeInteger(side) && side > 0
  if (!isSize(width) || !isSize(height) || n > MOST_PIXELS || (own !== 1 && own !== 3) || pixels.length !== n * own)
    throw new StudioError(`${pixels.length} bytes are no ${width}×${height} pixels of ${own} channels`, 400)
  const data = new Uint8Array(n * own)
  for (let c = 0; c < own; c++) for (let i = 0; i < n; i++) data[(own - 1 - c) * n + i] = pixels[i * own + c]
  return withChannels({ channels: own, height, width, data }, channels)
}

/** A record of a database as planes, with its label. */
export async function planesOfRecord(record: Uint8Array): Promise<{ image: PlanarImage; label: number }> {
  const { channels, height, width, data, label, encoded } = readDatum(record)
  if (!encoded) {
    if (!channels || data.length !== channels * height * width)
      throw new StudioError(`the record holds no picture of bytes: ${channels}×${height}×${width}`, 422)
    return { image: { channels, height, width, data: data.slice() }, label }
  }
  // the file's own channels: a grey picture in three planes is grey all the same
  const image = await planesOfFile(data.slice(), 3)
  return { image, label }
}

/** Planes with as many channels as are wanted; of more than three, the first ones. */
export function fitChannels(image: PlanarImage, channels: 1 | 3): PlanarImage {
  if (image.channels === channels) return image
  if (image.channels === 1 || image.channels === 3) return withChannels(image, channels)
  const { height, width, data } = image
  return withChannels({ channels: 1, height, width, data: data.subarray(0, height * width) }, channels)
}

/** A PNG file. */
export async function pngOf(image: PlanarImage): Promise<Uint8Array> {
  const shown = image.channels === 3 ? image : fitChannels(image, 1)
  return writePng(shown, await importDeflate())
}
