import { describe, expect, test } from 'vitest'
import type { GpuEngine } from '../../lib/engines/gpu.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm', 'gpu:cpu']

const scores = [0.1, 0.7, 0.2, 0.5, 0.2, 0.3]

/** Scores of 3 classes for 2 items; `layers` make of them what they do. */
const net = (engine: string, layers: string) =>
  Net.create(
    parseNet(
      `layer { name: "in" type: "Input" top: "scores" top: "label" input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } } ${layers}`,
    ),
    { engine, phase: 'TRAIN' },
  )

const layer = (type: string, label = 'label', more = '') =>
  `layer { name: "${type}" type: "${type}" bottom: "scores" bottom: "${label}" top: "${type}" ${more} }`

/** The name and message of what a pass throws. */
const refusal = (pass: Promise<unknown>) =>
  pass.then(
    () => 'nothing',
    (error: Error) => `${error.name}: ${error.message}`,
  )

const types = ['SoftmaxWithLoss', 'MultinomialLogisticLoss', 'HingeLoss', 'Accuracy']

describe.each(engines)('labels on %s', engine => {
  test.each(types)('%s refuses a label that is no class as on the host, without a download', async type => {
    const [host, device] = [await net('wasm', layer(type)), await net(engine, layer(type))]
    expect(device.layers.find(l => l.name === type)!.engine.name).toBe(engine)
    const { traffic } = device.engine as GpuEngine
    for (const label of [
      [1, 3],
      [-1, 0],
    ]) {
      const { downloads } = traffic
      const said = await refusal(device.forward({ scores, label }))
      expect(said).toBe(await refusal(host.forward({ scores, label })))
      expect(said).toMatch(/^NetError: .*labels count from 0 to 2/)
      expect(traffic.downloads).toBe(downloads)
    }
    // and goes on with labels that are classes
    const [right, expected] = [
      await device.forward({ scores, label: [1, 2] }),
      await host.forward({ scores, label: [1, 2] }),
    ]
    expect(right[type].data[0]).toBeCloseTo(expected[type].data[0], 5)
    host.dispose()
    device.dispose()
  })

  test('ignore_label is no mistake, and labels that two layers read are checked as well', async () => {
    const device = await net(
      engine,
      layer('SoftmaxWithLoss', 'label', 'loss_param { ignore_label: 255 }') + layer('HingeLoss'),
    )
    expect(await refusal(device.forward({ scores, label: [255, 1] }))).toMatch(
      /^NetError: .*HingeLoss.*label 0 of 'label.*' is 255/,
    )
    device.dispose()
    const ignoring = await net(engine, layer('SoftmaxWithLoss', 'label', 'loss_param { ignore_label: 255 }'))
    const { SoftmaxWithLoss: loss } = await ignoring.forward({ scores, label: [255, 1] })
    expect(loss.data[0]).toBeCloseTo(-Math.log(Math.exp(0.2) / (Math.exp(0.5) + Math.exp(0.2) + Math.exp(0.3))), 5)
    ignoring.dispose()
  })

  test('the check sends nothing up a second time', async () => {
    const device = await net(engine, layer('SoftmaxWithLoss'))
    await device.forward({ scores, label: [1, 2] })
    const { traffic } = device.engine as GpuEngine
    const { uploads } = traffic
    await device.forward()
    expect(traffic.uploads).toBe(uploads)
    device.dispose()
  })

  test('labels that were computed on the device are not looked at: the loss is infinite', async () => {
    const plus = 'layer { name: "plus" type: "Power" bottom: "label" top: "computed" power_param { shift: 2 } }'
    const device = await net(engine, plus + layer('SoftmaxWithLoss', 'computed'))
    // −log softmax of the last class, the mean of both
    expect((await device.forward({ scores, label: [0, 0] })).SoftmaxWithLoss.data[0]).toBeCloseTo(1.20389, 4)
    expect((await device.forward({ scores, label: [0, 1] })).SoftmaxWithLoss.data[0]).toBe(Number.POSITIVE_INFINITY)
    device.dispose()
  })
})
