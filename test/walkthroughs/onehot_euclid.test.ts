import { describe, expect, test } from 'vitest'
import { EuclideanLossLayer } from '../../docs/examples/custom-layer/euclidean_loss.js'
import { OneHotLayer } from '../../docs/examples/custom-layer/one_hot.js'
import { registerLayerModule, SGDSolver } from '../../lib/index.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'

interface ParamFacts {
  shape: number[]
  sum: number
  sum_of_squares: number
  first_16: number[]
  values?: GoldenArray
}
interface Walkthrough {
  losses: number[]
  first_labels_of_each_batch: number[][]
  first_iteration: {
    one_hot_label: GoldenArray
    ip2: GoldenArray
    ip2_diff: GoldenArray
    loss_shape: number[]
    one_hot_shape: number[]
  }
  final_params: Record<string, ParamFacts[]>
  test_after_training: { per_batch_accuracy_and_loss: [number, number][] }
  loss_rtol: number
  loss_atol: number
  params_rtol: number
  params_atol: number
}

const golden = new Golden<Walkthrough>('walkthroughs/onehot_euclid/onehot_euclid')
const facts = golden.json
const path = (file: string) => goldenPath(`walkthroughs/onehot_euclid/${file}`)

registerLayerModule('onehot_layer', { label2one_hot: OneHotLayer })
registerLayerModule('euclid_layer', { EuclideanLossLayer })

describe.each(hostEngines)('LeNet with one-hot labels and a Euclidean loss as custom layers, on %s', engine => {
  // plain loops take a second for two iterations, of which the second has learned: they follow the record only that far
  const iterations = engine === 'js' ? 2 : facts.losses.length
  test(`${iterations} iterations give Caffe's losses`, async () => {
    const solver = await SGDSolver.create(path('solver.prototxt'), {
      engine,
      weights: path('initial.caffemodel'),
      seed: 1,
    })
    const { blobs } = solver.net
    for (let i = 0; i < iterations; i++) {
      await solver.step(1)
      expectClose([await solver.loss()], [facts.losses[i]], facts.loss_rtol, facts.loss_atol, `loss of iteration ${i}`)
      expect([...blobs.label.dataArray.subarray(0, 3)]).toEqual(facts.first_labels_of_each_batch[i])
      if (i > 0) continue
      const { one_hot_label, ip2, ip2_diff, loss_shape, one_hot_shape } = facts.first_iteration
      expect(blobs.loss.shape).toEqual(loss_shape)
      expect(blobs.one_hot_label.shape).toEqual(one_hot_shape)
      expectClose(blobs.one_hot_label.dataArray, golden.array(one_hot_label), 0, 0, 'one_hot_label')
      expectClose(blobs.ip2.dataArray, golden.array(ip2), 1e-4, 1e-5, 'ip2')
      expectClose(blobs.ip2.diffArray, golden.array(ip2_diff), 1e-4, 1e-5, 'ip2 diff')
    }
    if (iterations < facts.losses.length) return
    const { params_rtol: rtol, params_atol: atol } = facts
    for (const [layer, params] of Object.entries(facts.final_params))
      params.forEach((expected, i) => {
        const got = solver.net.params[layer][i].dataArray
        const what = `${layer}[${i}]`
        expectClose(got.subarray(0, expected.first_16.length), expected.first_16, rtol, atol, what)
        if (expected.values) expectClose(got, golden.array(expected.values), rtol, atol, what)
        const squares = got.reduce((sum, value) => sum + value * value, 0)
        expectClose([squares], [expected.sum_of_squares], rtol, atol, `${what}: sum of squares`)
      })
    const test = solver.testNets[0]
    for (const [accuracy, loss] of facts.test_after_training.per_batch_accuracy_and_loss) {
      const out = await test.forward()
      expectClose(out.accuracy.data, [accuracy], 0, 1e-6, 'accuracy')
      expectClose(out.loss.data, [loss], facts.loss_rtol, 1e-4, 'test loss')
    }
    solver.dispose()
  })
})
