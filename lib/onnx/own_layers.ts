import type { NetParameter } from '../generated/caffe.js'
import { forkFields, forkTypes } from '../proto/forks.js'

/** Types of layers, and fields, that a net has and no other Caffe knows, or only some do: who has them in brackets. */
export function ownLayers({ layer = [] }: NetParameter): string[] {
  const found = new Set<string>()
  for (const { type = '', pooling_param, convolution_param } of layer) {
    const known = forkTypes.get(type)
    if (known) found.add(`${type} (${known.fork})`)
    const fields = {
      'PoolingParameter.count_include_pad': pooling_param?.count_include_pad,
      'ConvolutionParameter.output_pad': convolution_param?.output_pad,
    }
    for (const [path, value] of Object.entries(fields))
      if (value !== undefined) found.add(`${path} (${forkFields.get(path)?.fork})`)
  }
  return [...found].sort()
}
