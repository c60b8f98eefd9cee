/** Pictures with pictures of labels, as files of a net. */
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { paletteOf, pngOf } from '../data/png_files.js'

export type Rows = readonly (readonly number[])[]

/** Whose B, G, R at a pixel are v, v + 1, v + 2. */
export const colourOf = (rows: Rows): Uint8Array =>
  pngOf({
    width: rows[0].length,
    height: rows.length,
    depth: 8,
    colourType: 2,
    lines: rows.map(row => [0, ...row.flatMap(v => [v + 2, v + 1, v])]),
  })

/** height × width values, each its place: 10 · row + column, plus `from`. */
export const places = (height: number, width: number, from = 0): Rows =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => from + 10 * y + x))

/** A picture of each size, its pixels their places, and the same as labels; `a0.png b0.png` and so on. */
export function pairs(...sizes: (readonly [number, number])[]): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  sizes.forEach(([height, width], i) => {
    files[`a${i}.png`] = colourOf(places(height, width, 100))
    files[`b${i}.png`] = paletteOf(places(height, width))
  })
  return {
    ...files,
    'list.txt': Buffer.from(sizes.map((_, i) => `a${i}.png b${i}.png`).join('\n')),
  }
}

export const netOf = (
  layer: string,
  files: Record<string, Uint8Array>,
  phase: 'TRAIN' | 'TEST' = 'TEST',
  seed = 1,
): Promise<Net> => Net.create(parseNet(layer), { phase, seed, engine: 'js', files: path => files[path] })

/** Plane c of item n of a blob, as rows. */
export function plane(net: Net, blob: string, n = 0, c = 0): number[][] {
  const { shape, dataArray } = net.blobs[blob]
  const [, C, H, W] = shape
  const from = (n * C + c) * H * W
  return Array.from({ length: H }, (_, y) => [...dataArray.subarray(from + y * W, from + (y + 1) * W)])
}
