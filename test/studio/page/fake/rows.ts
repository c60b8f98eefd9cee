/** What every layer of LeNet does, as far as a look at it goes: the data as it is, the others by plain filters of it. */
import type { LayerRow } from '../../../../lib/studio/api/index.js'
import { random } from './pictures.js'

const SIDE = 28

/** A row of planes: `at` gives a value 0 … 1 of a plane at (x, y). */
function row(
  layer: string,
  type: string,
  kind: LayerRow['kind'],
  shape: readonly number[],
  planes: number,
  side: readonly [width: number, height: number],
  range: readonly [number, number],
  at: (plane: number, x: number, y: number) => number,
): LayerRow {
  const [width, height] = side
  const columns = planes === 1 ? 1 : Math.ceil(Math.sqrt(planes * 2.2))
  const rows = Math.ceil(planes / columns)
  const full = { width: columns * (width + 1) - 1, height: rows * (height + 1) - 1 }
  const pixels = new Uint8Array(full.width * full.height)
  const histogram = new Array<number>(20).fill(0)
  let sum = 0
  let squares = 0
  for (let plane = 0; plane < planes; plane++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const value = Math.min(1, Math.max(0, at(plane, x, y)))
        const left = (plane % columns) * (width + 1) + x
        const top = Math.floor(plane / columns) * (height + 1) + y
        pixels[top * full.width + left] = Math.round(value * 255)
        histogram[Math.min(19, Math.floor(value * 20))]++
        sum += value
        squares += value * value
      }
  const count = planes * width * height
  const scale = range[1] - range[0]
  const mean = sum / count
  return {
    layer,
    type,
    blob: layer,
    kind,
    ...(kind === 'activation' && { milliseconds: count / 40_000 }),
    shape,
    count,
    mean: range[0] + mean * scale,
    std: Math.sqrt(Math.max(0, squares / count - mean * mean)) * scale,
    min: range[0],
    max: range[1],
    notFinite: 0,
    histogram,
    picture: { ...full, channels: 1, columns, rows, plane: { width, height, count: planes }, pixels },
  }
}

/** Rows of LeNet for a picture. */
export function layerRows(pixels: Uint8Array, scores: readonly number[]): LayerRow[] {
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : pixels[y * SIDE + x] / 255
  const weight = (plane: number, x: number, y: number): number =>
    0.5 + 0.5 * Math.sin(plane * 1.7 + x * Math.cos(plane) * 1.1 + y * Math.sin(plane) * 1.1)
  const conv1 = (plane: number, x: number, y: number): number => {
    let sum = 0
    for (let v = 0; v < 5; v++) for (let u = 0; u < 5; u++) sum += (weight(plane, u, v) - 0.5) * at(x + u, y + v)
    return 0.4 + sum / 9
  }
  const conv2 = (plane: number, x: number, y: number): number =>
    0.35 + 0.8 * (conv1(plane % 20, x * 3, y * 3) - 0.4) + 0.25 * (random(plane * 64 + y * 8 + x) - 0.5)
  const vector = (
    layer: string,
    type: string,
    values: readonly number[],
    range: readonly [number, number],
  ): LayerRow => {
    const side = Math.ceil(Math.sqrt(values.length))
    return {
      ...row(
        layer,
        type,
        'activation',
        [1, values.length],
        1,
        [side, Math.ceil(values.length / side)],
        range,
        (_, x, y) => values[y * side + x] ?? 0,
      ),
      count: values.length,
    }
  }
  return [
    row('data', 'Input', 'activation', [1, 1, 28, 28], 1, [28, 28], [0, 255], (_, x, y) => at(x, y)),
    row('scale', 'Power', 'activation', [1, 1, 28, 28], 1, [28, 28], [0, 3.19], (_, x, y) => at(x, y)),
    row('conv1', 'Convolution', 'activation', [1, 20, 24, 24], 20, [24, 24], [-1.9, 2.4], conv1),
    row('conv1', 'Convolution', 'weights', [20, 1, 5, 5], 20, [5, 5], [-0.41, 0.44], weight),
    row('pool1', 'Pooling', 'activation', [1, 20, 12, 12], 20, [12, 12], [-1.2, 2.4], (plane, x, y) =>
      conv1(plane, 2 * x, 2 * y),
    ),
    row('conv2', 'Convolution', 'activation', [1, 50, 8, 8], 50, [8, 8], [-4.1, 5.3], conv2),
    {
      ...row('conv2', 'Convolution', 'weights', [50, 20, 5, 5], 1, [1, 1], [-0.2, 0.2], () => 0.5),
      picture: undefined,
      reason: '1,000 planes are too many to be drawn one beside the other',
    },
    row('pool2', 'Pooling', 'activation', [1, 50, 4, 4], 50, [4, 4], [-2.2, 5.3], (plane, x, y) =>
      conv2(plane, 2 * x, 2 * y),
    ),
    vector(
      'ip1',
      'InnerProduct',
      Array.from({ length: 500 }, (_, unit) => Math.max(0, random(unit + pixels[400]) - 0.45)),
      [0, 3.3],
    ),
    vector(
      'ip2',
      'InnerProduct',
      scores.map(score => 0.3 + 0.7 * score),
      [-8, 14],
    ),
    vector('prob', 'Softmax', scores, [0, 1]),
  ]
}
