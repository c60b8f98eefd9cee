import type { ConvolutionShape, Kernels } from '../../engine.js'
import { Memory } from '../../memory.js'
import type { ActivationsExports } from './bind/activations.js'
import type { ElementwiseExports } from './bind/elementwise.js'
import type { MatricesExports } from './bind/matrices.js'
import type { NeuronsExports } from './bind/neurons.js'

/** Axes that kernels/wasm/im2col.ts has room for. */
const MOST_AXES = 16

/** Whether the passes below can do it: without channels or outputs there is nothing to multiply. */
export function isMatrixProduct(s: ConvolutionShape): boolean {
  return s.input.length <= MOST_AXES && s.batch * s.channels * s.outputs * product(s.output) > 0
}

/** Values of the matrix of one product: what lies under the kernel for a block of slices along the first axis. */
const MATRIX = 2 ** 20

type Convolutions = Pick<
  Kernels,
  'convolution' | 'convolutionInputGradient' | 'convolutionWeightGradient' | 'im2col' | 'im2colGradient'
>

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

/** What the module exports for the lowering of convolutions. */
export interface Im2colExports {
  /** Sizes of axis d, below 16, of the next im2col; outputs from … from + output − 1 are wanted. */
  im2colAxis(
    d: number,
    input: number,
    from: number,
    output: number,
    kernel: number,
    stride: number,
    pad: number,
    dilation: number,
  ): void
  addIm2colGradient(axes: number, planes: number, dy: number, dx: number): void
  im2col(axes: number, planes: number, x: number, y: number): void
}

/** What the passes below call. */
export type ManyAxesExports = Im2colExports &
  Pick<ElementwiseExports, 'copyRows' | 'fill'> &
  Pick<MatricesExports, 'gemm' | 'addBias'> &
  Pick<NeuronsExports, 'relu' | 'clip'> &
  Pick<ActivationsExports, 'hardSwish'>

