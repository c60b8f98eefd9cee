import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const write = (name: string, text: string) => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
const lenet = goldenPath('nets/lenet/lenet.prototxt')

const summary = async (...argv: string[]) => {
  const { code, out, err } = await cli('summarize', ...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const parsed = JSON.parse(out)
  const layers = Object.fromEntries(parsed.layers.map((layer: { name: string }) => [layer.name, layer]))
  return { ...parsed, layers }
}

describe('summarize', () => {
  it('counts LeNet', async () => {
    const { layers, params, multiplyAdds, memory } = await summary(lenet)
    expect(params).toBe(20 * 25 + 20 + 50 * 20 * 25 + 50 + 500 * 800 + 500 + 10 * 500 + 10)
    // 16 pictures
    expect(multiplyAdds).toBe(16 * (20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 500 * 800 + 10 * 500))
    expect(memory.params).toBe(4 * params)
    expect(layers.conv2).toMatchObject({
      type: 'Convolution',
      bottoms: ['pool1'],
      shapes: [[16, 50, 8, 8]],
      paramShapes: [[50, 20, 5, 5], [50]],
      memory: 4 * 16 * 50 * 64,
      multiplyAdds: 16 * 50 * 64 * 500,
    })
    // in place
    expect(layers.relu1).toMatchObject({ memory: 0, params: 0, multiplyAdds: 0 })
    // as the file says it, not as splits make it
    expect(layers.loss.bottoms).toEqual(['ip2', 'label'])
    expect(Object.keys(layers).some(name => name.includes('split'))).toBe(false)
  })

  it('prints a table', async () => {
    const { out } = await cli('summarize', lenet)
    const lines = out.split('\n')
    expect(lines[0]).toBe('LeNet, phase TEST: 12 layers')
    expect(lines.find(line => line.startsWith('conv1'))).toMatch(
      /^conv1 +Convolution +data → conv1 +16×20×24×24 +520 +720 kB +4,608,000$/,
    )
    expect(lines.find(line => line.startsWith('total'))).toMatch(/^total +431,080 .*MB +36,688,000$/)
    expect(out).toMatch(/\nMemory: 1\.64 MB params/)
  })

  it('groups, deconvolutions, transposed and shared weights, recurrent nets', async () => {
    const model = write(
      'kinds.prototxt',
      `${inputLayer('x', '2×4×6×6')}
       layer { name: "group" type: "Convolution" bottom: "x" top: "g" convolution_param { num_output: 8 kernel_size: 3 group: 2 } }
       layer { name: "deconv" type: "Deconvolution" bottom: "g" top: "d" convolution_param { num_output: 5 kernel_size: 2 stride: 2 } }
       layer { name: "wide" type: "InnerProduct" bottom: "d" top: "w" param { name: "shared" } inner_product_param { num_output: 7 transpose: true bias_term: false } }
       layer { name: "again" type: "InnerProduct" bottom: "d" top: "w2" param { name: "shared" } inner_product_param { num_output: 7 transpose: true bias_term: false } }
       layer { name: "t" type: "Input" top: "t" top: "cont" top: "s" input_param { shape { dim: 5 dim: 2 dim: 3 } shape { dim: 5 dim: 2 } shape { dim: 2 dim: 6 } } }
       layer { name: "lstm" type: "LSTM" bottom: "t" bottom: "cont" bottom: "s" top: "l" recurrent_param { num_output: 4 } }
       layer { name: "rnn" type: "RNN" bottom: "t" bottom: "cont" top: "r" recurrent_param { num_output: 4 } }`,
    )
    const { layers, params } = await summary(model)
    const counts = (name: string) => layers[name].multiplyAdds
    expect(counts('group')).toBe(2 * 8 * 4 * 4 * (4 / 2) * 9)
    expect(counts('deconv')).toBe(2 * 8 * 4 * 4 * 5 * 4)
    expect(counts('wide')).toBe(2 * 5 * 8 * 8 * 7)
    expect(layers.again).toMatchObject({ params: 0, sharedParams: 320 * 7, multiplyAdds: counts('wide') })
    // 5 steps of 2 sequences: 16 gates × 3 inputs and × 4 states; 16 × 6 once a sequence
    expect(counts('lstm')).toBe(5 * 2 * (16 * 3 + 16 * 4) + 2 * 16 * 6)
    expect(counts('rnn')).toBe(5 * 2 * (4 * 3 + 4 * 4 + 4 * 4))
    expect(params).toBe(
      8 * 2 * 9 + 8 + 8 * 5 * 4 + 5 + 320 * 7 + (16 * 3 + 16 + 16 * 6 + 16 * 4) + (4 * 3 + 4 + 4 * 4 + 4 * 4 + 4),
    )
  })

  it('puts inputs in place of data that is not there', async () => {
    const model = write(
      'data.prototxt',
      `layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "nowhere" batch_size: 64 backend: LMDB } }
       layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 10 } }
       layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" include { phase: TRAIN } }`,
    )
    const { layers } = await summary(model, '--phase', 'train', '--shape', 'data=3,1,4,4', '-shape=label=3')
    expect(layers.ip.shapes).toEqual([[3, 10]])
    expect(layers.loss).toBeDefined()
    for (const [argv, code, message] of [
      [[], 1, "file not found: 'nowhere/data.mdb' (looked in the working directory"],
      [[], 1, '--shape data=… --shape label=… puts inputs in its place'],
      [['--shape', 'data=3,1,4,4'], 1, "layer 'd' also makes 'label'"],
      [['--shape', 'picture=1'], 1, "no layer without inputs makes 'picture'"],
      [['--shape', 'data=big'], 2, 'data=10,3,227,227'],
    ] as const)
      expect(await cli('summarize', model, ...argv)).toMatchObject({ code, err: expect.stringContaining(message) })
  })

  it('a deploy net for another batch', async () => {
    expect((await summary(lenet, '--shape', 'data=3,1,28,28', '--shape', 'label=3')).layers.ip2.shapes).toEqual([
      [3, 10],
    ])
  })
})

describe('draw', () => {
  it.each([
    ['svg', /^<svg[\s\S]*conv1[\s\S]*<\/svg>\s*$/],
    ['dot', /^digraph[\s\S]*conv1/],
    ['mmd', /^flowchart TB[\s\S]*conv1/],
  ])('.%s', async (extension, expected) => {
    const file = join(folder, `lenet.${extension}`)
    const { code, out } = await cli('draw', lenet, file, '-rankdir', 'tb')
    expect({ code, out }).toEqual({ code: 0, out: `Drawing net to ${file}\n` })
    expect(readFileSync(file, 'utf8')).toMatch(expected)
  })

  it.each([
    [[lenet, 'lenet.pdf'], 1, 'a net is drawn as .svg, .dot or .mmd'],
    [['missing.prototxt', 'x.svg'], 1, "file not found: 'missing.prototxt'"],
    [[lenet, 'x.svg', '--phase', 'night'], 2, 'Allowed choices are TRAIN, TEST, ALL'],
  ])('%j', async (argv, code, message) => {
    expect(await cli('draw', ...argv)).toMatchObject({ code, err: expect.stringContaining(message) })
  })
})
