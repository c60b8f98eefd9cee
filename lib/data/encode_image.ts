import { EngineError } from '../errors.js'
import type { PlanarImage } from './image.js'
import { importDeflate } from './inflate.js'
import { writePng } from './png.js'

export const imageFormats = ['png', 'jpg'] as const
/** File types that images can be encoded as. */
export type ImageFormat = (typeof imageFormats)[number]

/** Of JPEG files, as OpenCV, and so Caffe, writes them. */
const QUALITY = 95

/** The part of npm sharp that is used here. */
export interface SharpModule {
  default(pixels: Uint8Array, from: { raw: { width: number; height: number; channels: 1 | 3 } }): SharpImage
}

interface SharpImage {
  toColourspace(space: string): SharpImage
  jpeg(options: { quality: number }): SharpImage
  toBuffer(): Promise<Uint8Array>
}

/**
 * An image file of planes B, G, R or grey: with as many channels as the image has, which the data layer goes by. PNG
 * needs no package, JPEG is written by sharp.
 * @param load says where sharp is, for workers that cannot resolve names
 */
export async function encodeImage(
  picture: PlanarImage,
  format: ImageFormat,
  load?: () => Promise<SharpModule>,
): Promise<Uint8Array> {
  if (format === 'png') return writePng(picture, await importDeflate())
  const { channels, height, width, data } = picture
  const sharp = await importSharp(load)
  const n = height * width
  const pixels = new Uint8Array(n * channels)
  for (let c = 0; c < channels; c++) {
    const plane = channels === 3 ? 2 - c : c
    for (let i = 0; i < n; i++) pixels[i * channels + c] = data[plane * n + i]
  }
  const image = sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } })
  const grey = channels === 1 ? image.toColourspace('b-w') : image
  return new Uint8Array(await grey.jpeg({ quality: QUALITY }).toBuffer())
}

async function importSharp(load?: () => Promise<SharpModule>): Promise<SharpModule['default']> {
  // a name that bundlers for browsers do not look for: files are written by Node alone
  const name: string = 'sharp'
  try {
    if (load) return (await load()).default
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)).default
  } catch (error) {
    throw new EngineError(
      `writing JPEG files needs the package sharp: npm install sharp (${(error as Error).message})`,
      {
        cause: error,
      },
    )
  }
}
