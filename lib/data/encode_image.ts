import { EngineError } from '../errors.js'
import type { PlanarImage } from './image.js'

export const imageFormats = ['png', 'jpg'] as const
/** File types that images can be encoded as. */
export type ImageFormat = (typeof imageFormats)[number]

/** Of JPEG files, as OpenCV, and so Caffe, writes them. */
const QUALITY = 95

type SharpModule = typeof import('sharp')

/**
 * An image file of planes B, G, R or grey: with as many channels as the image has, which the data layer goes by.
 * @param load says where sharp is, for workers that cannot resolve names
 */
export async function encodeImage(
  { channels, height, width, data }: PlanarImage,
  format: ImageFormat,
  load?: () => Promise<SharpModule>,
): Promise<Uint8Array> {
  const sharp = await importSharp(load)
  const n = height * width
  const pixels = new Uint8Array(n * channels)
  for (let c = 0; c < channels; c++) {
    const plane = channels === 3 ? 2 - c : c
    for (let i = 0; i < n; i++) pixels[i * channels + c] = data[plane * n + i]
  }
  const image = sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } })
  const grey = channels === 1 ? image.toColourspace('b-w') : image
  const file = await (format === 'png' ? grey.png() : grey.jpeg({ quality: QUALITY })).toBuffer()
  return new Uint8Array(file)
}

async function importSharp(load?: () => Promise<SharpModule>): Promise<SharpModule['default']> {
  // a name that bundlers for browsers do not look for: files are written by Node alone
  const name: string = 'sharp'
  try {
    if (load) return (await load()).default
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)).default
  } catch (error) {
    throw new EngineError(`writing images needs the package sharp: npm install sharp (${(error as Error).message})`, {
      cause: error,
    })
  }
}
