import { expect, it } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { inputLayer } from '../shapes.js'

const text = `
  force_backward: true
  ${inputLayer('data', '1×1')}
  layer { name: "a" type: "Power" bottom: "data" top: "a" power_param { scale: 2 } }
  layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" inner_product_param { num_output: 1 bias_term: false weight_filler { value: 3 } } }
  layer { name: "c" type: "Power" bottom: "b" top: "c" power_param { scale: 5 } }`

it('a backward pass that starts in the middle goes out from the diffs that are there: none, old ones, or given ones', async () => {
  const net = await Net.create(parseNet(text), { engine: 'js' })
  await net.forward({ data: [7] })
  const weight = net.params['b'][0]
  const gradient = () => net.blobs['data'].diffArray[0]
  await net.backward({}, { start: 'b' })
  expect(gradient()).toBe(0)
  await net.backward({ c: [1] })
  // 5·3·2, and the weight's is 5 times its input 14
  expect([gradient(), weight.diffArray[0]]).toEqual([30, 70])
  // what the whole pass left in b's diff is used again, and params' diffs add up
  await net.backward({}, { start: 'b' })
  expect([gradient(), weight.diffArray[0]]).toEqual([30, 140])
  net.clearParamDiffs()
  net.blobs['b'].diffArray[0] = 1
  await net.backward({}, { start: 'b' })
  expect([gradient(), weight.diffArray[0]]).toEqual([6, 14])
})

it('forceBackward asks for the gradient of the inputs, of nets made and loaded, and changes no description', async () => {
  const text = `input: "x" input_shape { dim: 1 dim: 2 }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 weight_filler { type: "constant" value: 3 } } }`
  const plain = await Net.create(parseNet(text), { engine: 'js' })
  const archive = await plain.toBytes({ format: 'zip' })
  for (const net of [
    await Net.create(parseNet(text), { engine: 'js', forceBackward: true }),
    await Net.load(archive, { engine: 'js', forceBackward: true }),
  ]) {
    await net.forward({ x: [1, 2] })
    const { x } = await net.backward({ y: [2] })
    expect([...x.data]).toEqual([6, 6])
    expect(net.description.force_backward).toBeUndefined()
  }
  await plain.forward({ x: [1, 2] })
  expect(await plain.backward({ y: [2] })).toEqual({})
})
