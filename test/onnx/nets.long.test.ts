/** Whole nets as ONNX: what onnxruntime computes is what the net computes. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createNet, fill } from '../../bench/nets/index.js'
import { Net } from '../../lib/net.js'
import { countOf } from '../../lib/onnx/graph.js'
import { readGraph } from '../../lib/onnx/read.js'
import { goldenPath } from '../golden.js'
import { type Arrays, ortVersion, runOnnx } from './onnxruntime.js'

/** A pattern without a pattern, from −1 to 1. */
const pattern = (count: number, phase: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + phase))

/** The largest difference of an output, as a share of its largest value. */
async function difference(net: Net, options: Parameters<Net['toBytes']>[0] = {}): Promise<number> {
  const bytes = await net.toBytes({ format: 'onnx', ...options })
  const { inputs } = await readGraph(bytes)
  const values = new Map(net.inputs.map((name, i) => [name, pattern(net.blobs[name].count, i)]))
  const feeds: Record<string, { data: Float32Array; shape: number[] }> = {}
  for (const { name, shape } of inputs) {
    const sizes = net.blobs[name]?.shape ?? (shape as number[])
    feeds[name] = { data: values.get(name) ?? new Float32Array(countOf(sizes)), shape: sizes }
  }
  const expected = await net.forward(Object.fromEntries(values))
  const got: Arrays = await runOnnx(bytes, feeds)
  let worst = 0
  for (const [name, array] of Object.entries(expected)) {
    const { data, shape } = got[name] ?? got[`${name}_out`]
    expect(shape).toEqual(array.shape)
    let largest = 0
    let off = 0
    data.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(array.data[i]))
      off = Math.max(off, Math.abs(value - array.data[i]))
    })
    expect(Number.isFinite(off)).toBe(true)
    if (off) worst = Math.max(worst, off / largest)
  }
  return worst
}

describe.skipIf(ortVersion === undefined)(`onnxruntime ${ortVersion} computes what the net does`, () => {
  test.each(['lenet', 'cifar10_quick', 'mlp', 'lstm', 'squeezenet', 'resnet18', 'googlenet'])('%s', async name => {
    using net = await createNet(name, 'inference', 2, 'wasm', 2)
    expect(await difference(net)).toBeLessThan(1e-4)
  })

  test.each(['senet', 'pspnet'])('%s of the forks', async name => {
    const folder = goldenPath(`../golden-forks/nets/${name}/${name}`)
    using net = await Net.create(`${folder}.prototxt`, { weights: `${folder}.caffemodel`, engine: 'js' })
    expect(await difference(net)).toBeLessThan(1e-4)
  })

  test.each(['deconv_crop', 'in_place_chain', 'inception', 'old_input_fields', 'residual', 'shared_params', 'v1'])(
    'golden %s',
    async name => {
      using whole = await Net.create(goldenPath(`nets/prototxt/${name}.prototxt`), { engine: 'js', seed: 3 })
      fill(whole, 'lenet')
      using net = await whole.deploy()
      expect(await difference(net)).toBeLessThan(1e-4)
    },
  )
})

test.each(['mlp', 'squeezenet'])('%s goes out, comes back, and goes out again byte for byte', async name => {
  using net = await createNet(name, 'inference', 2, 'wasm', 1)
  const first = await net.toBytes({ format: 'onnx' })
  using back = await Net.create(first, { threads: 1 })
  expect(Buffer.compare(await back.toBytes({ format: 'onnx' }), first)).toBe(0)
})

test('the detector of the forks: its rows are those of Caffe', async () => {
  const folder = goldenPath('../golden-forks/nets/ssd_mobilenet/ssd_mobilenet')
  using net = await Net.create(`${folder}.prototxt`, { weights: `${folder}.caffemodel`, engine: 'js' })
  await expect(net.toBytes({ format: 'onnx' })).rejects.toThrow('its batch is 2')
  net.blobs.data.reshape([1, ...net.blobs.data.shape.slice(1)])
  net.reshape()
  const bytes = await net.toBytes({ format: 'onnx' })
  const { nodes, outputs } = await readGraph(bytes)
  expect(nodes.filter(({ op }) => op === 'NonMaxSuppression')).toHaveLength(1)
  expect(outputs[0].shape).toEqual([1, 1, undefined, 7])
  if (ortVersion !== undefined) expect(await difference(net)).toBeLessThan(1e-4)
})

test('layers without an ONNX form are named: a detector with regions', async () => {
  const text = readFileSync(goldenPath('../golden-forks/nets/faster_rcnn/faster_rcnn.prototxt'), 'utf8')
  expect(text).toContain('proposal')
  using net = await Net.create(goldenPath('../golden-forks/nets/faster_rcnn/faster_rcnn.prototxt'), { engine: 'js' })
  await expect(net.toBytes({ format: 'onnx' })).rejects.toThrow(/it has no ONNX form/)
})
