/** Values as pictures. */
import ndarray, { type NdArray } from 'ndarray'
import ops from 'ndarray-ops'
import { savePixels } from 'ndarray-pixels'

/**
 * H × W values as a grey PNG, smallest black, largest white; H × W × 3 values in 0 … 1 as a coloured one. Each value
 * `zoom` pixels wide.
 */
export async function toPng(values: NdArray<Float32Array>, zoom = 1): Promise<Uint8Array> {
  const [height, width, channels = 1] = values.shape
  const [low, high] = channels === 1 ? [ops.inf(values), ops.sup(values)] : [0, 1]
  // ndarray-pixels counts columns first
  const pixels = ndarray(
    new Uint8Array(zoom * zoom * width * height * 4),
    [width * zoom, height * zoom, 4],
    [4, 4 * width * zoom, 1],
  )
  for (let y = 0; y < height * zoom; y++)
    for (let x = 0; x < width * zoom; x++) {
      const [row, column] = [Math.floor(y / zoom), Math.floor(x / zoom)]
      for (let c = 0; c < 3; c++) {
        const value = channels === 1 ? values.get(row, column) : values.get(row, column, c)
        pixels.set(x, y, c, Math.round((255 * (value - low)) / (high - low || 1)))
      }
      pixels.set(x, y, 3, 255)
    }
  return savePixels(pixels, 'image/png')
}

/** Maps of one size side by side, each stretched to 0 … 1, with a white line between them. */
export function joined(maps: readonly NdArray<Float32Array>[]): NdArray<Float32Array> {
  const [height, width] = maps[0].shape
  const columns = (width + 1) * maps.length - 1
  const all = ndarray(new Float32Array(height * columns).fill(1), [height, columns])
  maps.forEach((map, i) => {
    const place = all.lo(0, i * (width + 1)).hi(height, width)
    const low = ops.inf(map)
    ops.subs(place, map, low)
    ops.mulseq(place, 1 / (ops.sup(map) - low || 1))
  })
  return all
}

/** A number in 0 … 1 as a colour from black over red and yellow to white. */
export function heat(value: number): [red: number, green: number, blue: number] {
  const part = (from: number) => Math.min(1, Math.max(0, 3 * value - from))
  return [part(0), part(1), part(2)]
}
