import { RistrettoError } from '../errors.js'
import { cropImage, MOST_PIXELS, type PlanarImage, resizeImage } from './image.js'

/**
 * How a picture becomes one of another ratio of its sides: `squash` stretches it; `crop` covers the new size and cuts off
 * what is over, the same on both sides; `fill` fits into it, with black around; `half-crop` is half of each.
 */
export type ResizeMode = 'squash' | 'crop' | 'fill' | 'half-crop'

export const resizeModes: readonly ResizeMode[] = ['squash', 'crop', 'fill', 'half-crop']

/** The picture as height × width, in planes as it was. Bilinear, without smoothing, as convert-imageset and ImageData. */
export function fitPicture(image: PlanarImage, height: number, width: number, mode: ResizeMode): PlanarImage {
  if (mode === 'squash') return resizeImage(image, height, width)
  const [byHeight, byWidth] = [height / image.height, width / image.width]
  const scale =
    mode === 'crop'
      ? Math.max(byHeight, byWidth)
      : mode === 'fill'
        ? Math.min(byHeight, byWidth)
        : 2 / (1 / byHeight + 1 / byWidth)
  const h = Math.max(1, Math.round(image.height * scale))
  const w = Math.max(1, Math.round(image.width * scale))
  if (h * w > MOST_PIXELS)
    throw new RistrettoError(
      `a picture of ${image.width}×${image.height} would become ${w}×${h} on its way to ${width}×${height}`,
    )
  return centred(resizeImage(image, h, w), height, width)
}

/** Of each axis: what is too long is cut off, what is too short gets black. */
function centred(image: PlanarImage, height: number, width: number): PlanarImage {
  const h = Math.min(height, image.height)
  const w = Math.min(width, image.width)
  const cut = cropImage(image, (image.width - w) >> 1, (image.height - h) >> 1, w, h)
  if (h === height && w === width) return cut
  const top = (height - h) >> 1
  const left = (width - w) >> 1
  const data = new Uint8Array(image.channels * height * width)
  for (let c = 0; c < image.channels; c++)
    for (let y = 0; y < h; y++)
      data.set(cut.data.subarray((c * h + y) * w, (c * h + y + 1) * w), (c * height + top + y) * width + left)
  return { channels: image.channels, height, width, data }
}
