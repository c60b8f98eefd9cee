import type { Kernels } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

/** What a case makes its memories from, so that every engine gets the same ones on its own heap. */
export interface Kit {
  /** n values, uniform in ±scale. */
  random(n: number, scale?: number): Memory
  /** n whole numbers from 0 to below − 1. */
  integers(n: number, below: number): Memory
  values(values: ArrayLike<number>): Memory
  /** n values to be written, or a memory that is also written: what is compared afterwards. */
  output(memory: number | Memory): Memory
}

/** Builds the memories of one call and returns the call. */
export type Case = (kit: Kit) => (kernels: Kernels) => void

export const cases: Record<string, Case> = {}

// ---- matrices: odd sizes, all transposes, in pieces along every axis -----------------------------------------------------------
for (const [M, N, K] of [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 16],
  [13, 17, 33],
  [2, 100, 9],
  [64, 100, 401],
  [129, 70, 900],
  [7, 1100, 20],
  [50, 64, 500],
  [300, 30, 50],
  [200, 600, 64],
]) {
  for (const transA of [false, true]) {
    for (const transB of [false, true]) {
      for (const beta of [0, 1, 0.5]) {
        cases[`gemm ${transA ? 'T' : 'N'}${transB ? 'T' : 'N'} ${M}×${N}×${K}, β = ${beta}`] = kit => {
          const A = kit.random(M * K)
          const B = kit.random(K * N)
          const C = kit.output(beta === 0 ? M * N : kit.random(M * N))
          return kernels => kernels.gemm(transA, transB, M, N, K, 0.7, A, B, beta, C)
        }
      }
    }
  }
}
for (const [M, N, K] of [
  [1, 1000, 333],
  [1, 5, 40000],
  [1000, 1, 333],
  [3, 1, 70001],
  [1, 37, 2],
]) {
  for (const trans of [false, true]) {
    for (const beta of [0, 2]) {
      cases[`gemm as matrix times vector, ${trans ? 'T' : 'N'} ${M}×${N}×${K}, β = ${beta}`] = kit => {
        const A = kit.random(M * K)
        const B = kit.random(K * N)
        const C = kit.output(beta === 0 ? M * N : kit.random(M * N))
        return kernels => kernels.gemm(N === 1 && trans, M === 1 && trans, M, N, K, -1.5, A, B, beta, C)
      }
    }
  }
}
cases['gemm with K = 0 scales C'] = kit => {
  const [A, B, C] = [kit.random(1), kit.random(1), kit.output(kit.random(15))]
  return kernels => kernels.gemm(false, false, 3, 5, 0, 1, A, B, 0.5, C)
}
for (const [batch, channels, inner] of [
  [1, 1, 1],
  [3, 5, 7],
  [64, 20, 576],
  [5, 37, 1],
  [200, 501, 1],
  [2, 3, 20001],
]) {
  cases[`addBias ${batch}×${channels}×${inner}`] = kit => {
    const bias = kit.random(channels)
    const y = kit.output(kit.random(batch * channels * inner))
    return kernels => kernels.addBias(batch, channels, inner, bias, y)
  }
  cases[`biasGradient ${batch}×${channels}×${inner}`] = kit => {
    const dy = kit.random(batch * channels * inner)
    const db = kit.output(kit.random(channels))
    return kernels => kernels.biasGradient(batch, channels, inner, dy, db)
  }
}

