import type { Blob } from '../blob.js'
import type { ConvolutionShape } from '../engine.js'
import { convolutionProblem } from '../engines/kernel_limits.js'
import type { LayerParameter } from '../generated/caffe.js'
import { type CoordMap, Layer } from '../layer.js'
import { atLeastOneAxis, convolutionWindow, convolvedSize } from './parts/convolution_window.js'
import { windowed } from './parts/coordinates.js'

/** What a convolution sees: (N, C, in…) → (N, C·kernel…, out…), one channel per kernel position. */
export class Im2colLayer extends Layer {
  static override readonly param = ['convolution_param'] as const
  static override coordinates({ convolution_param = {} }: LayerParameter): CoordMap {
    return windowed(convolution_param, 'Im2col')
  }
  static override readonly uses = ['im2col', 'im2colGradient'] as const
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }

  private shape!: ConvolutionShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    const window = convolutionWindow(this, x)
    const { axis, kernel } = window
    const output = convolvedSize(this, x, window)
    const channels = x.dim(axis)
    this.shape = {
      batch: x.size(0, axis),
      channels,
      outputs: channels,
      group: 1,
      input: atLeastOneAxis(x.shape.slice(axis + 1), 1),
      output: atLeastOneAxis(output, 1),
      kernel: atLeastOneAxis(kernel, 1),
      stride: atLeastOneAxis(window.stride, 1),
      pad: atLeastOneAxis(window.pad, 0),
      dilation: atLeastOneAxis(window.dilation, 1),
    }
    const problem = convolutionProblem(this.shape)
    if (problem !== undefined) throw this.error(problem)
    top[0].reshape([...x.shape.slice(0, axis), kernel.reduce((a, b) => a * b, channels), ...output])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.im2col(this.shape, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) this.kernels.im2colGradient(this.shape, top[0].memory.diff, bottom[0].memory.diff)
  }
}
