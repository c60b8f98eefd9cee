import { FormatError } from '../errors.js'
import { wholeNumber } from './image_list.js'

/** One image of a window file. */
export interface WindowImage {
  readonly path: string
  readonly line: number
  /** C, H, W as the file says. */
  readonly shape: readonly [number, number, number]
}

/** Windows of all images: WINDOW_FIELDS numbers each. */
export interface WindowList {
  readonly images: readonly WindowImage[]
  /** Windows whose overlap with an object reaches fg_threshold, and those below bg_threshold (their class is 0). */
  readonly foreground: Float64Array
  readonly background: Float64Array
}

/** Place in `images`, class, x1, y1, x2, y2. */
export const WINDOW_FIELDS = 6

/**
 * R-CNN's window file, for each image:
 *   "# number" · path · channels · height · width · number of windows · for each window "class overlap x1 y1 x2 y2"
 */
export function parseWindowList(text: string, name: string, fgThreshold: number, bgThreshold: number): WindowList {
  const images: WindowImage[] = []
  const foreground: number[] = []
  const background: number[] = []
  const words = /\S+/g
  let line = 1
  let last = 0
  /** The next word, or undefined at the end; `line` is where it stands. */
  const next = (): string | undefined => {
    const found = words.exec(text)
    for (let at = text.indexOf('\n', last); at >= 0 && at < (found?.index ?? 0); at = text.indexOf('\n', at + 1)) line++
    last = found?.index ?? last
    return found?.[0]
  }
  // whatever file the prototxt names is read: its words stand in no error
  const fail = (what: string): never => {
    throw new FormatError(`${name}:${line}: ${what} of image ${images.length}`)
  }
  const word = (what: string): string => next() ?? fail(`the file ends before ${what}`)
  const number = (what: string): number => {
    const text = word(what)
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : fail(`no number stands for ${what}`)
  }
  const whole = (what: string): number => wholeNumber(word(what)) ?? fail(`no whole number stands for ${what}`)

  for (let mark = next(); mark !== undefined; mark = next()) {
    if (mark !== '#') fail('something else stands for the #')
    whole('the number')
    const path = word('the path')
    const placed = line
    const shape = [whole('the channels'), whole('the height'), whole('the width')] as const
    const windows = whole('the number of windows')
    for (let i = 0; i < windows; i++) {
      const label = whole('a class')
      const overlap = number('an overlap')
      const box = [whole('x1'), whole('y1'), whole('x2'), whole('y2')]
      if (overlap >= fgThreshold) {
        if (label <= 0) fail('a window reaches fg_threshold with the class of the background, in the windows')
        foreground.push(images.length, label, ...box)
      } else if (overlap < bgThreshold) background.push(images.length, 0, ...box)
    }
    images.push({ path, line: placed, shape })
  }
  if (images.length === 0) throw new FormatError(`${name}: the window file names no images`)
  return { images, foreground: Float64Array.from(foreground), background: Float64Array.from(background) }
}

/** Where a window lies in its image, and where in the crop it lands. */
export interface Placement {
  /** Rectangle of the image. */
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Size it is warped to, and its corner in the crop; what remains around it is padding. */
  readonly toWidth: number
  readonly toHeight: number
  readonly left: number
  readonly top: number
}

/**
 * The window with its context: grown so that, warped to `crop`, it has `pad` pixels of surroundings on each side (and
 * made square if `square`), then clipped to the image; what was clipped is padding in the crop.
 */
export function placeWindow(
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  image: { width: number; height: number },
  { crop, pad, square, flip }: { crop: number; pad: number; square: boolean; flip: boolean },
): Placement {
  if (pad === 0 && !square) {
    if (x1 < 0 || y1 < 0 || x2 >= image.width || y2 >= image.height || x2 < x1 || y2 < y1)
      throw outside(x1, y1, x2, y2, image)
    return { x: x1, y: y1, width: x2 - x1 + 1, height: y2 - y1 + 1, toWidth: crop, toHeight: crop, left: 0, top: 0 }
  }
  const grow = crop / (crop - 2 * pad)
  let halfHeight = (y2 - y1 + 1) / 2
  let halfWidth = (x2 - x1 + 1) / 2
  const centerX = x1 + halfWidth
  const centerY = y1 + halfHeight
  if (square) halfHeight = halfWidth = Math.max(halfHeight, halfWidth)
  const left = round(centerX - halfWidth * grow)
  const right = round(centerX + halfWidth * grow)
  const top = round(centerY - halfHeight * grow)
  const bottom = round(centerY + halfHeight * grow)

  const scaleX = crop / (right - left + 1)
  const scaleY = crop / (bottom - top + 1)
  const clip = {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    right: Math.max(0, right - image.width + 1),
    bottom: Math.max(0, bottom - image.height + 1),
  }
  const width = right - clip.right - left - clip.left + 1
  const height = bottom - clip.bottom - top - clip.top + 1
  if (!(width > 0 && height > 0)) throw outside(x1, y1, x2, y2, image)

  // mirrored, the padding changes sides as well
  const padLeft = round((flip ? clip.right : clip.left) * scaleX)
  const padTop = round(clip.top * scaleY)
  return {
    x: left + clip.left,
    y: top + clip.top,
    width,
    height,
    toWidth: Math.max(1, Math.min(round(width * scaleX), crop - padLeft)),
    toHeight: Math.max(1, Math.min(round(height * scaleY), crop - padTop)),
    left: padLeft,
    top: padTop,
  }
}

/** Half away from zero, as C rounds. */
const round = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

function outside(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  image: { width: number; height: number },
): FormatError {
  return new FormatError(
    `the window (${x1}, ${y1}) to (${x2}, ${y2}) does not lie in its image of ${image.width}×${image.height} pixels`,
  )
}