// ---- elementwise: one value, less than a vector, odd, several chunks --------------------------------------------------------------
for (const n of [1, 3, 4, 31, 16384, 16387, 70001]) {
  for (const slope of [0, 0.1]) {
    cases[`relu of ${n}, slope ${slope}`] = kit => {
      const x = kit.random(n)
      const y = kit.output(n)
      return kernels => kernels.relu(n, slope, x, y)
    }
    cases[`relu of ${n} in place, slope ${slope}`] = kit => {
      const x = kit.output(kit.random(n))
      return kernels => kernels.relu(n, slope, x, x)
    }
    cases[`reluGradient of ${n}, slope ${slope}`] = kit => {
      const x = kit.random(n)
      const dx = kit.output(kit.random(n))
      return kernels => kernels.reluGradient(n, slope, x, dx, dx)
    }
  }
  for (const name of ['sigmoid', 'tanh'] as const) {
    for (const scale of [1, 10, 200]) {
      cases[`${name} of ${n} up to ±${scale}`] = kit => {
        const x = kit.random(n, scale)
        const y = kit.output(n)
        return kernels => kernels[name](n, x, y)
      }
    }
  }
  for (const name of ['sigmoidGradient', 'tanhGradient'] as const) {
    cases[`${name} of ${n}`] = kit => {
      const y = kit.random(n)
      const dx = kit.output(kit.random(n))
      return kernels => kernels[name](n, y, dx, dx)
    }
  }
  for (const ratio of [0.5, 0.1, 0.9]) {
    cases[`dropoutMask of ${n}, ratio ${ratio}`] = kit => {
      const mask = kit.output(n)
      const stream = new RandomStream(2 ** 40 + 5, 'drop')
      stream.iteration = 2 ** 33 + 3
      return kernels => kernels.dropoutMask(n, ratio, stream, mask)
    }
  }
  cases[`fill of ${n}`] = kit => {
    const y = kit.output(n)
    return kernels => kernels.fill(n, -2.5, y)
  }
  cases[`copy of ${n}`] = kit => {
    const x = kit.random(n)
    const y = kit.output(n)
    return kernels => kernels.copy(n, x, y)
  }
  for (const beta of [0, 1, -0.25]) {
    cases[`axpby of ${n}, β = ${beta}`] = kit => {
      const x = kit.random(n)
      const y = kit.output(beta === 0 ? n : kit.random(n))
      return kernels => kernels.axpby(n, 1.5, x, beta, y)
    }
  }
  cases[`multiply of ${n}`] = kit => {
    const a = kit.random(n)
    const y = kit.output(kit.random(n))
    return kernels => kernels.multiply(n, a, y, y)
  }
  cases[`sumOfSquares of ${n}`] = kit => {
    const x = kit.random(n)
    const sum = kit.output(kit.values([1, 2, 3]))
    return kernels => kernels.sumOfSquares(n, x, sum, 1)
  }
  cases[`euclideanLoss of ${n}`] = kit => {
    const a = kit.random(n)
    const b = kit.random(n)
    const difference = kit.output(n)
    const loss = kit.output(1)
    return kernels => kernels.euclideanLoss(n, 7, a, b, difference, loss)
  }
  for (const regularization of ['L1', 'L2'] as const) {
    cases[`sgdUpdate of ${n}, ${regularization}`] = kit => {
      const w = kit.output(kit.random(n))
      w.array[0] = 0
      const dw = kit.output(kit.random(n))
      const h = kit.output(kit.random(n))
      return kernels => kernels.sgdUpdate(n, { rate: 0.01, scale: 0.5, decay: 0.3, regularization }, 0.9, w, dw, h)
    }
  }
}
for (const [rows, width] of [
  [1, 1],
  [5, 7],
  [300, 129],
  [3, 30001],
]) {
  cases[`copyRows ${rows}×${width}`] = kit => {
    const x = kit.random(rows * (width + 3) + 5)
    const y = kit.output(kit.random(rows * (width + 2) + 9))
    return kernels => kernels.copyRows(rows, width, x, 5, width + 3, y, 9, width + 2)
  }
}

// ---- softmax ---------------------------------------------------------------------------------------------------------------------
for (const [outer, channels, inner] of [
  [1, 1, 1],
  [64, 10, 1],
  [3, 1000, 1],
  [300, 101, 1],
  [2, 21, 35],
  [3, 5, 10000],
]) {
  cases[`softmax ${outer}×${channels}×${inner}`] = kit => {
    const x = kit.random(outer * channels * inner, 20)
    const y = kit.output(outer * channels * inner)
    return kernels => kernels.softmax(outer, channels, inner, x, y)
  }
  cases[`softmaxGradient ${outer}×${channels}×${inner}`] = kit => {
    const y = kit.random(outer * channels * inner)
    const dy = kit.random(outer * channels * inner)
    const dx = kit.output(outer * channels * inner)
    return kernels => kernels.softmaxGradient(outer, channels, inner, y, dy, dx)
  }
}
