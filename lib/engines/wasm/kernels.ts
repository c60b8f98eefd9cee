import type { Kernels } from '../../engine.js'
import type { WasmExports } from './exports.js'

/** The kernels that WebAssembly has; the others are those of the js engine. */
export function wasmKernels(wasm: WasmExports) {
  return {
    gemm(transA, transB, M, N, K, alpha, A, B, beta, C) {
      wasm.gemm(transA, transB, M, N, K, alpha, A.pointer, B.pointer, beta, C.pointer)
    },
    addBias(batch, channels, inner, bias, y) {
      wasm.addBias(batch, channels, inner, bias.pointer, y.pointer)
    },
    biasGradient(batch, channels, inner, dy, db) {
      wasm.biasGradient(batch, channels, inner, dy.pointer, db.pointer)
    },

    relu(n, slope, x, y) {
      wasm.relu(n, slope, x.pointer, y.pointer)
    },
    reluGradient(n, slope, x, dy, dx) {
      wasm.reluGradient(n, slope, x.pointer, dy.pointer, dx.pointer)
    },
    sigmoid(n, x, y) {
      wasm.sigmoid(n, x.pointer, y.pointer)
    },
    sigmoidGradient(n, y, dy, dx) {
      wasm.sigmoidGradient(n, y.pointer, dy.pointer, dx.pointer)
    },
    tanh(n, x, y) {
      wasm.tanh(n, x.pointer, y.pointer)
    },
    tanhGradient(n, y, dy, dx) {
      wasm.tanhGradient(n, y.pointer, dy.pointer, dx.pointer)
    },
    dropoutMask(n, ratio, stream, mask) {
      const [k0, k1, c1, c2, c3] = stream.key
      wasm.dropoutMask(n, Math.floor(ratio * 2 ** 32), 1 / (1 - ratio), k0, k1, c1, c2, c3, mask.pointer)
    },

    fill(n, value, y) {
      wasm.fill(n, value, y.pointer)
    },
    copy(n, x, y) {
      wasm.copy(n, x.pointer, y.pointer)
    },
    axpby(n, alpha, x, beta, y) {
      wasm.axpby(n, alpha, x.pointer, beta, y.pointer)
    },
    multiply(n, a, b, y) {
      wasm.multiply(n, a.pointer, b.pointer, y.pointer)
    },
    copyRows(rows, width, x, xOffset, xStride, y, yOffset, yStride) {
      wasm.copyRows(rows, width, x.pointer + 4 * xOffset, xStride, y.pointer + 4 * yOffset, yStride)
    },

    softmax(outer, channels, inner, x, y) {
      wasm.softmax(outer, channels, inner, x.pointer, y.pointer)
    },
    softmaxGradient(outer, channels, inner, y, dy, dx) {
      wasm.softmaxGradient(outer, channels, inner, y.pointer, dy.pointer, dx.pointer)
    },
    euclideanLoss(n, batch, a, b, difference, loss) {
      wasm.euclideanLoss(n, batch, a.pointer, b.pointer, difference.pointer, loss.pointer)
    },

    sumOfSquares(n, x, sum, index) {
      wasm.sumOfSquares(n, x.pointer, sum.pointer + 4 * index)
    },
    sgdUpdate(n, rule, momentum, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.sgdUpdate(n, rate, scale, decay, regularization === 'L1', momentum, w.pointer, dw.pointer, h.pointer)
    },
  } satisfies Partial<Kernels>
}
