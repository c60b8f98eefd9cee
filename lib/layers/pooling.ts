import { type Blob, shapeText } from '../blob.js'
import type { PoolingShape } from '../engine.js'
import { poolingProblem } from '../engines/kernel_limits.js'
import type { LayerParameter } from '../generated/caffe.js'
import { type CoordMap, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { windowed } from './parts/coordinates.js'
import { type PoolingWindow, pooledSize, poolingWindow } from './parts/pooling_window.js'

/**
 * Largest, mean or random value of every window: (N, C, H, W) → (N, C, H′, W′). MAX has an optional second top: where
 * each value was.
 */
export class PoolingLayer extends Layer {
  static override readonly param = ['pooling_param'] as const
  static override coordinates({ pooling_param = {} }: LayerParameter): CoordMap | undefined {
    return pooling_param.global_pooling ? undefined : windowed(pooling_param, 'Pooling')
  }
  static override readonly uses = [
    'maxPool',
    'maxPoolGradient',
    'averagePool',
    'averagePoolGradient',
    'stochasticPool',
    'stochasticMean',
    'stochasticMeanGradient',
    'multiply',
  ] as const
  static override readonly onlyKernels = true

  private readonly method = withDefaults('PoolingParameter', this.param.pooling_param).pool
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { atLeast: 1, atMost: this.method === 'MAX' ? 2 : 1 }

  private window!: PoolingWindow
  private shape!: PoolingShape
  /** With count_include_pad: false, what each mean is multiplied by; and gradients, multiplied likewise. */
  private readonly shares = new Memory(0, this.engine.heap)
  private readonly shared = new Memory(0, this.engine.heap)
  /** Where the values came from, if no second top says it. */
  private readonly ownMask = new Memory(0, this.engine.heap)

  override setup(): void {
    this.window = poolingWindow(this)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    if (x.numAxes !== 4) throw this.error(`'${x.name}' (${shapeText(x.shape)}) must have four axes: N, C, H, W`)
    const [N, C, H, W] = x.shape
    const { stride, pad } = this.window
    const kernel = this.window.kernel ?? ([H, W] as const)
    const output = pooledSize(this, x, { ...this.window, kernel })
    this.shape = { planes: N * C, input: [H, W], output, kernel, stride, pad }
    const problem = poolingProblem(this.shape)
    if (problem !== undefined) throw this.error(problem)
    for (const blob of top) blob.reshape([N, C, ...output])
    this.shareOut(top[0])
    this.ownMask.resize(top.length === 1 && this.wantsMask ? top[0].count : 0)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const x = bottom[0].memory.data
    const y = top[0].memory.data
    if (this.method === 'MAX')
      this.kernels.maxPool(this.shape, x, y, top.length > 1 || this.wantsMask ? this.mask(top) : null)
    else if (this.method === 'AVE') {
      this.kernels.averagePool(this.shape, x, y)
      if (this.shares.length) this.kernels.multiply(this.shares.length, y, this.shares, y)
    } else if (this.phase === 'TRAIN') this.kernels.stochasticPool(this.shape, x, this.random, y, this.mask(top))
    else this.kernels.stochasticMean(this.shape, x, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { data: y, diff: dy } = top[0].memory
    const { data: x, diff: dx } = bottom[0].memory
    if (this.method === 'AVE') {
      if (this.shares.length) this.kernels.multiply(this.shares.length, dy, this.shares, this.shared)
      this.kernels.averagePoolGradient(this.shape, this.shares.length ? this.shared : dy, dx)
    } else if (this.method === 'MAX' || this.phase === 'TRAIN')
      this.kernels.maxPoolGradient(this.shape, dy, this.mask(top), dx)
    else this.kernels.stochasticMeanGradient(this.shape, x, y, dy, dx)
  }

  override dispose(): void {
    for (const memory of [this.ownMask, this.shares, this.shared]) memory.dispose()
  }

  /**
   * Each value of the top has its own factor: what its window covers, over how much of that lies in the picture. One for
   * each place would do, but that takes a kernel which a net of poolings need not load.
   */
  private shareOut(top: Blob): void {
    const { input, output, kernel, stride, pad } = this.shape
    const { count_include_pad: counts } = withDefaults('PoolingParameter', this.param.pooling_param)
    const isNeeded = this.method === 'AVE' && !counts && (pad[0] > 0 || pad[1] > 0)
    this.shares.resize(isNeeded ? top.count : 0)
    this.shared.resize(isNeeded && this.needsBackward ? top.count : 0)
    if (!isNeeded) return
    const along = (i: 0 | 1): number[] =>
      Array.from({ length: output[i] }, (_, o) => {
        const from = o * stride[i] - pad[i]
        const to = Math.min(from + kernel[i], input[i] + pad[i])
        return (to - from) / Math.max(1, Math.min(to, input[i]) - Math.max(from, 0))
      })
    const columns = along(1)
    this.shares.claim()
    const plane = along(0).flatMap(row => columns.map(column => row * column))
    this.shares.write(values => {
      for (let at = 0; at < values.length; at += plane.length) values.set(plane, at)
    })
  }

  /** Maxima are remembered for the gradient; a device finds them by their masks. */
  private get wantsMask(): boolean {
    return this.method === 'STOCHASTIC' || (this.method === 'MAX' && (this.needsBackward || !this.engine.isHost))
  }

  private mask(top: Blob[]): Memory {
    return top.length > 1 ? top[1].memory.data : this.ownMask
  }
}
