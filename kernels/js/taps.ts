import type { ConvolutionShape } from '../../lib/engine.js'

/**
 * A convolution in any number of dimensions as a flat list. A tap is one position of the kernel; under it, x[input +
 * j·step] meets y[output + j] for j < width in every row of the tap: the rows run over all spatial axes but the last,
 * and what lies in the padding is left out. Offsets are within one plane (one channel of one image).
 */
export interface Taps {
  /** Number of taps: the product of the kernel sizes. */
  readonly count: number
  /** Sizes of one plane of x and of y. */
  readonly inputPlane: number
  readonly outputPlane: number
  /** Stride of the last axis. */
  readonly step: number
  /** Rows of tap t are firstRow[t] … firstRow[t + 1] − 1. */
  readonly firstRow: Int32Array
  /** Values per row, by tap. */
  readonly width: Int32Array
  /** Offset of the first value of each row in the planes of x and y. */
  readonly input: Int32Array
  readonly output: Int32Array
}

interface Run {
  readonly input: number
  readonly output: number
}

/**
 * The valid places of kernel offset k along one axis: outputs first … first + length − 1, meeting inputs from `input`
 * on.
 */
function placesAlong(s: ConvolutionShape, axis: number, k: number): { first: number; length: number; input: number } {
  const offset = k * s.dilation[axis] - s.pad[axis]
  const stride = s.stride[axis]
  const first = offset < 0 ? Math.ceil(-offset / stride) : 0
  const end = Math.min(s.output[axis], Math.floor((s.input[axis] - 1 - offset) / stride) + 1)
  return { first, length: Math.max(0, end - first), input: first * stride + offset }
}

/** The taps of a shape, outermost kernel axis slowest, as weights are stored. */
export function tapsOf(s: ConvolutionShape): Taps {
  const last = s.kernel.length - 1
  const count = product(s.kernel)
  const firstRow = new Int32Array(count + 1)
  const width = new Int32Array(count)
  const rows: Run[] = []
  for (let t = 0; t < count; t++) {
    firstRow[t] = rows.length
    let runs: Run[] = [{ input: 0, output: 0 }]
    for (let axis = 0, rest = count, remainder = t; axis <= last; axis++) {
      rest /= s.kernel[axis]
      const { first, length, input } = placesAlong(s, axis, Math.floor(remainder / rest))
      remainder %= rest
      if (axis === last) {
        width[t] = length
        runs = runs.map(run => ({
          input: run.input * s.input[axis] + input,
          output: run.output * s.output[axis] + first,
        }))
      } else {
        runs = runs.flatMap(run =>
          Array.from({ length }, (_, j) => ({
            input: run.input * s.input[axis] + input + j * s.stride[axis],
            output: run.output * s.output[axis] + first + j,
          })),
        )
      }
    }
    if (width[t] > 0) for (const run of runs) rows.push(run)
  }
  firstRow[count] = rows.length
  return {
    count,
    inputPlane: product(s.input),
    outputPlane: product(s.output),
    step: s.stride[last],
    firstRow,
    width,
    input: Int32Array.from(rows, row => row.input),
    output: Int32Array.from(rows, row => row.output),
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1)
}
