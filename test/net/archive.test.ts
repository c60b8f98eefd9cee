/** Models in one file: written, read, of DIGITS, and made by somebody who means harm. Bytes in, bytes out. */
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isArchive, readArchive, writeZip } from '../../lib/data/archive.js'
import { FormatError, Net, NetError, type Preparation, parseNet } from '../../lib/index.js'
import { modelArchive, readModelArchive } from '../../lib/net/archive.js'
import { printNet } from '../../lib/proto/print.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { Classifier } from '../../lib/pycaffe/index.js'
import { inputLayer } from '../shapes.js'
import { tar } from '../tar.js'

const TEXT = `name: "small"
  ${inputLayer('data', '2×3×4×4')}
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }`
const mean = { shape: [3, 6, 6] as const, data: Float32Array.from({ length: 108 }, (_, i) => i) }
const preparation: Preparation = {
  channels: 3,
  height: 4,
  width: 4,
  resize: [6, 6],
  fit: 'crop',
  order: 'RGB',
  scale: 0.01,
  meanValues: [],
  mean,
}
const labels = ['a cat', 'Hund 🐕', '鳥']
const files = false

let net: Net
let picture: Uint8Array
beforeAll(async () => {
  net = await Net.create(parseNet(TEXT), { seed: 4, engine: 'js' })
  const rgb = Uint8Array.from({ length: 9 * 7 * 3 }, (_, i) => (i * 37) % 256)
  picture = new Uint8Array(
    await sharp(rgb, { raw: { width: 9, height: 7, channels: 3 } })
      .png()
      .toBuffer(),
  )
})
afterAll(() => net.dispose())

