import ndarray from 'ndarray'
import type { PixelsModule } from '../../data/image.js'

/** Decodes pictures by what every browser has; takes the place of the package ndarray-pixels in Studio's workers. */
export const getPixels: PixelsModule['getPixels'] = async (data, type) => {
  const blob = new Blob([data as Uint8Array<ArrayBuffer>], { type })
  // bytes as they are in the file
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' })
  const { width, height } = bitmap
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  const pixels = context.getImageData(0, 0, width, height).data
  return ndarray(new Uint8Array(pixels.buffer), [width, height, 4], [4, 4 * width, 1])
}
