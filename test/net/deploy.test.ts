/** The net that is used, of the net that is trained. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { createSolver, Net, NetError, parseNet, parseSolver, printNet } from '../../lib/index.js'
import { deployNet } from '../../lib/net/deploy.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { inputLayer } from '../shapes.js'

const BODY = `
  layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" param { lr_mult: 1 } param { lr_mult: 2 } inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
  layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
  layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }`
const JUDGES = `
  layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" include { phase: TEST } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }`
const data = (transform: string, phase: string) =>
  `layer { name: "mnist" type: "Data" top: "data" top: "label" include { phase: ${phase} } transform_param { ${transform} } data_param { source: "train_db" backend: LMDB batch_size: 64 } }`

const names = (net: { layer?: { name?: string }[] }) => net.layer?.map(({ name }) => name)
const inputs = (net: ReturnType<typeof parseNet>) =>
  net.layer?.[0].input_param?.shape?.map(({ dim }, i) => [net.layer![0].top![i], ...dim!])

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deploy-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('deployNet', () => {
  test('data layers become one input, the loss a softmax; labels, accuracy, rules and rates are gone', async () => {
    const net = parseNet(
      `name: "n" ${data('crop_size: 4 mean_value: 1 mean_value: 2 mean_value: 3', 'TRAIN')} ${data('crop_size: 4 mean_value: 1 mean_value: 2 mean_value: 3', 'TEST')} ${BODY} ${JUDGES}`,
    )
    const deploy = await deployNet(net)
    expect(names(deploy)).toEqual(['data', 'ip1', 'relu1', 'ip2', 'prob'])
    expect(inputs(deploy)).toEqual([['data', 1, 3, 4, 4]])
    expect(printNet(deploy)).not.toMatch(/lr_mult|include|label|loss/)
    expect(deploy.layer?.at(-1)).toEqual({ name: 'prob', type: 'Softmax', bottom: ['ip2'], top: ['prob'] })
    expect(names(net)).toHaveLength(7)
  })

  test('transform, shapes and batch are what the caller says', async () => {
    const net = parseNet(`${data('', 'TEST')} ${BODY} ${JUDGES}`)
    await expect(deployNet(net)).rejects.toThrow(NetError)
    await expect(deployNet(net)).rejects.toThrow("input 'data': layer 'mnist' (Data) does not say how large")
    expect(inputs(await deployNet(net, { shapes: { data: [1, 6, 5] }, batch: 7 }))).toEqual([['data', 7, 1, 6, 5]])
    expect(inputs(await deployNet(net, { transform: { crop_size: 3, force_gray: true } }))).toEqual([
      ['data', 1, 1, 3, 3],
    ])
  })

  test('a net of all stages is filtered by deploy', async () => {
    const net = parseNet(`
      layer { name: "train-data" type: "Data" top: "scaled" top: "label" include { stage: "train" } transform_param { scale: 0.5 crop_size: 4 force_gray: true } data_param { source: "x" batch_size: 2 } }
      layer { name: "scale" type: "Power" bottom: "data" top: "scaled" power_param { scale: 0.5 } include { stage: "deploy" } }
      ${BODY.replaceAll('"data"', '"scaled"')}
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" exclude { stage: "deploy" } }
      layer { name: "softmax" type: "Softmax" bottom: "ip2" top: "softmax" include { stage: "deploy" } }`)
    const deploy = await deployNet(net)
    expect(names(deploy)).toEqual(['data', 'scale', 'ip1', 'relu1', 'ip2', 'softmax'])
    expect(inputs(deploy)).toEqual([['data', 1, 1, 4, 4]])
  })

  test('losses that only help go with their branch, others stay; a softmax that is there is not added', async () => {
    const net =
      parseNet(`${data('crop_size: 4 force_gray: true', 'TRAIN')} ${data('crop_size: 4 force_gray: true', 'TEST')} ${BODY}
      layer { name: "aux" type: "InnerProduct" bottom: "ip1" top: "aux" inner_product_param { num_output: 3 } }
      layer { name: "loss1" type: "SoftmaxWithLoss" bottom: "aux" bottom: "label" top: "loss1" loss_weight: 0.3 }
      layer { name: "boxes" type: "InnerProduct" bottom: "ip1" top: "boxes" inner_product_param { num_output: 4 } }
      layer { name: "where" type: "EuclideanLoss" bottom: "boxes" bottom: "label" top: "where" loss_weight: 0.1 }
      layer { name: "p" type: "Softmax" bottom: "ip2" top: "p" include { phase: TEST } }
      ${JUDGES}`)
    expect(names(await deployNet(net))).toEqual(['data', 'ip1', 'relu1', 'ip2', 'boxes', 'p'])
  })

  test('labels that are computed, a loss of the training alone, silence and sigmoid', async () => {
    const net =
      parseNet(`${data('crop_size: 4 force_gray: true', 'TRAIN')} ${data('crop_size: 4 force_gray: true', 'TEST')}
      layer { name: "cut" type: "Slice" bottom: "label" top: "a" top: "b" slice_param { axis: 1 } }
      layer { name: "quiet" type: "Silence" bottom: "b" }
      ${BODY}
      layer { name: "loss" type: "SigmoidCrossEntropyLoss" bottom: "ip2" bottom: "a" top: "loss" include { phase: TRAIN } }`)
    expect(names(await deployNet(net))).toEqual(['data', 'ip1', 'relu1', 'ip2', 'prob'])
    expect((await deployNet(net)).layer?.at(-1)?.type).toBe('Sigmoid')
  })

  test('what is silenced stays no output where a part beside it is needed', async () => {
    const net = parseNet(`${inputLayer('x', '1×4')}
      layer { name: "cut" type: "Slice" bottom: "x" top: "a" top: "b" slice_param { axis: 1 } }
      layer { name: "quiet" type: "Silence" bottom: "b" } layer { name: "y" type: "ReLU" bottom: "a" top: "y" }`)
    const deploy = await deployNet(net)
    expect(names(deploy)).toEqual(['x', 'cut', 'y', 'quiet'])
    const made = await Net.create(deploy, { engine: 'js', phase: 'TEST' })
    expect(made.outputs).toEqual(['y'])
    made.dispose()
  })

  test('a deploy net stays as it is; shared weights keep their names', async () => {
    const text = `${inputLayer('x', '10×4')}
      layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" lr_mult: 2 } inner_product_param { num_output: 4 bias_term: false } }
      layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" } inner_product_param { num_output: 4 bias_term: false } }`
    const deploy = await deployNet(parseNet(text))
    expect(inputs(deploy)).toEqual([['x', 10, 4]])
    expect(deploy.layer?.[1].param).toEqual([{ name: 'w' }])
    await expect(deployNet(parseNet('layer { name: "d" type: "Silence" bottom: "q" }'))).rejects.toThrow(
      'no layer is left',
    )
  })
})

describe('Net.deploy and solver.deploy', () => {
  const item = (value: number) => Uint8Array.from({ length: 2 * 3 }, (_, i) => value + i)
  const paths = () => ({ db: join(folder, 'train_db'), net: join(folder, 'train_val.prototxt') })

  beforeAll(async () => {
    const { db, net } = paths()
    const writer = await LmdbWriter.create(db)
    for (let i = 0; i < 4; i++)
      writer.put(
        `0000${i}`,
        writeMessage('Datum', { channels: 1, height: 2, width: 3, data: item(40 * i), label: i % 3 }),
      )
    await writer.finish()
    await writeFile(join(folder, 'labels.txt'), 'cat\ndog\nbird house\n')
    const layer = (phase: string) =>
      data('scale: 0.5 mean_value: 10', phase).replace('"train_db"', JSON.stringify(db)).replace('64', '2')
    await writeFile(net, `${layer('TRAIN')} ${layer('TEST')} ${BODY} ${JUDGES}`)
  })

  test('sizes come from the database, classes from labels.txt, the preparation from transform_param', async () => {
    const net = await Net.deploy(paths().net, { seed: 1 })
    expect(net.blobs['data'].shape).toEqual([1, 1, 2, 3])
    expect(net.outputs).toEqual(['prob'])
    expect(net.labels).toEqual(['cat', 'dog', 'bird house'])
    expect(await net.preparation()).toEqual({
      channels: 1,
      height: 2,
      width: 3,
      resize: [2, 3],
      fit: 'squash',
      order: 'BGR',
      scale: 0.5,
      meanValues: [10],
    })
    net.dispose()
  })

  test('a solver deploys what it has learned: the same predictions as its test net', async () => {
    const solver = await createSolver(
      parseSolver(
        `net: ${JSON.stringify(paths().net)} base_lr: 0.01 lr_policy: "fixed" max_iter: 3 random_seed: 3 test_iter: 1 test_interval: 10`,
      ),
    )
    await solver.step(3)
    const deployed = await solver.deploy()
    const { ip2 } = await solver.testNets[0].forward({}, { blobs: ['ip2', 'data'] })
    const input = solver.testNets[0].blobs['data'].dataArray.slice(0, 6)
    const out = await deployed.forward({ data: input }, { blobs: ['ip2'] })
    // a batch of another size may add in another order
    out['ip2'].data.forEach((value, i) => expect(value).toBeCloseTo(ip2.data[i], 4))
    expect(out['ip2'].data).toHaveLength(3)
    expect(deployed.engine.name).toBe('wasm')
    deployed.dispose()
    solver.dispose()
  })

  test('without the data the weights know the channels, and what is not known is said', async () => {
    const text = `layer { name: "d" type: "Data" top: "data" top: "label" transform_param { crop_size: 8 } data_param { source: "gone" batch_size: 2 } }
      layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 2 kernel_size: 3 } }
      layer { name: "loss" type: "EuclideanLoss" bottom: "conv" bottom: "label" }`
    await expect(Net.deploy(parseNet(text))).rejects.toThrow("input 'data': the size of its items is not known")
    const trained = await Net.create(
      parseNet(`${inputLayer('data', '1×3×8×8')}
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 2 kernel_size: 3 } }`),
    )
    const net = await Net.deploy(parseNet(text), { weights: await trained.toBytes() })
    expect(net.blobs['data'].shape).toEqual([1, 3, 8, 8])
    net.dispose()
    trained.dispose()
  })
})
