import { describe, expect, test } from 'vitest'
import { NetError, RistrettoError } from '../../lib/errors.js'
import type { NetParameter } from '../../lib/generated/caffe.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

const inputs = 'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }\n'

async function refused(source: string | NetParameter): Promise<RistrettoError> {
  const net = typeof source === 'string' ? new TextEncoder().encode(source) : source
  const error = await Net.create(net, { engine: 'js' }).then(
    made => made.dispose(),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(RistrettoError)
  return error as RistrettoError
}

describe('a net is refused with everything that is wrong', () => {
  test('text and types in one go, each type once', async () => {
    const error = await refused(`${inputs}
layer { name: "n" type: "NoSuchNorm" bottom: "data" top: "n" nmae: 3 }
layer { name: "p" type: "NoSuchPrior" bottom: "n" top: "p" }
layer { name: "q" type: "NoSuchPrior" bottom: "n" top: "q" }
layer { name: "r" type: "relu" bottom: "gone" top: "r" }`)
    expect(error.causes.map(({ line, message }) => [line, message.split(';')[0]])).toEqual([
      [3, "layer 'n' has the unknown type 'NoSuchNorm'"],
      [3, "the given bytes:3: LayerParameter has no field 'nmae'"],
      [4, "layer 'p' has the unknown type 'NoSuchPrior'"],
      [6, "layer 'r' has the unknown type 'relu' (did you mean 'ReLU'?)"],
    ])
    expect(error.causes[2].message).toMatch(/\(2 layers are of this type\)$/)
    expect(error.causes[0]).toMatchObject({ layer: 'n', field: 'type', column: 25, length: 12 })
  })

  test('every bottom that nobody makes', async () => {
    const error = await refused(`${inputs}
layer { name: "a" type: "ReLU" bottom: "dtaa" top: "a" }
layer { name: "b" type: "Eltwise" bottom: "a" bottom: "x" top: "b" }`)
    expect(error.causes).toMatchObject([
      { layer: 'a', field: 'bottom[0]', line: 3, column: 40 },
      { layer: 'b', field: 'bottom[1]', line: 4, column: 55 },
    ])
    expect(error.message).toMatch(/'dtaa', which no layer before it makes; did you mean 'data'\?; known so far: data\n/)
  })

  test('every layer whose own parameters are wrong, not those that read from it', async () => {
    const error = await refused(`${inputs}
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 } }
layer { name: "d" type: "ReLU" bottom: "c" top: "d" }
layer {
  name: "p" type: "Pooling" bottom: "data" top: "p"
  pooling_param { kernel_size: 2 pad: 3 }
}`)
    expect(error).toBeInstanceOf(NetError)
    expect(error.causes.map(cause => (cause as NetError).layer)).toEqual(['c', 'p'])
    expect(error.causes[1]).toMatchObject({ field: 'pooling_param.pad', line: 7, file: 'the given bytes' })
  })

  test('every field of a hand-written net', async () => {
    const error = await refused({ layer: [{ nmae: 'x', type: 3 }, { tpo: 'x' }] } as unknown as NetParameter)
    expect(error.causes.map(cause => (cause as NetError).field)).toEqual([
      'layer[0].nmae',
      'layer[0].type',
      'layer[1].tpo',
    ])
    expect(error.message.split('\n')).toHaveLength(3)
  })

  test('places survive parsing first, older forms and splits', async () => {
    const text = `input: "data" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 3
layers { name: "r" type: RELU bottom: "data" top: "r" }
layers { name: "p" type: POOLING bottom: "data" top: "p"
  pooling_param { kernel_size: 9 stride: 0 } }`
    expect(await refused(parseNet(text, { file: 'old.prototxt' }))).toMatchObject({
      file: 'old.prototxt',
      layer: 'p',
      line: expect.any(Number),
    })
  })
})
