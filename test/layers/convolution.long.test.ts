import { describe, test } from 'vitest'
import { ConvolutionLayer } from '../../lib/layers/convolution.js'
import { checkGradient } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'

describe.each(hostEngines)('Convolution on %s', engine => {
  test('a larger shape, on the engine itself', async () => {
    await checkGradient(ConvolutionLayer, {
      param: 'convolution_param { num_output: 5 kernel_size: 5 pad: 2 weight_filler { type: "xavier" } }',
      weights: 'filler',
      bottoms: [[2, 3, 9, 11]],
      engine,
      mode: 'projected',
      threshold: 1e-2,
    })
  })
})
