/** Boxes in parts of a picture: 0 … 1 from left to right and from top to bottom. */
export interface Box {
  readonly xmin: number
  readonly ymin: number
  readonly xmax: number
  readonly ymax: number
}

/** An object in a picture. */
export interface Truth extends Box {
  readonly label: number
  /** Number of the object among those of its label. */
  readonly instance: number
  readonly difficult: boolean
}

/** The whole picture. */
export const WHOLE: Box = { xmin: 0, ymin: 0, xmax: 1, ymax: 1 }

/** 0 for what is inside out. */
export const areaOf = ({ xmin, ymin, xmax, ymax }: Box): number =>
  xmax < xmin || ymax < ymin ? 0 : (xmax - xmin) * (ymax - ymin)

function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.xmax, b.xmax) - Math.max(a.xmin, b.xmin)
  const height = Math.min(a.ymax, b.ymax) - Math.max(a.ymin, b.ymin)
  return width > 0 && height > 0 ? width * height : 0
}

/** |a ∩ b| / |a ∪ b| */
export function overlapOf(a: Box, b: Box): number {
  const shared = sharedArea(a, b)
  return shared && shared / (areaOf(a) + areaOf(b) - shared)
}

/** |a ∩ b| / |a| */
export function coverageOf(a: Box, b: Box): number {
  const shared = sharedArea(a, b)
  return shared && shared / areaOf(a)
}

const clamp = (value: number): number => Math.min(Math.max(value, 0), 1)

/** The part of a box that lies in a window of its picture, in parts of the window; undefined if there is none. */
export function inWindow<B extends Box>(box: B, window: Box): B | undefined {
  const width = window.xmax - window.xmin
  const height = window.ymax - window.ymin
  const part = {
    ...box,
    xmin: clamp((box.xmin - window.xmin) / width),
    ymin: clamp((box.ymin - window.ymin) / height),
    xmax: clamp((box.xmax - window.xmin) / width),
    ymax: clamp((box.ymax - window.ymin) / height),
  }
  return areaOf(part) > 0 ? part : undefined
}
