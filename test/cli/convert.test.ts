import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { Net } from '../../lib/net.js'
import { readGraph } from '../../lib/onnx/read.js'
import { parseNet } from '../../lib/proto/text.js'
import { goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const model = goldenPath('io/classifier.prototxt')
const weights = goldenPath('io/classifier.caffemodel')

describe('convert to ONNX', () => {
  it('writes a net with its weights, for any batch', async () => {
    const { code, out, err } = await cli(
      'convert',
      model,
      weights,
      at('net.onnx'),
      '--meta',
      'mean=1,2=3',
      '--meta',
      'order=BGR',
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const graph = await readGraph(readFileSync(at('net.onnx')))
    const net = await Net.create(model, { engine: 'js', weights })
    expect(graph.inputs.map(({ name, shape }) => [name, shape?.[0]])).toEqual([[net.inputs[0], 'N']])
    expect(graph.outputs.map(({ name }) => name)).toEqual([...net.outputs])
    expect(graph.metadata).toEqual(
      new Map([
        ['mean', '1,2=3'],
        ['order', 'BGR'],
      ]),
    )
    const [layer] = Object.keys(net.params)
    expect([...graph.initializers.get(`${layer}_0`)!.data]).toEqual([...net.params[layer][0].dataArray])
    expect(out.split('\n')[0]).toMatch(/net\.onnx: \d+ nodes of opset 13, 0\.\d\d MB$/)
    expect(out.split('\n')[2]).toMatch(/^Read again, it differs by \d\.\de[+-]\d of the largest value at most$/)
    expect(out.split('\n')[1]).toMatch(new RegExp(`^${net.inputs[0]} \\[N, .*\\] → ${net.outputs[0]} \\[N, \\d+\\]$`))
  })

  describe('of a net that is trained', () => {
    const text = `
      layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
        transform_param { crop_size: 4 } data_param { source: "none" batch_size: 8 } }
      layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
        transform_param { crop_size: 4 } data_param { source: "none" batch_size: 8 } }
      layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }`
    beforeAll(async () => {
      writeFileSync(at('train_val.prototxt'), text)
      const deploy = await Net.deploy(parseNet(text), { engine: 'js', seed: 3, shapes: { data: [3, 4, 4] } })
      await deploy.save(at('net.caffemodel'))
    })

    it('writes the deploy net, without its data', async () => {
      const { code } = await cli(
        'convert',
        at('train_val.prototxt'),
        at('net.caffemodel'),
        at('deploy.onnx'),
        '--batch',
        'fixed',
        '--shape',
        'data=2,3,4,4',
      )
      expect(code).toBe(0)
      const { inputs, outputs, nodes } = await readGraph(readFileSync(at('deploy.onnx')))
      expect(inputs).toEqual([{ name: 'data', type: 'float', shape: [2, 3, 4, 4] }])
      expect(outputs.map(({ name }) => name)).toEqual(['prob'])
      expect(nodes.map(({ op }) => op)).toEqual(['Reshape', 'Gemm', 'Softmax'])
    })

    it('refuses weights that are not all there', async () => {
      const other = at('other.prototxt')
      writeFileSync(
        other,
        `input: "data" input_shape { dim: 1 dim: 3 dim: 4 dim: 4 }
        layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }
        layer { name: "more" type: "InnerProduct" bottom: "ip" top: "more" inner_product_param { num_output: 2 } }`,
      )
      const { code, err } = await cli('convert', other, at('net.caffemodel'), at('other.onnx'))
      expect({ code, err: err.trim().split(': ').at(-1) }).toEqual({
        code: 1,
        err: `${at('net.caffemodel')} has no weights for more`,
      })
      const forgotten = await cli('convert', other, at('other.onnx'))
      expect({ code: forgotten.code, err: forgotten.err }).toEqual({
        code: 1,
        err: expect.stringMatching(/which weights\? ip, more of .* give the \.caffemodel .* or --untrained/),
      })
      expect(existsSync(at('other.onnx'))).toBe(false)
      const unweighted = await cli('convert', other, at('other.onnx'), '--output-blobs', 'ip', '--untrained')
      expect(unweighted.code).toBe(0)
      expect(unweighted.err).toBe('No weights are given: the model gets those of the fillers\n')
      expect((await readGraph(readFileSync(at('other.onnx')))).outputs.map(({ name }) => name)).toEqual(['ip'])
    })
  })

  it('says why a model is not compared, and does not compare where it is not asked to', async () => {
    const folderOf = goldenPath('../golden-forks/nets/ssd_mobilenet/ssd_mobilenet')
    const words = [`${folderOf}.prototxt`, `${folderOf}.caffemodel`, at('ssd.onnx'), '--shape', 'data=1,3,48,48']
    const { code, out, err } = await cli('convert', ...words)
    expect(code).toBe(0)
    expect(out).toMatch(/^data \[1, 3, 48, 48\] → .* \[1, 1, \?, 7\]$/m)
    expect(err).toMatch(/ssd\.onnx is not compared with the net: .* no layer does what \w+ does/)
    const quiet = await cli('convert', ...words, '--no-check', '--batch', 'fixed')
    expect({ code: quiet.code, err: quiet.err }).toEqual({ code: 0, err: '' })
  })

  it.each([
    [['net.onnx'], 'convert takes a prototxt'],
    [[model, weights, 'net.pb'], 'convert takes a prototxt'],
    [[model, weights, at('x.onnx'), '--meta', 'mean'], 'It must be a name, = and a value'],
    [[model, weights, at('x.onnx'), '--shape', 'date=1,2'], '--shape date: the net has no such input'],
    [[model, weights, at('x.onnx'), '--shape', 'data'], 'It must be a name, = and sizes'],
    [['missing.prototxt', at('x.onnx')], "file not found: 'missing.prototxt'"],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await cli('convert', ...words)
    expect(code).not.toBe(0)
    expect(err).toContain(message)
  })
})

describe('convert from ONNX', () => {
  it('writes a prototxt and its weights, which are the net again', async () => {
    await cli('convert', model, weights, at('there.onnx'), '--meta', 'mean=1\n2', '--batch', 'dynamic')
    const back = [at('back.prototxt'), at('back.caffemodel')] as const
    const { code, out, err } = await cli('convert', at('there.onnx'), ...back, '--dim', 'N=2', '--freeze', '*')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/back\.prototxt: \d+ layers, \d+ nodes were computed\n.*back\.caffemodel: \d\.\d\d MB\n/)
    expect(out).toMatch(/^Read again, it differs by \d\.\de[-+]\d+ of the largest value at most$/m)
    const unchecked = await cli('convert', at('there.onnx'), ...back, '--dim', 'N=2', '--freeze', '*', '--no-check')
    expect(unchecked.out).not.toMatch(/Read again/)
    const text = readFileSync(back[0], 'utf8')
    expect(text).toMatch(/^# onnx: mean = 1\\n2\n/)
    expect(text).toMatch(/lr_mult: 0/)
    const net = await Net.create(back[0], { engine: 'js', weights: back[1] })
    const there = await Net.create(at('there.onnx'), { engine: 'js', dims: { N: 2 } })
    expect(net.inputs).toEqual(there.inputs)
    for (const [name, blobs] of Object.entries(there.params))
      blobs.forEach((blob, i) => {
        expect([...net.params[name][i].dataArray]).toEqual([...blob.dataArray])
      })
  })

  it.each([
    [['a.onnx', 'b.prototxt'], /convert turns a model into a net and its weights/],
    [['nowhere.onnx', 'b.prototxt', 'b.caffemodel'], /nowhere\.onnx/],
  ])('refuses %j', async (files, message) => {
    const { code, err } = await cli('convert', ...files)
    expect(code).not.toBe(0)
    expect(err).toMatch(message)
  })

  it('says what Caffe itself has none of, and refuses it where that is asked for', async () => {
    const swish = at('swish.prototxt')
    writeFileSync(swish, `${inputLayer('x', '1×2')} layer { name: "y" type: "HardSwish" bottom: "x" top: "y" }`)
    // nothing in it learns: no weights are asked for
    expect((await cli('convert', swish, at('swish.onnx'))).code).toBe(0)
    const files = [at('swish.onnx'), at('s.prototxt'), at('s.caffemodel')]
    expect((await cli('convert', ...files)).err).toMatch(/Caffe itself has none of HardSwish/)
    const { code, err } = await cli('convert', ...files, '--strict-caffe')
    expect([code === 0, err]).toEqual([false, expect.stringMatching(/Caffe itself has none of HardSwish/)])
  })
})
