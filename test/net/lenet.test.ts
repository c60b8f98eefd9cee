import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'

interface LeNet {
  labels: number[]
  blobs_after_forward: (GoldenArray & { name: string })[]
  param_diffs_after_backward: Record<string, GoldenArray[]>
  blob_diffs_after_backward: (GoldenArray & { name: string })[]
  layer_names: string[]
  blob_names: string[]
  rtol: number
  atol: number
}
const golden = new Golden<LeNet>('nets/lenet/lenet')
const facts = golden.json
const path = (file: string) => goldenPath(`nets/lenet/${file}`)

describe.each(hostEngines)("Caffe's own LeNet on %s", engine => {
  test('every blob after forward and every gradient after backward', { tags: 'long' }, async () => {
    const net = await Net.create(path('lenet.prototxt'), {
      phase: 'TEST',
      weights: path('lenet.caffemodel'),
      engine,
      seed: 1,
    })
    expect(net.layerNames).toEqual(facts.layer_names)
    expect(Object.keys(net.blobs)).toEqual(facts.blob_names)
    const data = facts.blobs_after_forward.find(blob => blob.name === 'data')!
    await net.forward({ data: golden.array(data), label: facts.labels })
    for (const blob of facts.blobs_after_forward) {
      expect(net.blobs[blob.name].shape).toEqual(blob.shape)
      expectClose(net.blobs[blob.name].dataArray, golden.array(blob), facts.rtol, facts.atol, blob.name)
    }
    await net.backward()
    for (const blob of facts.blob_diffs_after_backward)
      expectClose(net.blobs[blob.name].diffArray, golden.array(blob), facts.rtol, facts.atol, `${blob.name} diff`)
    for (const [layer, params] of Object.entries(facts.param_diffs_after_backward))
      params.forEach((param, i) =>
        expectClose(net.params[layer][i].diffArray, golden.array(param), facts.rtol, facts.atol, `${layer}[${i}] diff`),
      )
    net.dispose()
  })
})

test('saving and loading again changes no bit, and the copy can be read from bytes', { tags: 'long' }, async () => {
  const net = await Net.create(path('lenet.prototxt'), { weights: path('lenet.caffemodel'), engine: 'js', seed: 1 })
  const bytes = await net.toBytes()
  const copy = await Net.create(path('lenet.prototxt'), { weights: bytes, engine: 'js', seed: 2 })
  for (const [layer, params] of Object.entries(net.params))
    params.forEach((blob, i) => expect(copy.params[layer][i].dataArray, `${layer}[${i}]`).toEqual(blob.dataArray))
})

test('an old V1 model loads and computes what Caffe computes', async () => {
  const legacy = new Golden<{
    params: Record<string, GoldenArray[]>
    inputs: (GoldenArray & { name: string })[]
    outputs: (GoldenArray & { name: string })[]
    rtol: number
    atol: number
  }>('nets/legacy_v1')
  const { params, inputs, outputs, rtol, atol } = legacy.json
  const weights = new Uint8Array(readFileSync(goldenPath('nets/legacy_v1.caffemodel')))
  const net = await Net.create(goldenPath('nets/prototxt/v1.prototxt'), {
    phase: 'TEST',
    weights,
    engine: 'js',
    seed: 1,
  })
  for (const [layer, blobs] of Object.entries(params))
    blobs.forEach((blob, i) => expectClose(net.params[layer][i].dataArray, legacy.array(blob), 0, 0, `${layer}[${i}]`))
  const out = await net.forward(Object.fromEntries(inputs.map(input => [input.name, legacy.array(input)])))
  for (const output of outputs) expectClose(out[output.name].data, legacy.array(output), rtol, atol, output.name)
})
