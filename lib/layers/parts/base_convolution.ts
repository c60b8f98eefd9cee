import { type Blob, sameShape, shapeText } from '../../blob.js'
import type { ConvolutionShape } from '../../engine.js'
import { convolutionProblem } from '../../engines/kernel_limits.js'
import { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import { atLeastOneAxis, type ConvolutionWindow, convolutionWindow } from './convolution_window.js'

/**
 * What Convolution and Deconvolution share: parameters, weights and shapes. All bottoms have one shape and use the same
 * weights.
 */
export abstract class BaseConvolutionLayer extends Layer {
  static override readonly onlyKernels = true
  override readonly bottomCount = { atLeast: 1 }
  override readonly topCount = { atLeast: 1 }
  override readonly sameCounts = true

  protected window!: ConvolutionWindow
  /** The convolution whose weights these are: a Deconvolution runs it backward. */
  protected shape!: ConvolutionShape
  protected outputs = 0
  protected group = 1
  protected hasBias = false
  /** Values of one channel of a top. */
  protected topPlane = 0

  /** Whether the bottom is the output of `shape`. */
  protected abstract readonly reversed: boolean
  protected abstract topSize(bottom: Blob): number[]

  /** Into how many parts of their own channels and outputs are cut. */
  protected groups(_channels: number): number {
    return withDefaults('ConvolutionParameter', this.param.convolution_param).group
  }

  override setup(bottom: Blob[]): void {
    const param = withDefaults('ConvolutionParameter', this.param.convolution_param)
    this.window = convolutionWindow(this, bottom[0])
    this.outputs = param.num_output ?? 0
    this.hasBias = param.bias_term
    const channels = bottom[0].dim(this.window.axis)
    this.group = this.groups(channels)
    if (this.outputs < 1) throw this.error('num_output must be written and at least 1')
    if (this.group < 1) throw this.error(`group: ${this.group} must be at least 1`)
    if (channels % this.group)
      throw this.error(
        `${channels} channels of '${bottom[0].name}' (${shapeText(bottom[0].shape)}) do not divide into group: ${this.group}`,
      )
    if (this.outputs % this.group)
      throw this.error(`num_output: ${this.outputs} does not divide into group: ${this.group}`)
    const [first, second] = this.reversed ? [channels, this.outputs] : [this.outputs, channels]
    this.addBlob([first, second / this.group, ...this.window.kernel], param.weight_filler)
    if (this.hasBias) this.addBlob([this.outputs], param.bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { axis, kernel, stride, pad, dilation, spatialAxes } = this.window
    const [x] = bottom
    const channels = this.reversed ? this.blobs[0].dim(0) : this.blobs[0].dim(1) * this.group
    if (x.numAxes !== axis + 1 + spatialAxes || x.dim(axis) !== channels)
      throw this.error(
        `'${x.name}' is ${shapeText(x.shape)} now, but the weights were made for ${axis + 1 + spatialAxes} axes with ${channels} channels on axis ${axis}`,
      )
    for (const blob of bottom)
      if (!sameShape(blob.shape, x.shape))
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) and '${x.name}' (${shapeText(x.shape)}) must have the same shape`,
        )

    const size = this.topSize(x)
    const [input, output] = this.reversed ? [size, x.shape.slice(axis + 1)] : [x.shape.slice(axis + 1), size]
    const topShape = [...x.shape.slice(0, axis), this.outputs, ...size]
    this.shape = {
      batch: x.size(0, axis),
      channels: this.reversed ? this.outputs : channels,
      outputs: this.reversed ? channels : this.outputs,
      group: this.group,
      input: atLeastOneAxis(input, 1),
      output: atLeastOneAxis(output, 1),
      kernel: atLeastOneAxis(kernel, 1),
      stride: atLeastOneAxis(stride, 1),
      pad: atLeastOneAxis(pad, 0),
      dilation: atLeastOneAxis(dilation, 1),
    }
    const problem = convolutionProblem(this.shape)
    if (problem !== undefined) throw this.error(problem)
    for (const blob of top) blob.reshape(topShape)
    this.topPlane = top[0].size(axis + 1)
  }

  /** db += the top's gradient, summed over batch and space. */
  protected biasBackward(top: Blob): void {
    if (this.hasBias && this.paramPropagateDown[1])
      this.kernels.biasGradient(
        this.shape.batch,
        this.outputs,
        this.topPlane,
        top.memory.diff,
        this.blobs[1].memory.diff,
      )
  }
}
