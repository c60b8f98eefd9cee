import type {
  ConvolutionShape,
  CropShape,
  Kernels,
  Normalization,
  PoolingShape,
  PreparedConvolutions,
  Reduction,
} from '../../engine.js'
import { clampedKernel, clampedStride } from '../../kernel_limits.js'
import type { Memory } from '../../memory.js'
import { jsKernels } from '../js.js'
import { fusing } from './after.js'
import { bindDirect } from './direct.js'
import type { WasmExports } from './exports.js'
import { isMatrixProduct, manyAxes } from './many_axes.js'

/** In the order of kernels/wasm/softmax_loss.ts. */
const normalizations: readonly Normalization[] = ['FULL', 'VALID', 'BATCH_SIZE', 'NONE']

/** Inputs of an eltwise call that the module has room for. */
const MOST_INPUTS = 64

/** In the order of kernels/wasm/axes.ts. */
const reductions: readonly Reduction[] = ['SUM', 'ASUM', 'SUMSQ']

/** The module's powers go through e^x, which has no room for larger ones. */
const isSmallPower = (exponent: number) => exponent !== 0 && Math.abs(exponent) <= 127

/** Tells the module the sizes of the next convolution pass; false if there are more axes than it knows. */
export function convolutionTaker(wasm: WasmExports): (s: ConvolutionShape) => boolean {
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
export function preparedConvolutions(wasm: WasmExports, blas: boolean): PreparedConvolutions {
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
      wasm.preparedConvolution(px, pw, pb, py, blas)
      end(after)
    },
  }
}

/**
 * Visits the blocks that a crop is made of, two axes each: rows, width, where it starts in the whole and in the part
 * (bytes).
 */
function eachBlock(
  { input, output, offset }: CropShape,
  visit: (rows: number, width: number, whole: number, wholeStride: number, part: number) => void,
): void {
  const w = input.length - 1
  const [rows, firstRow, allRows] = w > 0 ? [output[w - 1], offset[w - 1], input[w - 1]] : [1, 0, 1]
  const blocks = output.slice(0, Math.max(0, w - 1)).reduce((a, b) => a * b, 1)
  for (let b = 0; b < blocks; b++) {
    // b counts through the leading axes of the part
    let place = 0
    for (let axis = 0, rest = blocks, left = b; axis < w - 1; axis++) {
      rest /= output[axis]
      place = place * input[axis] + offset[axis] + Math.floor(left / rest)
      left %= rest
    }
    visit(
      rows,
      output[w],
      4 * ((place * allRows + firstRow) * input[w] + offset[w]),
      input[w],
      4 * b * rows * output[w],
    )
  }
}

/**
 * The kernels that WebAssembly has; the others are those of the js engine, and what these cannot do is done by `plain`.
 */
