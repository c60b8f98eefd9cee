import { describe, expect, test } from 'vitest'
import { createEngine } from '../../lib/engines/index.js'
import { EngineError } from '../../lib/errors.js'
import type { NetOptions } from '../../lib/net/options.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { inputLayer } from '../shapes.js'

const reason = await createEngine('native', { threads: 1 }).then(
  engine => (engine.join ? '' : 'there is no oneDNN here'),
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)
const suite = reason ? describe.skip : describe

const fill = 'weight_filler { type: "xavier" } bias_filler { type: "uniform" min: -0.2 max: 0.2 }'
const conv = (name: string, bottom: string, param: string, outputs = 32) =>
  `layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" convolution_param { num_output: ${outputs} ${param} ${fill} } }\n`
const layer = (type: string, name: string, bottoms: readonly string[], param = '', top = name) =>
  `layer { name: "${name}" type: "${type}" ${bottoms.map(bottom => `bottom: "${bottom}"`).join(' ')} top: "${top}" ${param} }\n`
const input = (shape: readonly number[]) => (batch: number) => `${inputLayer('x', [batch, ...shape])}\n`
const pooled = (name: string, bottom: string, param: string) =>
  layer('Pooling', name, [bottom], `pooling_param { ${param} }`)
const last = (bottom: string, bias = 'bias_filler { type: "uniform" min: -0.2 max: 0.2 }') =>
  layer(
    'InnerProduct',
    'ip',
    [bottom],
    `inner_product_param { num_output: 7 weight_filler { type: "xavier" } ${bias} }`,
  )

/** What the net is, and the first and last layer of the row that is joined, without the inner product behind it. */
const nets: Record<string, readonly [net: (batch: number) => string, first: string, last: string]> = {
  'the first layer reads plain images, windows hang over the edge': [
    batch =>
      input([3, 29, 23])(batch) +
      conv('a', 'x', 'kernel_size: 5 stride: 2 pad: 1', 24) +
      layer('ReLU', 'r', ['a'], '', 'a') +
      pooled('p', 'a', 'pool: MAX kernel_size: 3 stride: 2 pad: 1') +
      conv('b', 'p', 'kernel_size: 1 bias_term: false', 40) +
      pooled('q', 'b', 'pool: AVE kernel_size: 3 stride: 2') +
      last('q'),
    'a',
    'q',
  ],
  'channels that do not fill their blocks': [
    batch =>
      input([1, 28, 28])(batch) +
      conv('a', 'x', 'kernel_size: 5', 31) +
      layer('ReLU', 'r', ['a'], 'relu_param { negative_slope: 0.1 }', 'a') +
      conv('b', 'a', 'kernel_size: 3 pad: 1 stride: 2', 47) +
      layer('ReLU6', 'six', ['b'], '', 'b') +
      pooled('p', 'b', 'pool: AVE global_pooling: true') +
      last('p', 'bias_term: false'),
    'a',
    'p',
  ],
  'branches that are put behind each other, one of them twice': [
    batch =>
      input([16, 14, 14])(batch) +
      conv('a', 'x', 'kernel_size: 1', 16) +
      layer('ReLU', 'r', ['a'], '', 'a') +
      conv('b', 'a', 'kernel_size: 1', 64) +
      conv('c', 'a', 'kernel_size: 3 pad: 1', 64) +
      layer('ReLU', 's', ['c'], '', 'c') +
      layer('Concat', 'both', ['b', 'c', 'a', 'b']) +
      layer('LRN', 'n', ['both'], 'lrn_param { local_size: 5 alpha: 0.01 beta: 0.75 }') +
      pooled('p', 'n', 'pool: MAX kernel_size: 2 stride: 2') +
      conv('d', 'p', 'kernel_size: 3 pad: 2 dilation: 2', 32) +
      last('d') +
      layer('ReLU', 'positive', ['ip'], 'relu_param { negative_slope: 0.5 }', 'ip'),
    'a',
    'd',
  ],
  'sums in the place of a branch, and of three': [
    batch =>
      input([3, 16, 16])(batch) +
      conv('a', 'x', 'kernel_size: 5 pad: 2') +
      conv('b', 'a', 'kernel_size: 5 pad: 2') +
      layer('ReLU', 'r', ['b'], '', 'b') +
      conv('c', 'b', 'kernel_size: 5 pad: 2') +
      layer('Eltwise', 'sum', ['a', 'c']) +
      layer('ReLU', 's', ['sum'], '', 'sum') +
      conv('d', 'sum', 'kernel_size: 1') +
      conv('e', 'sum', 'kernel_size: 1') +
      layer('Eltwise', 'three', ['d', 'sum', 'e']) +
      layer('ReLU', 't', ['three'], '', 'three') +
      pooled('p', 'three', 'pool: AVE kernel_size: 4 stride: 4') +
      last('p'),
    'a',
    'p',
  ],
  'windows of every kind: next to each other, over each other, in pads, large, hanging over the edge': [
    batch =>
      input([16, 21, 27])(batch) +
      conv('a', 'x', 'kernel_size: 1', 24) +
      pooled('p', 'a', 'pool: MAX kernel_size: 3 stride: 1 pad: 1') +
      pooled('q', 'p', 'pool: AVE kernel_size: 3 stride: 1 pad: 1') +
      conv('b', 'q', 'kernel_size: 1', 40) +
      pooled('r', 'b', 'pool: MAX kernel_h: 2 kernel_w: 5 stride_h: 2 stride_w: 3') +
      pooled('s', 'r', 'pool: AVE kernel_size: 2 stride: 2') +
      conv('c', 's', 'kernel_size: 1', 32) +
      pooled('t', 'c', 'pool: MAX kernel_size: 2 stride: 2') +
      last('t'),
    'a',
    't',
  ],
  'tiles: of every padding, cut at the edges, with what follows a sum': [
    batch =>
      input([16, 30, 27])(batch) +
      conv('a', 'x', 'kernel_size: 3', 64) +
      layer('ReLU', 'r', ['a'], 'relu_param { negative_slope: 0.1 }', 'a') +
      conv('b', 'a', 'kernel_size: 3 pad: 1 bias_term: false', 64) +
      layer('Eltwise', 'sum', ['a', 'b']) +
      layer('ReLU6', 'six', ['sum'], '', 'sum') +
      pooled('p', 'sum', 'pool: MAX kernel_size: 2 stride: 2') +
      conv('c', 'p', 'kernel_size: 3 pad_h: 2 pad_w: 0', 72) +
      layer('ReLU', 's', ['c'], '', 'c') +
      conv('d', 'c', 'kernel_size: 3 pad: 1', 128) +
      last('d'),
    'a',
    'd',
  ],
  'groups, one of each channel, and one axis': [
    batch =>
      input([16, 19])(batch) +
      conv('a', 'x', 'kernel_size: 5 stride: 2 pad: 2', 32) +
      conv('b', 'a', 'kernel_size: 3 pad: 1 group: 32', 32) +
      layer('ReLU', 's', ['b'], '', 'b') +
      conv('c', 'b', 'kernel_size: 3 pad: 1 group: 2', 64) +
      last('c'),
    'a',
    'c',
  ],
  'what the library has no fast code for stays between': [
    batch =>
      input([8, 12, 12])(batch) +
      conv('a', 'x', 'kernel_size: 5 pad: 2') +
      layer('LRN', 'n', ['a'], 'lrn_param { local_size: 3 }') +
      conv('b', 'n', 'kernel_size: 5 pad: 2') +
      layer('ReLU', 's', ['b'], '', 'b') +
      conv('c', 'b', 'kernel_size: 1') +
      last('c'),
    'b',
    'c',
  ],
}

