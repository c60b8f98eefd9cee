import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { eachRow, stepIn, type Walk, walkOf } from './parts/broadcasting.js'

/** A sum, mean, largest value or the like over any axes, which disappear or keep the size 1. */
export class ReduceLayer extends Layer {
  static override readonly param = ['reduce_param'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('ReduceParameter', this.param.reduce_param)
  private readonly isPlace = this.p.operation === 'ARGMAX' || this.p.operation === 'ARGMIN'
  override readonly passesGradient = !this.isPlace
  private walk!: Walk
  /** Values of the bottom that make one of the top. */
  private many = 0
  /** Values of one place along the reduced axis, for those that give places. */
  private inner = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { shape } = bottom[0]
    const axes = this.p.axis.map(axis => axisOf(this, bottom[0], axis))
    const reduced = (axis: number): boolean => !axes.length || axes.includes(axis)
    if (this.isPlace && axes.length !== 1)
      throw this.error(`operation: ${this.p.operation} looks along one axis, axis is given ${axes.length} times`)
    const kept = shape.map((size, axis) => (reduced(axis) ? 1 : size))
    top[0].reshape(this.p.keep_dims ? kept : kept.filter((_, axis) => !reduced(axis)))
    this.walk = walkOf(shape, [kept])
    this.many = top[0].count ? bottom[0].count / top[0].count : 0
    if (this.many < 1 && top[0].count && this.p.operation !== 'SUM')
      throw this.error(`'${bottom[0].name}' has no values along the axes of operation: ${this.p.operation}`)
    this.inner = this.isPlace ? bottom[0].size(axes[0] + 1) : 1
  }

  override forward([bottom]: Blob[], [top]: Blob[]): void {
    const [xs, ys] = [bottom.dataArray, top.dataArray]
    const sums = new Float64Array(ys.length)
    switch (this.p.operation) {
      case 'MAX':
      case 'MIN':
        this.best(xs, ys)
        return
      case 'ARGMAX':
      case 'ARGMIN':
        this.places(xs, ys)
        return
      case 'PROD':
        sums.fill(1)
        this.each((i, k) => {
          sums[k] *= xs[i]
        })
        break
      case 'ASUM':
        this.each((i, k) => {
          sums[k] += Math.abs(xs[i])
        })
        break
      case 'SUMSQ':
      case 'L2':
        this.each((i, k) => {
          sums[k] += xs[i] * xs[i]
        })
        break
      case 'LOG_SUM_EXP': {
        this.best(xs, ys)
        this.each((i, k) => {
          sums[k] += xs[i] === ys[k] ? 1 : Math.exp(xs[i] - ys[k])
        })
        for (let k = 0; k < ys.length; k++) ys[k] += Math.log(sums[k])
        return
      }
      default:
        this.each((i, k) => {
          sums[k] += xs[i]
        })
    }
    if (this.p.operation === 'L2') for (let k = 0; k < sums.length; k++) sums[k] = Math.sqrt(sums[k])
    if (this.p.operation === 'MEAN') for (let k = 0; k < sums.length; k++) sums[k] /= this.many
    ys.set(sums)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    const [xs, ys, dys, dxs] = [bottom.dataArray, top.dataArray, top.diffArray, bottom.diffArray]
    const { operation } = this.p
    if (operation === 'MAX' || operation === 'MIN') {
      // equal ones: the first alone
      const taken = new Uint8Array(ys.length)
      this.each((i, k) => {
        const first = xs[i] === ys[k] && taken[k] === 0
        dxs[i] = first ? dys[k] : 0
        if (first) taken[k] = 1
      })
      return
    }
    if (operation === 'PROD') {
      this.productGradient(xs, dys, dxs)
      return
    }
    const slopes: Partial<Record<typeof operation, (x: number, y: number) => number>> = {
      SUM: () => 1,
      MEAN: () => 1 / this.many,
      ASUM: Math.sign,
      SUMSQ: x => 2 * x,
      L2: (x, y) => (y === 0 ? 0 : x / y),
      LOG_SUM_EXP: (x, y) => Math.exp(x - y),
    }
    const slope = slopes[operation]
    if (!slope) throw this.error(`operation: ${operation} has no gradient`)
    this.each((i, k) => {
      dxs[i] = dys[k] * slope(xs[i], ys[k])
    })
  }

  /** Visits every value of the bottom, in order, with the place of the top that it goes into. */
  private each(visit: (from: number, to: number) => void): void {
    const step = stepIn(this.walk, 0)
    eachRow(this.walk, (n, from, [to]) => {
      for (let i = 0; i < n; i++) visit(from + i, to + i * step)
    })
  }

  private best(xs: Float32Array, ys: Float32Array): void {
    const sign = this.p.operation === 'MIN' ? -1 : 1
    ys.fill(-sign * Number.POSITIVE_INFINITY)
    this.each((i, k) => {
      if (sign * xs[i] > sign * ys[k] || Number.isNaN(xs[i])) ys[k] = xs[i]
    })
  }

  private places(xs: Float32Array, ys: Float32Array): void {
    const sign = this.p.operation === 'ARGMIN' ? -1 : 1
    const { last } = this.p
    for (let k = 0; k < ys.length; k++) {
      const outer = Math.floor(k / this.inner)
      const first = outer * this.many * this.inner + (k - outer * this.inner)
      let best = 0
      for (let i = 1; i < this.many; i++) {
        const difference = sign * (xs[first + i * this.inner] - xs[first + best * this.inner])
        if (difference > 0 || (last && difference === 0)) best = i
      }
      ys[k] = best
    }
  }

  /** The product of all others: of those that are not 0, unless another one is. */
  private productGradient(xs: Float32Array, dys: Float32Array, dxs: Float32Array): void {
    const products = new Float64Array(dys.length).fill(1)
    const zeros = new Uint32Array(dys.length)
    this.each((i, k) => {
      if (xs[i] === 0) zeros[k]++
      else products[k] *= xs[i]
    })
    this.each((i, k) => {
      const others = zeros[k] - (xs[i] === 0 ? 1 : 0)
      dxs[i] = others > 0 ? 0 : (dys[k] * products[k]) / (xs[i] === 0 ? 1 : xs[i])
    })
  }
}
