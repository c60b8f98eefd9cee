import type { ConvolutionKernels, ConvolutionShape, PreparedConvolutions } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, checking, need, product, refuse } from '../../bounds.js'
import { convolutionProblem } from '../../kernel_limits.js'
import { type AfterExports, fusing } from '../after.js'
import { type Im2colExports, isMatrixProduct, type ManyAxesExports, manyAxes } from '../many_axes.js'

/** What the module exports for them. */
export interface ConvolutionExports extends Im2colExports {
  /**
   * Sizes of the next convolution pass, as in ConvolutionShape: N C M group H W, output H W, then kernel, stride, pad,
   * dilation.
   */
  convolutionShape(
    N: number,
    C: number,
    M: number,
    G: number,
    H: number,
    W: number,
    OH: number,
    OW: number,
    KH: number,
    KW: number,
    SH: number,
    SW: number,
    PH: number,
    PW: number,
    DH: number,
    DW: number,
  ): void
  /** Values of the next convolution's weights in the form that preparedConvolution takes; 0 if it does not pay. */
  preparedLength(blas: boolean): number
  prepareWeights(w: number, prepared: number, blas: boolean): void
  preparedConvolution(x: number, prepared: number, bias: number, y: number, blas: boolean): void
  /** The input gradient of wide kernels in wide steps; false if this is none. */
  upsample(dy: number, w: number, dx: number): boolean
  blasConvolution(x: number, w: number, bias: number, y: number): void
  blasConvolutionInputGradient(dy: number, w: number, dx: number): void
  blasConvolutionWeightGradient(x: number, dy: number, dw: number): void
  convolution(x: number, w: number, bias: number, y: number): void
  convolutionInputGradient(dy: number, w: number, dx: number): void
  convolutionWeightGradient(x: number, dy: number, dw: number): void
}

/** Tells the module the sizes of the next convolution pass; false if there are more axes than it knows. */
export function convolutionTaker(wasm: Pick<ConvolutionExports, 'convolutionShape'>): (s: ConvolutionShape) => boolean {
  return s => {
    const axes = s.input.length
    // without channels there is nothing to multiply, and only the bias remains
    if (axes < 1 || axes > 2 || s.channels === 0) return false
    const w = axes - 1
    // one axis is an image of height 1
    const h = (sizes: readonly number[], missing: number) => (axes === 2 ? sizes[0] : missing)
    // steps that lead out of the image, and steps between the taps of a kernel that has one, are of any length
    const step = (i: number) => Math.min(s.stride[i], Math.max(1, s.input[i] + 2 * s.pad[i]))
    const spread = (i: number) => (s.kernel[i] === 1 ? 1 : s.dilation[i])
    wasm.convolutionShape(
      s.batch,
      s.channels,
      s.outputs,
      s.group,
      h(s.input, 1),
      s.input[w],
      h(s.output, 1),
      s.output[w],
      h(s.kernel, 1),
      s.kernel[w],
      axes === 2 ? step(0) : 1,
      step(w),
      h(s.pad, 0),
      s.pad[w],
      axes === 2 ? spread(0) : 1,
      spread(w),
    )
    return true
  }
}

/** Forward passes with kept weights, with the system's sgemm if `blas` is set. */
export function preparedConvolutions(wasm: ConvolutionExports & AfterExports, blas: boolean): PreparedConvolutions {
  const take = convolutionTaker(wasm)
  const { begin, end } = fusing(wasm)
  return {
    length: s => (take(s) ? wasm.preparedLength(blas) : 0),
    prepare(s, w, prepared) {
      take(s)
      wasm.prepareWeights(w.readPointer, prepared.pointer, blas)
    },
    convolution(s, x, prepared, bias, y, after) {
      take(s)
      const [px, pw, pb, py] = [x.pointer, prepared.readPointer, bias ? bias.readPointer : 0, y.pointer]
      begin(after)
      try {
        wasm.preparedConvolution(px, pw, pb, py, blas)
      } finally {
        end(after)
      }
    },
  }
}

/** These kernels of the contract as calls of the module. */
export function bindConvolution(wasm: ConvolutionExports & ManyAxesExports & AfterExports, plain: ConvolutionKernels) {
  const take = convolutionTaker(wasm)
  const many = manyAxes(wasm, wasm.gemm)
  const { begin, end } = fusing(wasm)
  return {
    convolution(s, x, w, bias, y, after) {
      if (!take(s)) return (isMatrixProduct(s) ? many : plain).convolution(s, x, w, bias, y, after)
      const [px, pw, pb, py] = [x.pointer, w.readPointer, bias ? bias.readPointer : 0, y.pointer]
      begin(after)
      try {
        wasm.convolution(px, pw, pb, py)
      } finally {
        end(after)
      }
    },
    convolutionInputGradient(s, dy, w, dx) {
      if (take(s))
        wasm.upsample(dy.pointer, w.pointer, dx.pointer) ||
          wasm.convolutionInputGradient(dy.pointer, w.pointer, dx.pointer)
      else (isMatrixProduct(s) ? many : plain).convolutionInputGradient(s, dy, w, dx)
    },
    convolutionWeightGradient(s, x, dy, dw) {
      if (take(s)) wasm.convolutionWeightGradient(x.pointer, dy.pointer, dw.pointer)
      else (isMatrixProduct(s) ? many : plain).convolutionWeightGradient(s, x, dy, dw)
    },
    im2col(s, x, y) {
      ;(isMatrixProduct(s) ? many : plain).im2col(s, x, y)
    },
    im2colGradient(s, dy, dx) {
      ;(isMatrixProduct(s) ? many : plain).im2colGradient(s, dy, dx)
    },
  } satisfies ConvolutionKernels
}

/** Values of input, weights and output of a convolution. */
function convolved(s: ConvolutionShape, x: Memory, w: Memory | undefined, y: Memory, bias?: Memory | null): void {
  const problem = convolutionProblem(s)
  if (problem !== undefined) refuse(problem)
  need(x, s.batch * s.channels * product(s.input))
  need(w, s.outputs * (s.channels / s.group) * product(s.kernel))
  need(y, s.batch * s.outputs * product(s.output))
  need(bias, s.outputs)
}

function lowered(s: ConvolutionShape, x: Memory, y: Memory): void {
  const problem = convolutionProblem({ ...s, outputs: 1, group: 1 })
  if (problem !== undefined) refuse(problem)
  need(x, s.batch * s.channels * product(s.input))
  need(y, s.batch * s.channels * product(s.kernel) * product(s.output))
}

/** What stands before these kernels. */
export const convolutionBounds = {
  convolution: (s, x, w, bias, y) => convolved(s, x, w, y, bias),
  convolutionInputGradient: (s, dy, w, dx) => convolved(s, dx, w, dy),
  convolutionWeightGradient: (s, x, dy, dw) => convolved(s, x, dw, dy),
  im2col: lowered,
  im2colGradient: (s, dy, dx) => lowered(s, dx, dy),
} satisfies Partial<Bounds>

/** The same for convolutions with kept weights. */
export function withPreparedBounds(prepared: PreparedConvolutions): PreparedConvolutions {
  return {
    length: s => (convolutionProblem(s) === undefined ? prepared.length(s) : 0),
    prepare(s, w, to) {
      checking('prepare')
      need(w, s.outputs * (s.channels / s.group) * product(s.kernel))
      need(to, prepared.length(s))
      prepared.prepare(s, w, to)
    },
    convolution(s, x, weights, bias, y, after) {
      checking('preparedConvolution')
      convolved(s, x, undefined, y, bias)
      prepared.convolution(s, x, weights, bias, y, after)
    },
  }
}