export function wasmKernels(wasm: WasmExports, plain: Kernels = jsKernels) {
  const take = convolutionTaker(wasm)
  const pool = (s: PoolingShape) => {
    const { planes, input, output, pad } = s
    wasm.poolingShape(
      planes,
      input[0],
      input[1],
      output[0],
      output[1],
      clampedKernel(s, 0),
      clampedKernel(s, 1),
      clampedStride(s, 0),
      clampedStride(s, 1),
      pad[0],
      pad[1],
    )
  }

  /** Names the inputs of the next eltwise call; false if there are more than it has room for. */
  const takeInputs = (xs: readonly Memory[], coefficients?: readonly number[]): boolean => {
    if (xs.length > MOST_INPUTS) return false
    for (let k = 0; k < xs.length; k++) wasm.eltwiseInput(k, xs[k].pointer, coefficients ? coefficients[k] : 1)
    return true
  }

  const many = manyAxes(wasm, wasm.gemm)
  const { begin, end } = fusing(wasm)
  return {
    ...bindDirect(wasm),
    im2col(s, x, y) {
      ;(isMatrixProduct(s) ? many : plain).im2col(s, x, y)
    },
    im2colGradient(s, dy, dx) {
      ;(isMatrixProduct(s) ? many : plain).im2colGradient(s, dy, dx)
    },
    convolution(s, x, w, bias, y, after) {
      if (!take(s)) return (isMatrixProduct(s) ? many : plain).convolution(s, x, w, bias, y, after)
      const [px, pw, pb, py] = [x.pointer, w.readPointer, bias ? bias.readPointer : 0, y.pointer]
      begin(after)
      wasm.convolution(px, pw, pb, py)
      end(after)
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

    maxPool(s, x, y, mask) {
      pool(s)
      wasm.maxPool(x.pointer, y.pointer, mask ? mask.pointer : 0)
    },
    maxPoolGradient(s, dy, mask, dx) {
      pool(s)
      wasm.maxPoolGradient(dy.pointer, mask.pointer, dx.pointer)
    },
    averagePool(s, x, y) {
      pool(s)
      wasm.averagePool(x.pointer, y.pointer)
    },
    averagePoolGradient(s, dy, dx) {
      pool(s)
      wasm.averagePoolGradient(dy.pointer, dx.pointer)
    },
    stochasticPool(s, x, stream, y, mask) {
      pool(s)
      const [k0, k1, c1, c2, c3] = stream.key
      wasm.stochasticPool(x.pointer, k0, k1, c1, c2, c3, y.pointer, mask.pointer)
    },
    stochasticMean(s, x, y) {
      pool(s)
      wasm.stochasticMean(x.pointer, y.pointer)
    },

    dropoutMask(n, ratio, stream, mask) {
      const [k0, k1, c1, c2, c3] = stream.key
      wasm.dropoutMask(n, Math.floor(ratio * 2 ** 32), 1 / (1 - ratio), k0, k1, c1, c2, c3, mask.pointer)
    },

    copyRows(rows, width, x, xOffset, xStride, y, yOffset, yStride) {
      wasm.copyRows(rows, width, x.pointer + 4 * xOffset, xStride, y.pointer + 4 * yOffset, yStride)
    },

    crop(s, x, y) {
      eachBlock(s, (rows, width, whole, wholeStride, part) =>
        wasm.copyRows(rows, width, x.pointer + whole, wholeStride, y.pointer + part, width),
      )
    },
    cropGradient(s, dy, dx) {
      wasm.fill(dx.length, 0, dx.pointer)
      eachBlock(s, (rows, width, whole, wholeStride, part) =>
        wasm.copyRows(rows, width, dy.pointer + part, width, dx.pointer + whole, wholeStride),
      )
    },
    argMax(s, x, y) {
      const { outer, size, inner, topK, output } = s
      // the module counts places in float32
      if (size >= 2 ** 24) return plain.argMax(s, x, y)
      const both = output === 'both'
      const index = output === 'value' ? 0 : y.pointer
      const value = both ? y.pointer + 4 * topK * inner : output === 'value' ? y.pointer : 0
      wasm.argMax(outer, size, inner, topK, both ? 2 * topK : topK, x.pointer, index, value)
    },
    accuracy({ outer, classes, inner, topK, ignoreLabel }, x, label, accuracy, perClass) {
      const ignore = ignoreLabel ?? Number.NaN
      wasm.accuracy(
        outer,
        classes,
        inner,
        topK,
        ignore,
        x.pointer,
        label.pointer,
        accuracy.pointer,
        perClass ? perClass.pointer : 0,
      )
    },
    softmaxLoss(s, p, label, loss) {
      const mode = normalizations.indexOf(s.normalization)
      wasm.softmaxLoss(
        s.outer,
        s.classes,
        s.inner,
        s.ignoreLabel ?? Number.NaN,
        mode,
        p.pointer,
        label.pointer,
        loss.pointer,
      )
    },
    softmaxLossGradient(s, p, label, dloss, dx) {
      const mode = normalizations.indexOf(s.normalization)
      const ignore = s.ignoreLabel ?? Number.NaN
      wasm.softmaxLossGradient(
        s.outer,
        s.classes,
        s.inner,
        ignore,
        mode,
        p.pointer,
        label.pointer,
        dloss.array[0],
        dx.pointer,
      )
    },
    sigmoidCrossEntropyLoss(s, x, target, loss) {
      const mode = normalizations.indexOf(s.normalization)
      const ignore = s.ignoreLabel ?? Number.NaN
      wasm.sigmoidCrossEntropyLoss(s.outer, s.inner, ignore, mode, x.pointer, target.pointer, loss.pointer)
    },
    sigmoidCrossEntropyLossGradient(s, x, target, dloss, dx) {
      const mode = normalizations.indexOf(s.normalization)
      const ignore = s.ignoreLabel ?? Number.NaN
      wasm.sigmoidCrossEntropyLossGradient(
        s.outer,
        s.inner,
        ignore,
        mode,
        x.pointer,
        target.pointer,
        dloss.array[0],
        dx.pointer,
      )
    },
    euclideanLossGradient(n, factor, difference, dloss, dx) {
      wasm.axpby(n, factor * dloss.array[0], difference.pointer, 0, dx.pointer)
    },

    power(n, exponent, scale, shift, x, y) {
      if (isSmallPower(exponent)) wasm.power(n, exponent, scale, shift, x.pointer, y.pointer)
      else plain.power(n, exponent, scale, shift, x, y)
    },
    powerGradient(n, exponent, scale, shift, x, dy, dx) {
      if (isSmallPower(exponent)) wasm.powerGradient(n, exponent, scale, shift, x.pointer, dy.pointer, dx.pointer)
      else plain.powerGradient(n, exponent, scale, shift, x, dy, dx)
    },
    eltwiseSum(n, xs, coefficients, y, after) {
      if (!takeInputs(xs, coefficients)) return plain.eltwiseSum(n, xs, coefficients, y, after)
      const py = y.pointer
      begin(after)
      wasm.eltwiseSum(n, xs.length, py)
      end(after)
    },
    addBias(batch, channels, inner, bias, y, after) {
      const [pb, py] = [bias.pointer, y.pointer]
      begin(after)
      wasm.addBias(batch, channels, inner, pb, py)
      end(after)
    },
    scaleChannels(outer, channels, inner, x, factor, bias, y, after) {
      const [px, pf, pb, py] = [x.pointer, factor.pointer, bias ? bias.pointer : 0, y.pointer]
      begin(after)
      wasm.scaleChannels(outer, channels, inner, px, pf, pb, py)
      end(after)
    },
    normalizeChannels(batch, channels, inner, x, mean, deviation, y, after) {
      const [px, pm, pd, py] = [x.pointer, mean.pointer, deviation.pointer, y.pointer]
      begin(after)
      wasm.normalizeChannels(batch, channels, inner, px, pm, pd, py)
      end(after)
    },
    eltwiseProduct(n, xs, y) {
      if (takeInputs(xs)) wasm.eltwiseProduct(n, xs.length, y.pointer)
      else plain.eltwiseProduct(n, xs, y)
    },
    eltwiseProductGradient(n, index, xs, dy, dx) {
      if (takeInputs(xs)) wasm.eltwiseProductGradient(n, xs.length, index, dy.pointer, dx.pointer)
      else plain.eltwiseProductGradient(n, index, xs, dy, dx)
    },
    eltwiseMax(n, xs, y, mask) {
      if (takeInputs(xs)) wasm.eltwiseMax(n, xs.length, y.pointer, mask.pointer)
      else plain.eltwiseMax(n, xs, y, mask)
    },
    lrnAcross(s, x, scale, y) {
      const { batch, channels, height, width, size, alpha, beta, k } = s
      if (isSmallPower(beta))
        wasm.lrnAcross(batch, channels, height * width, size, alpha, beta, k, x.pointer, scale.pointer, y.pointer)
      else plain.lrnAcross(s, x, scale, y)
    },
    lrnAcrossGradient(s, x, scale, dy, ratio, dx) {
      const { batch, channels, height, width, size, alpha, beta } = s
      if (!isSmallPower(beta)) return plain.lrnAcrossGradient(s, x, scale, dy, ratio, dx)
      const [px, ps, py] = [x.pointer, scale.pointer, dy.pointer]
      wasm.lrnAcrossGradient(batch, channels, height * width, size, alpha, beta, px, ps, py, ratio.pointer, dx.pointer)
    },
    lrnWithin(s, x, scale, y) {
      const { batch, channels, height, width, size, alpha, beta } = s
      if (isSmallPower(beta))
        wasm.lrnWithin(batch * channels, height, width, size, alpha, beta, x.pointer, scale.pointer, y.pointer)
      else plain.lrnWithin(s, x, scale, y)
    },
    lrnWithinGradient(s, x, scale, dy, ratio, dx) {
      const { batch, channels, height, width, size, alpha, beta } = s
      if (!isSmallPower(beta)) return plain.lrnWithinGradient(s, x, scale, dy, ratio, dx)
      const [px, ps, py] = [x.pointer, scale.pointer, dy.pointer]
      wasm.lrnWithinGradient(batch * channels, height, width, size, alpha, beta, px, ps, py, ratio.pointer, dx.pointer)
    },
    reduce(operation, outer, inner, coefficient, x, y) {
      wasm.reduce(reductions.indexOf(operation), outer, inner, coefficient, x.pointer, y.pointer)
    },
    reduceGradient(operation, outer, inner, coefficient, x, dy, dx) {
      // a sum does not need x, so it is not asked for: on a device that would be a transfer
      const px = operation === 'SUM' ? 0 : x.pointer
      wasm.reduceGradient(reductions.indexOf(operation), outer, inner, coefficient, px, dy.pointer, dx.pointer)
    },

    sumOfSquares(n, x, sum, index) {
      wasm.sumOfSquares(n, x.pointer, sum.pointer + 4 * index)
    },
    sgdUpdate(n, rule, momentum, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.sgdUpdate(n, rate, scale, decay, regularization === 'L1', momentum, w.pointer, dw.pointer, h.pointer)
    },
    nesterovUpdate(n, rule, momentum, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.nesterovUpdate(n, rate, scale, decay, regularization === 'L1', momentum, w.pointer, dw.pointer, h.pointer)
    },
    adagradUpdate(n, rule, delta, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.adagradUpdate(n, rate, scale, decay, regularization === 'L1', delta, w.pointer, dw.pointer, h.pointer)
    },
    rmspropUpdate(n, rule, kept, delta, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.rmspropUpdate(
        n,
        rate,
        scale,
        decay,
        regularization === 'L1',
        kept,
        1 - kept,
        delta,
        w.pointer,
        dw.pointer,
        h.pointer,
      )
    },
    adadeltaUpdate(n, rule, momentum, delta, w, dw, g2, u2) {
      const l1 = rule.regularization === 'L1'
      const [pw, pdw, pg, pu] = [w.pointer, dw.pointer, g2.pointer, u2.pointer]
      wasm.adadeltaUpdate(n, rule.rate, rule.scale, rule.decay, l1, momentum, 1 - momentum, delta, pw, pdw, pg, pu)
    },
    adamUpdate(n, rule, beta1, beta2, delta, correction, w, dw, m, v) {
      const l1 = rule.regularization === 'L1'
      const [pw, pdw, pm, pv] = [w.pointer, dw.pointer, m.pointer, v.pointer]
      const rate = rule.rate * correction
      wasm.adamUpdate(n, rate, rule.scale, rule.decay, l1, beta1, beta2, 1 - beta1, 1 - beta2, delta, pw, pdw, pm, pv)
    },
  } satisfies Partial<Kernels>
}
