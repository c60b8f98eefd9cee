import { type Blob, shapeText } from '../blob.js'
import type { FlowWarpShape } from '../engine.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Pictures (N, C, H, W), flow (N, 2, H, W) → pictures: at (x, y) what is at (x + u, y + v), bilinear. */
export class FlowWarpLayer extends Layer {
  static override readonly param = ['flow_warp_param'] as const
  static override readonly uses = ['flowWarp', 'flowWarpGradient', 'flowWarpFlowGradient'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 1 }
  private readonly fields = withDefaults('FlowWarpParameter', this.param.flow_warp_param)
  private shape!: FlowWarpShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, flow] = bottom
    const [batch, channels, height, width] = x.shape
    if (x.numAxes !== 4 || shapeText(flow.shape) !== shapeText([batch, 2, height, width]))
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) must be N × C × H × W, and '${flow.name}' (${shapeText(flow.shape)}) N × 2 × H × W: steps across, then down`,
      )
    const outside = this.fields.fill_value === 'NOT_A_NUMBER' ? Number.NaN : 0
    this.shape = { batch, channels, height, width, outside }
    top[0].reshapeLike(x)
  }

  override forward([x, flow]: Blob[], [top]: Blob[]): void {
    this.kernels.flowWarp(this.shape, x.memory.data, flow.memory.data, top.memory.data)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, flow]: Blob[]): void {
    const { diff } = top.memory
    if (propagateDown[0]) this.kernels.flowWarpGradient(this.shape, flow.memory.data, diff, x.memory.diff)
    if (propagateDown[1])
      this.kernels.flowWarpFlowGradient(this.shape, x.memory.data, flow.memory.data, diff, flow.memory.diff)
  }
}
