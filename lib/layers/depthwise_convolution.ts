import { ConvolutionLayer } from './convolution.js'

/** A Convolution in which every channel is a group: w: (M, 1, kernel…), M a multiple of C. */
export class DepthwiseConvolutionLayer extends ConvolutionLayer {
  protected override groups(channels: number): number {
    const { group = channels } = this.param.convolution_param ?? {}
    if (group !== channels)
      throw this.error(
        `group: ${group} is not the number of channels, ${channels}: leave it out, or write type: "Convolution" for groups of several channels`,
      )
    return channels
  }
}