describe('a model in one file', () => {
  test('comes back with weights, classes, preparation and sources; the same model gives the same bytes', {
    tags: 'long',
  }, async () => {
    const extras = { solver: 'base_lr: 0.1\n', trainVal: TEXT, layers: { 'own.js': 'export {}' } }
    const bytes = await net.toBytes({ format: 'zip', labels, preparation, ...extras })
    expect(await net.toBytes({ format: 'zip', labels, preparation, ...extras })).toEqual(bytes)
    const { info, weights, deploy, ...rest } = await readModelArchive(bytes, 'model.zip')
    expect(rest).toEqual({ name: 'small', labels, preparation, ...extras })
    expect(info).toMatchObject({ framework: 'ristretto', 'image dimensions': [6, 6, 3], 'image resize mode': 'crop' })
    expect(info['layers']).toEqual([{ file: 'layers/own.js', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    const loaded = await Net.load(bytes, { engine: 'js', files })
    expect(loaded.labels).toEqual(labels)
    expect(await loaded.preparation()).toEqual(preparation)
    expect([...loaded.params['ip'][0].dataArray]).toEqual([...net.params['ip'][0].dataArray])
    expect(loaded.blobs['data'].shape).toEqual([2, 3, 4, 4])
    loaded.dispose()
  })

  test('Classifier.load needs nothing else, and names the classes, best first', async () => {
    const classifier = await Classifier.load(await net.toBytes({ format: 'zip', labels, preparation }), { files })
    const [best, again] = await classifier.classify([picture, picture], { top: 2 })
    expect(best.map(({ probability }) => probability)).toEqual(
      best.map(({ probability }) => probability).sort((a, b) => b - a),
    )
    expect(best).toHaveLength(2)
    expect(labels[best[0].index]).toBe(best[0].label)
    expect(again).toEqual(best)
    const [row] = await classifier.net.predict([picture])
    expect(row[best[0].index]).toBe(best[0].probability)
    classifier.dispose()
  })

  test('a training net is saved as its deploy net', async () => {
    const training = await Net.create(
      parseNet(`${TEXT.replace(/layer { name: "prob".*/, '')}
        ${inputLayer('label', '2')}
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`),
      { engine: 'js', phase: 'TRAIN' },
    )
    const loaded = await Net.load(await training.toBytes({ format: 'zip' }), { engine: 'js', files })
    expect(loaded.inputs).toEqual(['data'])
    expect(loaded.outputs).toEqual(['prob'])
    expect([...loaded.params['ip'][0].dataArray]).toEqual([...training.params['ip'][0].dataArray])
    loaded.dispose()
    training.dispose()
  })

  test('what would come back as something else is refused: names with line breaks, two sources of one name', async () => {
    const save = (options: object) => net.toBytes({ format: 'zip', ...options })
    await expect(save({ labels: ['a', 'b\nc'] })).rejects.toThrow('the name of class 1 has a line break')
    await expect(save({ labels: ['a\r', 'b'] })).rejects.toThrow('the name of class 0 has a line break')
    const twice = save({ layers: { 'one/index.js': '1', 'two\\index.js': '2' } })
    await expect(twice).rejects.toThrow("both be 'layers/index.js'")
    for (const name of ['', '.', 'own/..'])
      await expect(save({ layers: { [name]: '' } })).rejects.toThrow('is no name of a file')
  })

  test('weights that are not those of the net are an error, and so is a custom layer that nobody registered', async () => {
    const deploy = parseNet(TEXT)
    const weights = await net.toBytes()
    const renamed = parseNet(TEXT.replace('name: "ip"', 'name: "other"'))
    const load = async (parts: Parameters<typeof modelArchive>[0]) =>
      Net.load(await modelArchive(parts), { engine: 'js', files })
    await expect(load({ name: '', deploy: renamed, weights })).rejects.toThrow('no layer of the source has the name')
    const more = parseNet(
      `${TEXT} layer { name: "new" type: "InnerProduct" bottom: "prob" top: "new" inner_product_param { num_output: 1 } }`,
    )
    await expect(load({ name: '', deploy: more, weights })).rejects.toThrow('its weights lack those of new')
    const own = parseNet(`${TEXT} layer { name: "x" type: "NobodysLayer" bottom: "prob" top: "x" }`)
    const failed = load({ name: '', deploy: own, weights, layers: { 'x.ts': '' } })
    await expect(failed).rejects.toThrow(NetError)
    await expect(failed).rejects.toThrow('holds the sources of custom layers (x.ts), which are programs')
    expect(deploy.layer).toHaveLength(3)
  })
})

describe('archives of DIGITS', () => {
  const deploy = `input: "data" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4
    ${TEXT.split('\n').slice(2).join('\n')}`
  const binaryproto = writeMessage('BlobProto', { num: 1, channels: 3, height: 6, width: 6, data: mean.data })
  const info = {
    'deploy file': 'deploy.prototxt',
    framework: 'caffe',
    'image dimensions': [6, 6, 3],
    'image resize mode': 'half_crop',
    'labels file': 'labels.txt',
    'mean file': 'mean.binaryproto',
    'snapshot file': 'snapshot_iter_60.caffemodel',
  }
  const contents = async (extra: Record<string, string> = {}) => ({
    'deploy.prototxt': deploy,
    'labels.txt': `${labels.join('\n')}\n`,
    'mean.binaryproto': binaryproto,
    'snapshot_iter_60.caffemodel': await net.toBytes(),
    ...extra,
    'info.json': JSON.stringify(info, undefined, 4),
  })

  test('a .tar.gz gives net, weights, classes, and pictures as DIGITS prepares them', async () => {
    const loaded = await Net.load(new Uint8Array(gzipSync(tar(await contents()))), { engine: 'js', files })
    expect(loaded.labels).toEqual(labels)
    expect(await loaded.preparation()).toEqual({
      channels: 3,
      height: 4,
      width: 4,
      resize: [6, 6],
      fit: 'half-crop',
      order: 'BGR',
      scale: 1,
      meanValues: [17.5, 53.5, 89.5],
    })
    expect([...loaded.params['ip'][0].dataArray]).toEqual([...net.params['ip'][0].dataArray])
    expect((await loaded.predict([picture]))[0]).toHaveLength(3)
    loaded.dispose()
  })

  test('its training net says which mean is taken off; a .zip will do, without info.json too', async () => {
    const layer = (transform: string) =>
      `layer { name: "d" type: "Data" top: "data" top: "label" transform_param { scale: 0.5 ${transform} } data_param { source: "x" } }`
    const read = async (extra: Record<string, string>) => {
      const { 'info.json': _, ...rest } = await contents(extra)
      const zip = zipSync(
        Object.fromEntries(
          Object.entries(rest).map(([name, value]) => [
            name,
            typeof value === 'string' ? new TextEncoder().encode(value) : value,
          ]),
        ),
      )
      return (await readModelArchive(zip, 'x.zip')).preparation
    }
    expect(await read({ 'train_val.prototxt': layer('mean_file: "/gone/mean.binaryproto"') })).toMatchObject({
      mean,
      meanValues: [],
      scale: 1,
    })
    expect(await read({ 'train_val.prototxt': layer('mean_value: 5') })).toMatchObject({ meanValues: [5] })
    const none = await read({ 'train_val.prototxt': layer('') })
    expect(none).toMatchObject({ meanValues: [], resize: [6, 6] })
    expect(none).not.toHaveProperty('mean')
  })

  test('models of others, and what is missing', async () => {
    const without = async (name: string) => {
      const all: Record<string, string | Uint8Array> = await contents()
      delete all[name]
      delete all['info.json']
      return readModelArchive(tar(all), 'm.tar')
    }
    await expect(without('deploy.prototxt')).rejects.toThrow('m.tar: it holds no deploy.prototxt; its files are')
    await expect(without('snapshot_iter_60.caffemodel')).rejects.toThrow('holds no .caffemodel')
    const torch = tar({ ...(await contents()), 'info.json': '{"framework": "torch"}' })
    await expect(readModelArchive(torch, 'm.tar')).rejects.toThrow('its model is of torch')
    const later = tar({ 'info.json': '{"format": "ristretto model", "version": 2}' })
    await expect(readModelArchive(later, 'm.tar')).rejects.toThrow('version 2; this library reads version 1')
    await expect(readModelArchive(tar({ 'info.json': '{' }), 'm.tar')).rejects.toThrow('info.json is no JSON')
  })
})

describe('hostile archives', () => {
  const some = new Uint8Array(1000).fill(7)

  test.each(['../up', '/root', 'C:/x', 'a/../../b', 'a\\..\\..\\b'])('the name %j leads out', async name => {
    await expect(readArchive(zipSync({ [name]: some }), 'h.zip')).rejects.toThrow(FormatError)
    await expect(readArchive(tar({ [name]: some }), 'h.tar')).rejects.toThrow('leads out of the archive')
  })

  test('what would unpack to more than is allowed is not unpacked', { tags: 'long' }, async () => {
    const zeros = new Uint8Array(10_000_000)
    await expect(readArchive(zipSync({ a: zeros }), 'bomb.zip', 1_000_000)).rejects.toThrow(
      'at most 1000000 are unpacked',
    )
    const bomb = new Uint8Array(gzipSync(tar({ a: zeros })))
    await expect(readArchive(bomb, 'bomb.tar.gz', 1_000_000)).rejects.toThrow('would unpack to more than 1000000 bytes')
    // a directory that lies about the size
    const lying = zipSync({ a: zeros })
    const view = new DataView(lying.buffer)
    const directory = view.getUint32(lying.length - 6, true)
    view.setUint32(directory + 24, 500, true)
    await expect(readArchive(lying, 'lying.zip', 1_000_000)).rejects.toThrow(FormatError)
  })

  test('every cut and every flipped byte is a FormatError or harmless', { tags: 'long' }, async () => {
    const zip = await writeZip(
      new Map([
        ['a.txt', some],
        ['b.caffemodel', some.slice(0, 50)],
      ]),
    )
    expect(isArchive(zip)).toBe(true)
    for (let n = 4; n < zip.length; n++)
      await expect(readArchive(zip.slice(0, n), 'cut.zip')).rejects.toThrow(FormatError)
    for (let i = 0; i < zip.length; i++) {
      const bytes = zip.slice()
      bytes[i] ^= 0x55
      const read = await readArchive(bytes, 'flipped.zip').catch((error: unknown) => error)
      if (read instanceof Map)
        for (const content of read.values()) expect([some, some.slice(0, 50)]).toContainEqual(content)
      else expect(read).toBeInstanceOf(FormatError)
    }
    const whole = tar({ a: some })
    for (const n of [512, 600, 1000, 1500])
      await expect(readArchive(whole.slice(0, n), 'cut.tar')).rejects.toThrow('is cut short')
    whole[5] ^= 1
    await expect(readArchive(whole, 'x.tar')).rejects.toThrow('its checksum is another')
    await expect(readArchive(tar({ a: '' }, '2'), 'x.tar')).rejects.toThrow('is no regular file')
    await expect(readArchive(new Uint8Array(gzipSync(some)), 'x.gz')).rejects.toThrow('this is no archive')
    await expect(readArchive(new Uint8Array(gzipSync(some)).slice(0, 20), 'x.gz')).rejects.toThrow('are damaged')
  })

  test('what is no archive is told apart, with what makes a net of it', async () => {
    const load = (bytes: Uint8Array) => Net.load(bytes, { engine: 'js' })
    const text = new TextEncoder().encode(TEXT)
    await expect(load(text)).rejects.toThrow(FormatError)
    await expect(load(text)).rejects.toThrow(
      'the given bytes: Net.load takes an archive, a .zip or .tar.gz, and this is text, the prototxt of a net: Net.create makes a net of it',
    )
    await expect(load(await net.toBytes())).rejects.toThrow(
      /this is a model: weights come with their net, Net\.create\(/,
    )
    await expect(load(some)).rejects.toThrow(/and this is [^:]*$/)
  })

  test('a preparation in info.json is checked', async () => {
    const bytes = (preprocessing: unknown) =>
      tar({
        'deploy.prototxt': printNet(parseNet(TEXT)),
        'model.caffemodel': some,
        'info.json': JSON.stringify({ format: 'ristretto model', version: 1, preprocessing }),
      })
    const { mean: _, ...right } = preparation
    expect((await readModelArchive(bytes(right), 'm')).preparation).toEqual(right)
    for (const wrong of [
      1,
      {},
      { ...right, channels: -1 },
      { ...right, resize: [1e9, 1] },
      { ...right, fit: 'x' },
      { ...right, order: 'GRB' },
      { ...right, scale: 'x' },
      { ...right, meanValues: [null] },
    ])
      await expect(readModelArchive(bytes(wrong), 'm')).rejects.toThrow('its preprocessing has')
  })
})
