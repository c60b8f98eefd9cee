import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/** What an item's score of its label is made of. */
interface Item {
  readonly label: number
  readonly length: number
  /** x·w, ψ(θ) and dψ/d cos θ. */
  readonly product: number
  readonly psi: number
  readonly slope: number
}

/**
 * SphereFace's: x (M, K), labels (M) → y (M, N) = x·wᵀ with weights of length 1; the score of the label is (λ·x·w +
 * |x|·ψ(θ)) / (1 + λ), ψ a cos(mθ) that falls from 0 to π. Top 1, if there is one: λ = max(lambda_min, base·(1 +
 * gamma·i)^−power), i the passes so far. Weights are brought to length 1 in each pass, and their gradient is as if
 * they stayed so. Plain host code.
 */
export class MarginInnerProductLayer extends Layer {
  static override readonly param = ['margin_inner_product_param'] as const
  static override readonly needsWeights = true
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  private readonly p = withDefaults('MarginInnerProductParameter', this.param.margin_inner_product_param)
  private passes = this.p.iteration
  private lambda = 0
  private items: Item[] = []
  private K = 0

  override setup([x]: Blob[]): void {
    const { num_output = 0, weight_filler } = this.p
    if (num_output < 1) throw this.error('num_output must be written and at least 1')
    this.K = x.size(axisOf(this, x, this.p.axis))
    this.addBlob([num_output, this.K], weight_filler)
  }

  override reshape([x, label]: Blob[], top: Blob[]): void {
    const axis = axisOf(this, x, this.p.axis)
    if (x.size(axis) !== this.K)
      throw this.error(`'${x.name}' is ${shapeText(x.shape)} now, but the weights were made for ${this.K} values`)
    if (label.count !== x.size(0, axis))
      throw this.error(
        `'${label.name}' (${shapeText(label.shape)}) must have one label for each item of '${x.name}' (${shapeText(x.shape)})`,
      )
    top[0].reshape([...x.shape.slice(0, axis), this.p.num_output!])
    top[1]?.reshape([1])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  /** Passes of training count: a snapshot goes on with the same λ. */
  override saveState(): Record<string, number> {
    return { passes: this.passes }
  }

  override restoreState({ passes = this.p.iteration }: Record<string, number>): void {
    this.passes = passes
  }

  override forward([x, label]: Blob[], top: Blob[]): void {
    const { K } = this
    const { num_output: N = 0, base, gamma, power, lambda_min, type } = this.p
    if (this.phase === 'TRAIN') this.passes++
    this.lambda = Math.max(base * (1 + gamma * this.passes) ** -power, lambda_min)
    top[1]?.dataArray.fill(this.lambda)
    const w = this.blobs[0].dataArray
    for (let n = 0; n < N; n++) scale(w, n * K, K, 1 / length(w, n * K, K))
    const M = label.count
    const y = top[0].dataArray
    this.kernels.gemm(false, true, M, N, K, 1, x.memory.data, this.blobs[0].memory.data, 0, top[0].memory.data)
    this.items = Array.from(label.dataArray, (value, m) => {
      const c = Math.trunc(value)
      if (!(c >= 0 && c < N))
        throw this.error(`item ${m} of '${label.name}' has the label ${value}: labels count from 0 to ${N - 1}`)
      const own = length(x.dataArray, m * K, K)
      const product = y[m * N + c]
      const item = { label: c, length: own, product, ...margins[type](own === 0 ? 0 : product / own) }
      if (type !== 'SINGLE') y[m * N + c] = (this.lambda * product + own * item.psi) / (1 + this.lambda)
      return item
    })
  }

  override backward(top: Blob[], propagateDown: boolean[], [x, label]: Blob[]): void {
    if (propagateDown[1])
      throw this.error(`'${label.name}' has no gradient: give this layer propagate_down: false for it`)
    const { K, items, lambda } = this
    const N = this.p.num_output!
    const M = items.length
    const dy = top[0].dataArray.slice()
    dy.set(top[0].diffArray)
    const isSingle = this.p.type === 'SINGLE'
    if (!isSingle)
      items.forEach(({ label: c, slope }, m) => {
        dy[m * N + c] *= (lambda + slope) / (1 + lambda)
      })
    const slopes = this.engine.scratch(M * N)
    slopes.array.set(dy)
    const [weight] = this.blobs
    if (this.paramPropagateDown[0])
      this.kernels.gemm(true, false, N, K, M, 1, slopes, x.memory.data, 1, weight.memory.diff)
    if (!propagateDown[0]) return
    this.kernels.gemm(false, false, M, K, N, 1, slopes, weight.memory.data, 0, x.memory.diff)
    if (isSingle) return
    const [xs, dxs, diffs] = [x.dataArray, x.diffArray, top[0].diffArray]
    items.forEach(({ label: c, length: own, product, psi, slope }, m) => {
      if (own === 0) return
      const factor = (diffs[m * N + c] * (psi - (product / own) * slope)) / own / (1 + lambda)
      for (let k = m * K; k < (m + 1) * K; k++) dxs[k] += factor * xs[k]
    })
  }
}

/** ψ and its derivative, by cos θ: (−1)ᵏ·cos(mθ) − 2k, k the whole times that mθ has π. */
const margins = {
  SINGLE: (c: number) => ({ psi: c, slope: 1 }),
  DOUBLE: (c: number) => ({ psi: 2 * Math.sign(c) * c * c - 1, slope: 4 * Math.sign(c) * c }),
  TRIPLE(c: number) {
    const s = Math.sign(Math.abs(c) - 0.5)
    return { psi: s * (4 * c ** 3 - 3 * c) + Math.sign(c) * (1 + s) - 2, slope: s * (12 * c * c - 3) }
  },
  QUADRUPLE(c: number) {
    const s = Math.sign(c) * Math.sign(2 * c * c - 1)
    return { psi: s * (8 * c ** 4 - 8 * c * c + 1) + 2 * Math.sign(c) + s - 3, slope: s * (32 * c ** 3 - 16 * c) }
  },
} as const

function length(values: Float32Array, from: number, count: number): number {
  let sum = 0
  for (let i = from; i < from + count; i++) sum += values[i] * values[i]
  return Math.sqrt(sum)
}

function scale(values: Float32Array, from: number, count: number, factor: number): void {
  for (let i = from; i < from + count; i++) values[i] *= factor
}
