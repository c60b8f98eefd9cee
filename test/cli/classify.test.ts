import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { Net } from '../../lib/net.js'
import { Classifier } from '../../lib/pycaffe/classifier.js'
import { loadImage } from '../../lib/pycaffe/io/image.js'
import { readNpy } from '../../lib/pycaffe/io/npy.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const golden = new Golden<{ labels: number[]; blobs_after_forward: (GoldenArray & { name: string })[] }>(
  'nets/lenet/lenet',
)
const blob = (name: string) => golden.array(golden.json.blobs_after_forward.find(b => b.name === name)!)
const weights = goldenPath('nets/lenet/lenet.caffemodel')
const model = join(folder, 'lenet.prototxt')
const digits = join(folder, 'digits')
const js = ['--engine', 'js']
const lenet = [model, weights]

/** The 16 pictures of the golden pass as PNG files, and LeNet as a deploy net. */
beforeAll(async () => {
  const text = readFileSync(goldenPath('nets/lenet/lenet.prototxt'), 'utf8')
  const unwanted = /^layer { name: "(label|accuracy|loss)".*$/gm
  writeFileSync(model, text.replace(unwanted, ''))
  mkdirSync(digits)
  const data = blob('data')
  for (let i = 0; i < 16; i++) {
    const pixels = Uint8Array.from(data.subarray(784 * i, 784 * (i + 1)), value => Math.round(value * 256))
    await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toFile(join(digits, `${String(i).padStart(2, '0')}.png`))
  }
})

describe('classify', () => {
  it("a folder of digits gets Caffe's probabilities", async () => {
    const file = join(folder, 'prob.npy')
    const { code, out } = await cli(
      'classify',
      ...lenet,
      digits,
      '--input-scale',
      '0.00390625',
      '--output',
      file,
      '--json',
      ...js,
    )
    expect(code).toBe(0)
    const probabilities = readNpy(readFileSync(file))
    expect(probabilities.shape).toEqual([16, 10])
    const expected = blob('prob')
    expectClose(probabilities.data, expected, 1e-3, 1e-4, 'prob')
    const results = JSON.parse(out) as { file: string; predictions: { index: number; probability: number }[] }[]
    expect(results.map(result => result.file)).toEqual(
      Array.from({ length: 16 }, (_, i) => join(digits, `${String(i).padStart(2, '0')}.png`)),
    )
    results.forEach(({ predictions }, i) => {
      const row = [...expected.subarray(10 * i, 10 * (i + 1))]
      expect(predictions).toHaveLength(5)
      expect(predictions[0].index).toBe(row.indexOf(Math.max(...row)))
      expect(predictions.map(p => p.probability)).toEqual(predictions.map(p => p.probability).sort((a, b) => b - a))
    })
    expect(results.map(result => result.predictions[0].index)).toEqual(golden.json.labels)
  })

  it('warns where the training prepared pictures otherwise, and says what it takes where nothing is known', async () => {
    const digit = join(digits, '00.png')
    const { code, err } = await cli('classify', ...lenet, digit, ...js)
    expect(code).toBe(0)
    expect(err).toMatch(/^Warning: /)
    const h5 = join(folder, 'lenet.caffemodel.h5')
    const net = await Net.create(model, { weights, engine: 'js' })
    await net.save(h5)
    const unknown = await cli('classify', model, h5, digit, ...js)
    expect(unknown.err).toBe(
      'Warning: neither prototxt nor model says how the training prepared pictures; taken: values 0 … 255, no mean taken off, pictures brought to 28×28. ' +
        'Say what its data layer did (transform_param: scale is --input-scale, mean_file or mean_value is --mean) if that is not it\n',
    )
    expect((await cli('classify', model, h5, digit, '--input-scale', '0.00390625', ...js)).err).toBe('')
    const train = join(folder, 'train_and_deploy.prototxt')
    const layer = `layer { name: "mnist" type: "Data" top: "data" include { phase: TRAIN } data_param { source: "x" } transform_param { scale: 0.00390625 mean_value: 30 } }`
    writeFileSync(train, `${layer}\n${readFileSync(model, 'utf8')}`)
    expect((await cli('classify', train, h5, digit, ...js)).err.split('\n')).toEqual([
      'Pictures are brought to 28×28, grey, 30 taken off, times 0.00390625',
      '',
    ])
    // what a flag says counts, and what none says is as in the training
    expect((await cli('classify', train, h5, digit, '--input-scale', '1', ...js)).err.split('\n')).toEqual([
      "Warning: layer 'mnist' (Data) of the training gave values of 0 … 0.99609375 before the mean was taken off, here they are 0 … 255: --input-scale 0.00390625",
      '',
    ])
    expect((await cli('classify', train, h5, digit, '--input-scale', '0.00390625', '--mean', '30', ...js)).err).toBe('')
  })

  it('prints the classes with their names, best first', async () => {
    const labels = join(folder, 'labels.txt')
    writeFileSync(labels, 'zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n')
    const picture = join(digits, '00.png')
    const { out } = await cli(
      'classify',
      ...lenet,
      picture,
      '-input_scale=0.00390625',
      '--labels',
      labels,
      '--top',
      '2',
      ...js,
    )
    expect(out).toMatch(
      new RegExp(`^-{10} Prediction for ${picture} -{10}\\n(0\\.9\\d+|1\\.0000) - "seven"\\n0\\.\\d{4} - "\\w+"\\n$`),
    )
  })

  it('says which layers got no weights', async () => {
    const renamed = join(folder, 'renamed.prototxt')
    writeFileSync(renamed, readFileSync(model, 'utf8').replace(/name: "ip2"/, 'name: "mine"'))
    const one = join(digits, '00.png')
    const { code, err } = await cli('classify', renamed, weights, one, ...js)
    expect(code).toBe(0)
    expect(err).toContain(`${weights} has no weights for mine, which keeps its filler's values`)
    expect((await cli('classify', ...lenet, one, ...js)).err).not.toContain('no weights')
  })

  it('does what Classifier does, with every option', async () => {
    const files = ['c0.png', 'g5.png', 'j1.jpg'].map(name => goldenPath(`io/images/${name}`))
    const [prototxt, caffemodel] = ['prototxt', 'caffemodel'].map(ending => goldenPath(`io/classifier.${ending}`))
    const classifier = await Classifier.create(prototxt, {
      weights: caffemodel,
      engine: 'js',
      imageDims: [12, 11],
      mean: [102, 127.5, 153],
      rawScale: 255,
      inputScale: 0.01,
      channelSwap: [2, 1, 0],
    })
    const images = await Promise.all(files.map(file => loadImage(file)))
    const options = ['--images-dim', '12,11', '--mean', '102,127.5,153', '--input-scale', '0.01', '--top', '1']
    for (const tenfold of [false, true]) {
      const expected = await classifier.predict(images, tenfold)
      const file = join(folder, 'probabilities.npy')
      const flags = [...(tenfold ? ['--oversample'] : []), '--output', file, ...js]
      const { code, out } = await cli('classify', prototxt, caffemodel, ...files, ...options, ...flags)
      expect(code).toBe(0)
      expect(out.split('\n')).toHaveLength(7)
      expectClose(readNpy(readFileSync(file)).data, expected.data, 1e-5, 1e-6, `oversample ${tenfold}`)
    }
    classifier.dispose()
  })

  it('takes means from files, and one value for all channels', async () => {
    const [prototxt, caffemodel] = ['prototxt', 'caffemodel'].map(ending => goldenPath(`io/classifier.${ending}`))
    const picture = goldenPath('io/images/c0.png')
    const probabilities = async (...flags: string[]) => {
      const { code, out, err } = await cli(
        'classify',
        prototxt,
        caffemodel,
        picture,
        '--input-scale',
        '0.01',
        '--json',
        ...flags,
        ...js,
      )
      expect({ code, err }).toEqual({ code: 0, err: '' })
      return JSON.parse(out)[0].predictions
    }
    expect(await probabilities('--mean', '100')).toEqual(await probabilities('--mean', '100,100,100'))
    await cli('compute-image-mean', goldenPath('io/images_raw_lmdb'), join(folder, 'mean.npy'))
    const mean = await probabilities('--mean', goldenPath('io/images_mean.binaryproto'))
    expect(mean).toEqual(await probabilities('--mean', join(folder, 'mean.npy')))
    expect(mean).not.toEqual(await probabilities('--mean', '100'))
    expect(await probabilities('--channel-swap', '0,1,2')).not.toEqual(await probabilities())
  })

  it.each([
    [['classify', 'x'], 1, "file not found: 'x'"],
    [['classify', ...lenet, 'nothing.png'], 1, "file not found: 'nothing.png'"],
    [['classify', ...lenet, model], 1, 'no PNG, JPEG'],
    [['classify', ...lenet, digits, '--labels', model], 1, "output 'prob' has 10 classes"],
    [['classify', ...lenet, digits, '--mean', '1,2,3'], 1, 'has 3 values, the input has 1 channels'],
    [['classify', ...lenet, digits, '--mean', 'mean.npy'], 1, "file not found: 'mean.npy'"],
    [['classify', ...lenet, digits, '--raw-scale', 'much'], 2, 'It must be a number'],
    [
      ['classify', goldenPath('nets/prototxt/lenet.prototxt'), weights, digits, '--images-dim', '1,2,3'],
      1,
      'ristretto: ',
    ],
  ])('%j', async (argv, expected, message) => {
    const { code, err } = await cli(...argv, ...js)
    expect({ code, err }).toEqual({ code: expected, err: expect.stringContaining(message) })
  })
})