/** im2col, and convolutions over any number of axes as im2col and a matrix product, a block of slices at a time. */
export function manyAxes(wasm: ManyAxesExports, gemm: MatricesExports['gemm']): Convolutions {
  let matrix: Memory | undefined
  let rows: Memory | undefined
  const atLeast = (old: Memory | undefined, length: number, like: Memory): Memory => {
    if (old && old.length >= length) return old
    old?.dispose()
    return new Memory(length, like.home)
  }

  /**
   * Tells the module the shape, with outputs from … from + count − 1 of the first axis; the next kernel's arguments
   * take its place.
   */
  const takeAxes = (s: ConvolutionShape, from: number, count: number) => {
    for (let d = 0; d < s.input.length; d++) {
      const [first, outputs] = d === 0 ? [from, count] : [0, s.output[d]]
      // what leads out of the image is of any length
      const stride = Math.min(s.stride[d], Math.max(1, s.input[d] + 2 * s.pad[d]))
      const dilation = s.kernel[d] === 1 ? 1 : s.dilation[d]
      wasm.im2colAxis(d, s.input[d], first, outputs, s.kernel[d], stride, s.pad[d], dilation)
    }
  }

  /** Sizes of a pass over images and blocks of slices, and room for its matrix and for rows of outputs. */
  const plan = (s: ConvolutionShape, like: Memory) => {
    const [inputs, outputs, taps] = [product(s.input), product(s.output), product(s.kernel)]
    const slice = outputs / s.output[0]
    const most = Math.min(s.output[0], Math.max(1, Math.floor(MATRIX / (s.channels * taps * slice))))
    matrix = atLeast(matrix, s.channels * taps * most * slice, like)
    rows = atLeast(rows, s.outputs * most * slice, like)
    const [M, K] = [s.outputs / s.group, (s.channels / s.group) * taps]
    return { inputs, outputs, slice, most, M, K, matrix: matrix.pointer, rows: rows.pointer }
  }

  /**
   * Calls visit for every block of slices from … from + count − 1; the image's x and the block's y start at these
   * bytes.
   */
  const eachBlock = (
    s: ConvolutionShape,
    p: ReturnType<typeof plan>,
    visit: (from: number, count: number, x: number, y: number) => void,
  ) => {
    for (let n = 0; n < s.batch; n++) {
      for (let from = 0; from < s.output[0]; from += p.most) {
        const y = n * s.outputs * p.outputs + from * p.slice
        visit(from, Math.min(p.most, s.output[0] - from), 4 * n * s.channels * p.inputs, 4 * y)
      }
    }
  }

  return {
    convolution(s, x, w, bias, y, after) {
      const p = plan(s, y)
      eachBlock(s, p, (from, count, image, block) => {
        const P = count * p.slice
        takeAxes(s, from, count)
        wasm.im2col(s.input.length, s.channels, x.pointer + image, p.matrix)
        for (let g = 0; g < s.group; g++) {
          gemm(
            false,
            false,
            p.M,
            P,
            p.K,
            1,
            w.pointer + 4 * g * p.M * p.K,
            p.matrix + 4 * g * p.K * P,
            0,
            p.rows + 4 * g * p.M * P,
          )
        }
        wasm.copyRows(s.outputs, P, p.rows, P, y.pointer + block, p.outputs)
      })
      if (bias) wasm.addBias(s.batch, s.outputs, p.outputs, bias.pointer, y.pointer)
      const n = s.batch * s.outputs * p.outputs
      if (after && 'relu' in after) wasm.relu(n, after.relu, y.pointer, y.pointer)
      else if (after && 'clip' in after) wasm.clip(n, ...after.clip, y.pointer, y.pointer)
      else if (after) wasm.hardSwish(n, ...after.hardSwish, y.pointer, y.pointer)
    },
    convolutionInputGradient(s, dy, w, dx) {
      const p = plan(s, dx)
      wasm.fill(s.batch * s.channels * p.inputs, 0, dx.pointer)
      eachBlock(s, p, (from, count, image, block) => {
        const P = count * p.slice
        wasm.copyRows(s.outputs, P, dy.pointer + block, p.outputs, p.rows, P)
        for (let g = 0; g < s.group; g++) {
          gemm(
            true,
            false,
            p.K,
            P,
            p.M,
            1,
            w.pointer + 4 * g * p.M * p.K,
            p.rows + 4 * g * p.M * P,
            0,
            p.matrix + 4 * g * p.K * P,
          )
        }
        takeAxes(s, from, count)
        wasm.addIm2colGradient(s.input.length, s.channels, p.matrix, dx.pointer + image)
      })
    },
    convolutionWeightGradient(s, x, dy, dw) {
      const p = plan(s, dw)
      eachBlock(s, p, (from, count, image, block) => {
        const P = count * p.slice
        takeAxes(s, from, count)
        wasm.im2col(s.input.length, s.channels, x.pointer + image, p.matrix)
        wasm.copyRows(s.outputs, P, dy.pointer + block, p.outputs, p.rows, P)
        for (let g = 0; g < s.group; g++) {
          gemm(
            false,
            true,
            p.M,
            p.K,
            P,
            1,
            p.rows + 4 * g * p.M * P,
            p.matrix + 4 * g * p.K * P,
            1,
            dw.pointer + 4 * g * p.M * p.K,
          )
        }
      })
    },
    im2col(s, x, y) {
      takeAxes(s, 0, s.output[0])
      wasm.im2col(s.input.length, s.batch * s.channels, x.pointer, y.pointer)
    },
    im2colGradient(s, dy, dx) {
      wasm.fill(s.batch * s.channels * product(s.input), 0, dx.pointer)
      takeAxes(s, 0, s.output[0])
      wasm.addIm2colGradient(s.input.length, s.batch * s.channels, dy.pointer, dx.pointer)
    },
  }
}
