import { type Blob, shapeText } from '../blob.js'
import type { PoolingShape } from '../engine.js'
import { poolingProblem } from '../engines/kernel_limits.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { pooledSize } from './parts/pooling_window.js'

/** One level of the pyramid: the picture in 2^level × 2^level bins. */
interface Level {
  readonly pooling: PoolingShape
  /** C·bins: this level's values in an item of the top. */
  readonly width: number
  readonly y: Memory
  readonly mask: Memory
}

/**
 * Spatial pyramid pooling: (N, C, H, W) → (N, C·Σ 4^level), the poolings of all levels one after the other, whatever H
 * and W are. A pyramid of one level keeps four axes: (N, C, 1, 1).
 */
export class SPPLayer extends Layer {
  static override readonly param = ['spp_param'] as const
  static override readonly uses = [
    'copy',
    'axpby',
    'copyRows',
    'maxPool',
    'maxPoolGradient',
    'averagePool',
    'averagePoolGradient',
  ] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private height = 0
  private isMax = true
  private batch = 0
  private levels: Level[] = []
  /** Values of an item of the top. */
  private width = 0

  override setup(): void {
    const p = withDefaults('SPPParameter', this.param.spp_param)
    this.height = p.pyramid_height ?? 0
    if (this.height < 1 || this.height > 15)
      throw this.error(`pyramid_height: ${p.pyramid_height ?? 'missing'} must be at least 1 and at most 15`)
    if (p.pool === 'STOCHASTIC') throw this.error('pool: STOCHASTIC is not possible here: choose MAX or AVE')
    this.isMax = p.pool === 'MAX'
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    if (bottom[0].numAxes !== 4)
      throw this.error(
        `'${bottom[0].name}' (${shapeText(bottom[0].shape)}) must have 4 axes: batch, channels, height and width`,
      )
    const [batch, channels, rows, columns] = bottom[0].shape
    this.batch = batch
    this.dispose()
    this.levels = Array.from({ length: this.height }, (_, level) => {
      const pooling = this.pooling(bottom[0], level, batch * channels, [rows, columns])
      const width = channels * pooling.output[0] * pooling.output[1]
      const y = new Memory(batch * width, this.engine.heap)
      return { pooling, width, y, mask: new Memory(this.isMax ? y.length : 0, this.engine.heap) }
    })
    this.width = this.levels.reduce((sum, level) => sum + level.width, 0)
    top[0].reshape(this.height === 1 ? [batch, channels, ...this.levels[0].pooling.output] : [batch, this.width])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    let offset = 0
    for (const { pooling, width, y, mask } of this.levels) {
      if (this.isMax) this.kernels.maxPool(pooling, bottom[0].memory.data, y, mask)
      else this.kernels.averagePool(pooling, bottom[0].memory.data, y)
      this.kernels.copyRows(this.batch, width, y, 0, width, top[0].memory.data, offset, this.width)
      offset += width
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { diff } = bottom[0].memory
    const n = bottom[0].count
    const part = this.engine.scratch(n)
    let offset = 0
    this.levels.forEach(({ pooling, width, y, mask }, level) => {
      // the level's values have been copied to the top: their place now takes their gradient
      this.kernels.copyRows(this.batch, width, top[0].memory.diff, offset, this.width, y, 0, width)
      const dx = level === 0 ? diff : part
      if (this.isMax) this.kernels.maxPoolGradient(pooling, y, mask, dx)
      else this.kernels.averagePoolGradient(pooling, y, dx)
      if (level > 0) this.kernels.axpby(n, 1, part, 1, diff)
      offset += width
    })
  }

  override dispose(): void {
    for (const { y, mask } of this.levels) {
      y.dispose()
      mask.dispose()
    }
  }

  /** Windows of ⌈size / bins⌉, padded by half of what is missing for `bins` whole windows. */
  private pooling(bottom: Blob, level: number, planes: number, input: [number, number]): PoolingShape {
    const bins = 2 ** level
    if (input[0] < 1 || input[1] < 1)
      throw this.error(`'${bottom.name}' (${shapeText(bottom.shape)}) has an empty picture`)
    const kernel = input.map(size => Math.ceil(size / bins)) as [number, number]
    const pad = input.map((size, i) => Math.floor((kernel[i] * bins - size + 1) / 2)) as [number, number]
    if (pad[0] >= kernel[0] || pad[1] >= kernel[1])
      throw this.error(
        `level ${level} cuts ${shapeText(input)} into ${bins}×${bins} bins of ${shapeText(kernel)}, which takes a padding of ${shapeText(pad)}: a padding must be smaller than its bin; give larger pictures or a smaller pyramid_height`,
      )
    const output = pooledSize(this, bottom, { kernel, stride: kernel, pad, roundUp: true })
    const shape = { planes, input, output, kernel, stride: kernel, pad }
    const problem = poolingProblem(shape)
    if (problem !== undefined) throw this.error(`level ${level}: ${problem}`)
    return shape
  }
}
