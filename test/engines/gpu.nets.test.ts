import { describe, expect, test } from 'vitest'
import { parseSolver } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { createSolver } from '../../lib/solver/rules/index.js'

const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm']

const layer = (name: string, type: string, bottoms: string, top: string, rest = ''): string =>
  `layer { name: "${name}" type: "${type}" ${bottoms
    .split(' ')
    .map(bottom => `bottom: "${bottom}"`)
    .join(' ')} top: "${top}" ${rest} }`
const conv = (name: string, bottom: string, n: number, kernel: number, rest = ''): string =>
  layer(
    name,
    'Convolution',
    bottom,
    name,
    `convolution_param { num_output: ${n} kernel_size: ${kernel} weight_filler { type: "xavier" } ${rest} }`,
  )
const relu = (top: string): string => layer(`${top}_relu`, 'ReLU', top, top)
const classifier = (bottom: string): string =>
  layer('fc', 'InnerProduct', bottom, 'fc', 'inner_product_param { num_output: 5 weight_filler { type: "xavier" } }') +
  layer('loss', 'SoftmaxWithLoss', 'fc label', 'loss') +
  layer('accuracy', 'Accuracy', 'fc label', 'accuracy')

/** The kinds of nets that Caffe's examples and model zoo hold, with few channels. */
const nets: Record<string, string> = {
  cifar10_quick:
    conv('conv1', 'data', 4, 5, 'pad: 2') +
    layer('pool1', 'Pooling', 'conv1', 'pool1', 'pooling_param { pool: MAX kernel_size: 3 stride: 2 }') +
    relu('pool1') +
    conv('conv2', 'pool1', 5, 5, 'pad: 2') +
    relu('conv2') +
    layer('pool2', 'Pooling', 'conv2', 'pool2', 'pooling_param { pool: AVE kernel_size: 3 stride: 2 }') +
    classifier('pool2'),
  CaffeNet:
    conv('conv1', 'data', 6, 5, 'stride: 2') +
    relu('conv1') +
    layer('pool1', 'Pooling', 'conv1', 'pool1', 'pooling_param { pool: MAX kernel_size: 3 stride: 2 }') +
    layer('norm1', 'LRN', 'pool1', 'norm1', 'lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }') +
    conv('conv2', 'norm1', 4, 3, 'pad: 1 group: 2') +
    relu('conv2') +
    layer(
      'fc6',
      'InnerProduct',
      'conv2',
      'fc6',
      'inner_product_param { num_output: 9 weight_filler { type: "xavier" } }',
    ) +
    relu('fc6') +
    layer('drop6', 'Dropout', 'fc6', 'fc6', 'dropout_param { dropout_ratio: 0.5 }') +
    classifier('fc6'),
  'GoogLeNet-like':
    conv('a1', 'data', 3, 1) +
    relu('a1') +
    conv('a3', 'data', 4, 3, 'pad: 1') +
    relu('a3') +
    conv('a5', 'data', 2, 5, 'pad: 2') +
    relu('a5') +
    layer('ap', 'Pooling', 'data', 'ap', 'pooling_param { pool: MAX kernel_size: 3 stride: 1 pad: 1 }') +
    layer('inception', 'Concat', 'a1 a3 a5 ap', 'inception') +
    layer('global', 'Pooling', 'inception', 'global', 'pooling_param { pool: AVE global_pooling: true }') +
    layer('drop', 'Dropout', 'global', 'global', 'dropout_param { dropout_ratio: 0.4 }') +
    classifier('global'),
  'ResNet-like':
    conv('c1', 'data', 4, 3, 'pad: 1 bias_term: false') +
    layer('bn1', 'BatchNorm', 'c1', 'c1') +
    layer('sc1', 'Scale', 'c1', 'c1', 'scale_param { bias_term: true }') +
    relu('c1') +
    conv('c2', 'c1', 4, 3, 'pad: 1 bias_term: false') +
    layer('bn2', 'BatchNorm', 'c2', 'c2') +
    layer('sc2', 'Scale', 'c2', 'c2', 'scale_param { bias_term: true }') +
    layer('sum', 'Eltwise', 'c1 c2', 'sum') +
    relu('sum') +
    classifier('sum'),
}

describe.each(engines)('nets on %s', engine => {
  test.each(Object.keys(nets))('%s trains without a layer on the host, as on wasm', async name => {
    const text = `base_lr: 0.05 momentum: 0.9 lr_policy: "fixed" max_iter: 10 net_param { name: "${name}"
      layer { name: "input" type: "Input" top: "data" top: "label" input_param { shape { dim: 3 dim: 3 dim: 15 dim: 13 } shape { dim: 3 } } }
      ${nets[name]} }`
    const losses: number[][] = []
    for (const which of ['wasm', engine]) {
      const solver = await createSolver(parseSolver(text), { engine: which, seed: 9 })
      const stream = new RandomStream(2, 'pictures')
      solver.net.feed(
        'data',
        [...Array(4)].map(() => Float32Array.from({ length: 3 * 3 * 15 * 13 }, () => stream.uniform())),
      )
      solver.net.feed(
        'label',
        [...Array(4)].map((_, i) => Float32Array.of(i, (i + 2) % 5, 4)),
      )
      expect(new Set(solver.net.layers.map(l => l.engine.name))).toEqual(new Set([which]))
      const seen: number[] = []
      for (let i = 0; i < 4; i++) {
        await solver.step(1)
        seen.push(await solver.loss())
      }
      losses.push(seen)
      solver.dispose()
    }
    const [expected, got] = losses
    for (const [i, loss] of got.entries())
      expect(Math.abs(loss - expected[i]), `iteration ${i}: ${losses}`).toBeLessThan(1e-4)
    expect(got[3]).not.toBe(got[0])
  })
})