const make = (text: string, options: NetOptions) => Net.create(parseNet(text), { phase: 'TEST', seed: 4, ...options })
const imagesOf = (net: Net): Float32Array => {
  const stream = new RandomStream(9, 'joined')
  return Float32Array.from({ length: net.blobs.x.count }, () => 2 * stream.uniform() - 1)
}
async function answer(net: Net): Promise<Float32Array> {
  const { ip } = await net.forward({ x: imagesOf(net) })
  return ip.data as Float32Array
}
const rowOf = (net: Net, layer: string) => net.explain().match(new RegExp(`^${layer} .*(oneDNN.*)$`, 'm'))?.[1]

function expectSame(actual: Float32Array, expected: Float32Array): void {
  expect(Buffer.compare(Buffer.from(actual.buffer), Buffer.from(expected.buffer))).toBe(0)
}
function expectNear(actual: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  expect(largest).toBeGreaterThan(0)
  expect(actual.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i] - value) / largest).toBeLessThan(1e-5)
}

suite(`rows of layers that oneDNN computes${reason ? ` (skipped: ${reason})` : ''}`, () => {
  describe.each(Object.entries(nets))('%s', (_, [text, first, last]) => {
    test.each([1, 3, 5])('%i images: as layer by layer, and in the same bits on 1, 2 and 3 threads', async batch => {
      const plain = await make(text(batch), { engine: 'js' })
      const expected = await answer(plain)
      const answers: Float32Array[] = []
      for (const threads of [1, 2, 3]) {
        const net = await make(text(batch), { engine: 'native', threads, optimize: 'inference' })
        const row = rowOf(net, first)
        // of many images only those rows whose channels fill the processor's blocks, of 8 or 16 values
        // an inner product of few images is a convolution of one window
        const product = text(batch).includes('"positive"') ? 'positive' : 'ip'
        const end = batch < 4 ? product : last
        // oneDNN 2.6 has a fast LRN for blocks of 8 only: with AVX-512 one row ends before it, and another begins behind it
        const isCut = text(batch).includes('"both"') && !rowOf(net, 'n')
        const behind = isCut ? rowOf(net, last) : row
        if (isCut) expect(row).toContain(`computes '${first}' to 'both' as one`)
        if (batch < 4 || behind)
          expect(behind).toMatch(isCut ? new RegExp(`to '${end}' as one`) : `computes '${first}' to '${end}' as one`)
        // and one of more is a product of rows
        if (batch < 4) expect(rowOf(net, 'ip')).toBe(behind)
        else expect(rowOf(net, 'ip')).toContain(`computes 'ip' to '${product}' as one`)
        await answer(net)
        answers.push(await answer(net))
        net.dispose()
      }
      expectNear(answers[0], expected)
      expectSame(answers[1], answers[0])
      expectSame(answers[2], answers[0])
      plain.dispose()
    })
  })

  const [branches] = nets['branches that are put behind each other, one of them twice']

  test('blobs that are kept hold their values, and a pass with a hook goes layer by layer', async () => {
    const keep = ['c', 'both', 'p']
    const net = await make(branches(2), { engine: 'native', threads: 2, optimize: 'inference', keep })
    const plain = await make(branches(2), { engine: 'js' })
    const expected = await answer(plain)
    expectNear(await answer(net), expected)
    for (const name of keep) expectNear(net.blobs[name].dataArray, plain.blobs[name].dataArray)
    const seen: string[] = []
    net.afterForward(name => void seen.push(name))
    expectNear(await answer(net), expected)
    expect(seen).toContain('n')
  })

  test('weights are followed, and those that can be written at any time are used as they are', async () => {
    const net = await make(branches(2), { engine: 'native', threads: 2, optimize: 'inference' })
    const plain = await make(branches(2), { engine: 'js' })
    const other = await make(branches(2), { engine: 'js', seed: 77 })
    const before = await answer(net)
    expectNear(before, await answer(plain))
    await net.copyFrom(await other.toBytes())
    expectNear(await answer(net), await answer(other))
    const weights = net.params.d[0].dataArray
    weights.fill(0.25)
    other.params.d[0].dataArray.fill(0.25)
    expectNear(await answer(net), await answer(other))
    weights.fill(-0.5)
    other.params.d[0].dataArray.fill(-0.5)
    expectNear(await answer(net), await answer(other))
  })

  test.each([
    ['two chunks of rows, the last one shorter', 22, 300, '', true],
    ['without a bias', 16, 64, 'bias_term: false', true],
    ['weights that lie the other way', 16, 64, 'transpose: true', false],
    ['more weights than a cache holds', 4, 4100, '', false],
  ])('inner products of many rows: %s', async (_, batch, outputs, param, isJoined) => {
    const product = (name: string, bottom: string, count: number) =>
      layer(
        'InnerProduct',
        name,
        [bottom],
        `inner_product_param { num_output: ${count} ${param} weight_filler { type: "xavier" } ${param.startsWith('bias') ? '' : 'bias_filler { type: "uniform" min: -0.2 max: 0.2 }'} }`,
      )
    const text =
      input([260])(batch) +
      product('first', 'x', outputs) +
      layer('ReLU', 'r', ['first'], 'relu_param { negative_slope: 0.1 }', 'first') +
      product('ip', 'first', 7)
    const plain = await make(text, { engine: 'js' })
    const answers: Float32Array[] = []
    for (const threads of [1, 2, 3]) {
      const net = await make(text, { engine: 'native', threads, optimize: 'inference' })
      const row = rowOf(net, 'first')
      // version 3.7 has no fast code for the other number of rows with weights in the order of the first: BLAS does it
      const mayRefuse = batch === 22 && net.engine.detail.includes('primitives of oneDNN 3')
      if (!isJoined) expect(row).toBeUndefined()
      else if (row || !mayRefuse) expect(row).toContain(`computes 'first' to 'r' as one`)
      answers.push(await answer(net))
      if (threads === 2) {
        net.params.first[0].dataArray.fill(0.01)
        plain.params.first[0].dataArray.fill(0.01)
        expectNear(await answer(net), await answer(plain))
      } else if (threads === 1) expectNear(answers[0], await answer(plain))
      net.dispose()
    }
    expectSame(answers[1], answers[0])
    expectSame(answers[2], answers[0])
    plain.dispose()
  })

  test('shapes may change from pass to pass', async () => {
    const net = await make(branches(1), { engine: 'native', threads: 2, optimize: 'inference' })
    const plain = await make(branches(1), { engine: 'js' })
    for (const batch of [1, 6, 2, 1])
      for (const each of [net, plain]) {
        each.blobs.x.reshape([batch, 16, 14, 14])
        each.reshape()
        if (each === plain) expectNear(await answer(net), await answer(plain))
      }
  })

  test('hundreds of nets come and go, and leave nothing behind', async () => {
    const engine = await createEngine('native', { threads: 2 })
    const once = async () => {
      const net = await make(branches(5), { engine, optimize: 'inference' })
      const values = await answer(net)
      net.dispose()
      return values
    }
    const expected = await once()
    const before = engine.heap.available!
    for (let i = 0; i < 100; i++) expectSame(await once(), expected)
    expect(engine.heap.available!).toBeGreaterThan(before - 2 ** 22)
  })
})
