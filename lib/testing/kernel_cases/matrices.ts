import type { After } from '../../engine.js'
import { dims, type KernelCase, type KernelCases, onHosts, withAfter } from './kit.js'

const letter = (transposed: boolean) => (transposed ? 'T' : 'N')

function gemm(size: string, transA: boolean, transB: boolean, alpha: number, beta: number): KernelCase {
  const [M, N, K] = dims(size)
  return {
    name: `${letter(transA)}${letter(transB)} ${size}, α = ${alpha}, β = ${beta}`,
    run(kernels, kit) {
      const [A, B] = [kit.random(M * K), kit.random(K * N)]
      // with β = 0 what stood there may not be read
      const C = kit.out(beta === 0 ? M * N : kit.random(M * N))
      kernels.gemm(transA, transB, M, N, K, alpha, A, B, beta, C)
    },
  }
}

const both = [false, true]
const transposes = both.flatMap(transA => both.map(transB => [transA, transB] as const))
/** Every size meets all of them, in turns with its transposes: what C starts from is no matter of how A and B lie. */
const betas = [0, 1, 0.25]

/** Sizes M×N×K: odd ones, in pieces along every axis. */
const products = (
  '1×1×1 3×5×7 4×8×16 13×17×33 2×100×9 64×100×401 129×70×900 7×1100×20 50×64×500 300×30×50 200×600×64 7×602×1301 ' +
  '3×67×2050 130×1101×10 256×41×39 11×70×1030 1×7×5 9×1×300 33×65×17 130×70×129 3×900×400'
).split(' ')
const matrixTimesVector = '1×1000×333 1×5×40000 1000×1×333 3×1×70001 1×37×2'.split(' ')

/** Rows of values with a bias each: batch × channels × inner. */
const biased = '1×1×1 3×5×7 4×37×1 9×37×1'.split(' ')
const manyBiased = '6×20×577 5×37×1 200×501×1 2×3×20001'.split(' ')

function addBias(size: string, after?: After): KernelCase {
  const [batch, channels, inner] = dims(size)
  return {
    name: size,
    run(kernels, kit) {
      const bias = kit.random(channels)
      kernels.addBias(batch, channels, inner, bias, kit.out(kit.random(batch * channels * inner)), after)
    },
  }
}

function biasGradient(size: string): KernelCase {
  const [batch, channels, inner] = dims(size)
  return {
    name: size,
    run: (kernels, kit) =>
      kernels.biasGradient(batch, channels, inner, kit.random(batch * channels * inner), kit.out(kit.random(channels))),
  }
}

/** Matrix products and biases. */
export const matrices: KernelCases = {
  gemm: [
    ...'1×1×1 3×5×7 13×17×33 1×37×130 50×1×6 2×3×0 66×67×9'
      .split(' ')
      .flatMap(size => [
        gemm(size, false, false, 0.7, 0),
        gemm(size, true, false, 0.7, 1),
        gemm(size, false, true, 0.7, 0.5),
        gemm(size, true, true, 0.7, -1),
      ]),
    ...onHosts('large', [
      ...products.flatMap((size, i) =>
        transposes.map(([a, b], k) => gemm(size, a, b, -0.7, betas[(i + k) % betas.length])),
      ),
      ...matrixTimesVector
        .flatMap(size => {
          const [M, N] = dims(size)
          return both.flatMap(t => [0, 2].map(beta => gemm(size, N === 1 && t, M === 1 && t, -1.5, beta)))
        })
        .filter((c, i, all) => all.findIndex(other => other.name === c.name) === i),
      gemm('3×5×0', false, false, 1, 0.5),
      // few values of k and α = 1, some rows in several pieces
      ...['130×1601×10', '67×66×12'].flatMap((size, i) =>
        betas.map((beta, k) => gemm(size, (i + k) % 2 === 0, false, 1, beta)),
      ),
      ...both.map(transA => gemm('30×1601×130', transA, false, -0.7, 0.25)),
    ]),
  ],
  addBias: [
    ...biased.map(size => addBias(size)),
    ...onHosts(
      'large',
      manyBiased.map(size => addBias(size)),
    ),
    ...withAfter(after => [
      ...biased.map(size => addBias(size, after)),
      ...onHosts(
        'large',
        manyBiased.map(size => addBias(size, after)),
      ),
    ]),
  ],
  biasGradient: [
    ...biased.map(biasGradient),
    ...onHosts('large', manyBiased.map(biasGradient)),
    ...onHosts(
      'large',
      ['3×5×7', '4×3×40', '6×37×1'].map(size => ({
        name: `${size}, ±3.4e38`,
        run: (kernels, kit) => {
          const [batch, channels, inner] = dims(size)
          const dy = kit.random(batch * channels * inner)
          for (let i = 0; i < dy.length; i++) dy.array[i] = i % 6 < 3 ? 3.4e38 : -3.4e38
          kernels.biasGradient(batch, channels, inner, dy, kit.out(kit.random(channels)))
        },
      })),
    ),
  ],
}
