/** Convolutions that are cut by rows of their results, where there are too few outputs for parts of them. */
import type { Extent, Planar } from './primitives.js'
import { blockedBytes } from './schedule.js'

/** Rows of a value with its channels in blocks, or of a plain one, whose blocks are of one channel. */
export interface Rows {
  readonly blocks: number
  /** Bytes from the beginning of a block to the first of them, of all of them, and of the whole block. */
  readonly first: number
  readonly bytes: number
  readonly step: number
}

/** Rows `first` … of an image. */
export function rowsOf(extent: Extent, first: number, rows: number, block: number): Rows {
  const row = blockedBytes({ ...extent, channels: block, height: 1 }, block)
  const blocks = Math.ceil(extent.channels / block)
  return { blocks, first: first * row, bytes: rows * row, step: extent.height * row }
}

export const plainRowsOf = (extent: Extent, first: number, rows: number): Rows => rowsOf(extent, first, rows, 1)

/** The convolution that gives `count` rows of a result from row `first` on, and the first row of the image that it reads. */
export function cutRows(shape: Planar, first: number, count: number): { part: Planar; row: number } {
  const { input, output, kernel, stride, pad, dilation } = shape
  const top = first * stride[0] - pad[0]
  const bottom = top + (count - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
  const row = Math.max(0, top)
  const rows = Math.min(bottom, input[0]) - row
  const part = { ...shape, input: [rows, input[1]], output: [count, output[1]], pad: [row - top, pad[1]] } as const
  return { part, row }
}
