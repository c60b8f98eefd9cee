import type { LayerRow } from '../../api/index.js'
import { type PaletteName, palette } from './palettes.js'

export type LayerPicture = NonNullable<LayerRow['picture']>

/** One plane of a picture: where it begins. */
export function planeAt(picture: LayerPicture, plane: number): { x: number; y: number } {
  return {
    x: (plane % picture.columns) * (picture.plane.width + 1),
    y: Math.floor(plane / picture.columns) * (picture.plane.height + 1),
  }
}

/** The plane that a pixel belongs to; nothing between planes and behind the last one. */
export function planeUnder(picture: LayerPicture, x: number, y: number): number | undefined {
  const { width, height, count } = picture.plane
  const column = Math.floor(x / (width + 1))
  const row = Math.floor(y / (height + 1))
  if (x % (width + 1) >= width || y % (height + 1) >= height || column >= picture.columns) return undefined
  const plane = row * picture.columns + column
  return plane < count ? plane : undefined
}

/**
 * The picture in colours, RGBA. `each`: every plane by its own smallest and largest value. What lies between planes is
 * clear.
 */
export function paint(picture: LayerPicture, name: PaletteName, each: boolean): Uint8ClampedArray<ArrayBuffer> {
  const { width, height, channels, pixels } = picture
  const out = new Uint8ClampedArray(width * height * 4)
  const colors = palette(name)
  for (let plane = 0; plane < picture.plane.count; plane++) {
    const { x: left, y: top } = planeAt(picture, plane)
    let low = 0
    let scale = 1
    if (each && channels === 1) [low, scale] = stretch(picture, left, top)
    for (let y = top; y < top + picture.plane.height; y++)
      for (let x = left; x < left + picture.plane.width; x++) {
        const from = y * width + x
        const to = from * 4
        if (channels === 3) {
          out[to] = pixels[from * 3]
          out[to + 1] = pixels[from * 3 + 1]
          out[to + 2] = pixels[from * 3 + 2]
        } else {
          const value = 3 * Math.round((pixels[from] - low) * scale)
          out[to] = colors[value]
          out[to + 1] = colors[value + 1]
          out[to + 2] = colors[value + 2]
        }
        out[to + 3] = 255
      }
  }
  return out
}

function stretch(picture: LayerPicture, left: number, top: number): [low: number, scale: number] {
  let low = 255
  let high = 0
  for (let y = top; y < top + picture.plane.height; y++)
    for (let x = left; x < left + picture.plane.width; x++) {
      const value = picture.pixels[y * picture.width + x]
      if (value < low) low = value
      if (value > high) high = value
    }
  return [low, high > low ? 255 / (high - low) : 1]
}

/** How many screen pixels a pixel takes, so that a picture of `width` is not lost in `room` and fills no more than it. */
export const enlarge = (width: number, room: number, most = 8): number =>
  width >= room ? room / width : Math.max(1, Math.min(most, Math.floor(room / width)))
