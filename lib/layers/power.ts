import type { Blob } from '../blob.js'
import type { FilledPowerParameter } from '../generated/caffe.js'
import type { ChannelAffine } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = (shift + scale·bottom)^power. */
export class PowerLayer extends KeptInputLayer {
  static override readonly param = ['power_param'] as const
  static override readonly uses = ['copy', 'fill', 'power', 'powerGradient'] as const
  private p!: FilledPowerParameter
  /** Scale or power is 0: the output does not depend on the input, not even on one that is not finite. */
  private isConstant = false
  /** Of the bottom: places along axis 1. */
  private channels = 0

  override setup(): void {
    this.p = withDefaults('PowerParameter', this.param.power_param)
    this.isConstant = this.p.power * this.p.scale === 0
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.channels = bottom[0].numAxes > 1 ? bottom[0].dim(1) : 0
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { power, scale, shift } = this.p
    const n = bottom[0].count
    if (this.isConstant) {
      this.kernels.fill(n, shift ** power, top[0].memory.data)
      return
    }
    // a straight line has the same gradient everywhere, so nothing needs keeping
    if (power !== 1) this.keepInput(bottom, top)
    this.kernels.power(n, power, scale, shift, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { power, scale, shift } = this.p
    const { diff } = bottom[0].memory
    if (this.isConstant) this.kernels.fill(bottom[0].count, 0, diff)
    else
      this.kernels.powerGradient(
        bottom[0].count,
        power,
        scale,
        shift,
        this.input(bottom, top),
        top[0].memory.diff,
        diff,
      )
  }

  /** The same line for every channel. */
  override channelAffine(): ChannelAffine | undefined {
    const { power, scale, shift } = this.p
    if (power !== 1 || this.isConstant || !this.channels) return undefined
    return {
      factor: new Float32Array(this.channels).fill(scale),
      shift: new Float32Array(this.channels).fill(shift),
    }
  }
}
