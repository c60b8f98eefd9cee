import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ndarray from 'ndarray'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { netToProto } from '../../lib/net/files.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { drawBoxes } from '../../lib/pycaffe/boxes_picture.js'
import { detect, loadLabelMap } from '../../lib/pycaffe/detect.js'
import { encodePicture } from '../../lib/pycaffe/io/image.js'
import { preprocessingOf } from '../../lib/pycaffe/preprocessing.js'
import { cli } from '../cli/helpers.js'
import { Golden, type GoldenArray, goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

// two boxes that a convolution without weights finds anywhere: its biases are the scores
const prototxt = `
  ${inputLayer('data', '2×3×4×4')}
  layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { global_pooling: true } }
  layer { name: "loc" type: "InnerProduct" bottom: "pool" top: "loc" inner_product_param { num_output: 8 } }
  layer { name: "conf" type: "InnerProduct" bottom: "pool" top: "conf" inner_product_param { num_output: 6 } }
  layer { name: "prior" type: "PriorBox" bottom: "pool" bottom: "data" top: "prior" prior_box_param { min_size: 2 max_size: 8 } }
  layer { name: "found" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" top: "found"
    detection_output_param { num_classes: 3 nms_param { nms_threshold: 0.9 } } }`

async function tinyNet(): Promise<Net> {
  const net = await Net.create(parseNet(prototxt), { phase: 'TEST', engine: 'js' })
  net.params.conf[1].dataArray.set([0, 0.9, 0.1, 0, 0.2, 0.7])
  return net
}
const grey = ndarray(new Float32Array(10 * 20 * 3).fill(0.5), [10, 20, 3])

test('boxes in pixels of the picture, within it, the best first, with names', async () => {
  const net = await tinyNet()
  const labels = ['background', 'cat']
  const boxes = await detect(net, grey, { labels })
  expect(boxes.map(({ score, ...box }) => ({ ...box, score: +score.toFixed(3) }))).toEqual([
    { label: 1, name: 'cat', score: 0.9, xmin: 5, ymin: 2.5, xmax: 15, ymax: 7.5 },
    { label: 2, score: 0.7, xmin: 0, ymin: 0, xmax: 20, ymax: 10 },
  ])
  expect(await detect(net, grey, { threshold: 0.8 })).toHaveLength(1)
  await expect(detect(net, grey, { output: 'loc' })).rejects.toThrow(/no blob 'loc' of rows of 7 values/)
  net.dispose()
})

test('refuses a net without boxes', async () => {
  const net = await Net.create(parseNet(prototxt.replace(/layer { name: "found"[\s\S]*/, '')), { engine: 'js' })
  await expect(detect(net, grey)).rejects.toThrow(/no output of boxes/)
})

test('label maps: of SSD, or a name a line', async () => {
  const map = 'item { name: "none" label: 0 display_name: "background" }\nitem { name: "n1" label: 3 }'
  expect(await loadLabelMap(new TextEncoder().encode(map))).toEqual(
    new Map([
      [0, 'background'],
      [3, 'n1'],
    ]),
  )
  expect(await loadLabelMap(new TextEncoder().encode('a\nb\n'))).toEqual(
    new Map([
      [0, 'a'],
      [1, 'b'],
    ]),
  )
})

test('frames of two pixels, the text above them, the inside as it was', async () => {
  const picture = ndarray(new Float32Array(40 * 60), [40, 60, 1])
  const box = { label: 0, name: 'I', score: 1, xmin: 10, ymin: 20, xmax: 50, ymax: 38 }
  const drawn = drawBoxes(picture, [box])
  const at = (y: number, x: number) => [0, 1, 2].map(c => +drawn.get(y, x, c).toFixed(2))
  const red = [0.9, 0.1, 0.15]
  expect([at(20, 10), at(21, 49), at(37, 11), at(30, 48)]).toEqual([red, red, red, red])
  expect([at(22, 12), at(19, 5), at(38, 30)]).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ])
  // the letter I: its upper bar, then its stem
  expect([at(12, 12), at(13, 12), at(13, 13)]).toEqual([[1, 1, 1], red, [1, 1, 1]])
  const { width, height, channels } = await sharp(await encodePicture(drawn)).metadata()
  expect([width, height, channels]).toEqual([60, 40, 3])
})

test('ristretto detect prints the boxes and draws them', { tags: 'long' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'detect-'))
  const golden = new Golden<{ blobs_after_forward: (GoldenArray & { name: string })[] }>(
    '../golden-forks/nets/ssd_mobilenet/ssd_mobilenet',
  )
  expect(golden.json.blobs_after_forward[0].name).toBe('data')
  const path = (file: string) => goldenPath(`../golden-forks/nets/ssd_mobilenet/ssd_mobilenet.${file}`)
  const picture = join(folder, 'picture.png')
  const output = join(folder, 'boxes.png')
  const pixels = Uint8Array.from({ length: 48 * 48 * 3 }, (_, i) => (i * 37) % 256)
  writeFileSync(
    picture,
    await sharp(pixels, { raw: { width: 48, height: 48, channels: 3 } })
      .png()
      .toBuffer(),
  )
  const words = ['detect', path('prototxt'), path('caffemodel'), picture, '--engine', 'js', '--input-scale', '0.01']
  const { code, out } = await cli(...words, '--threshold', '0.1', '--output', output)
  expect(code).toBe(0)
  expect(out.split('\n')[0]).toMatch(/^0\.\d{4} - "[123]" at \d+ \d+ \d+ \d+$/)
  expect(readFileSync(output).equals(readFileSync(picture))).toBe(false)
  const json = await cli(...words, '--threshold', '0.1', '--json')
  expect(JSON.parse(json.out)).toHaveLength(out.trim().split('\n').length)
  const wrong = await cli(...words, '--output', join(folder, 'boxes.gif'))
  expect(wrong.code).toBe(1)
  expect(wrong.err).toContain('a picture is written as .png or .jpg')
})

test('ristretto detect prepares pictures as the training did, says so, and warns where nothing is known or flags differ', {
  tags: 'long',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'detect-'))
  const path = (file: string) => join(folder, file)
  writeFileSync(path('deploy.prototxt'), prototxt)
  const grey = sharp(new Uint8Array(10 * 20 * 3).fill(90), { raw: { width: 20, height: 10, channels: 3 } })
  writeFileSync(path('picture.png'), await grey.png().toBuffer())
  using net = await tinyNet()
  const { layer = [] } = netToProto(net.built)
  const trained = layer.filter(({ type }) => type !== 'Input')
  const training = (text: string) => parseNet(`layer { name: "db" type: "AnnotatedData" top: "data" ${text} }`).layer!
  const model = (name: string, text?: string) =>
    writeFileSync(
      path(name),
      writeMessage('NetParameter', { layer: [...(text === undefined ? [] : training(text)), ...trained] }),
    )
  model('plain.caffemodel')
  const mean = 'mean_value: 104 mean_value: 117 mean_value: 123'
  model('ssd.caffemodel', `transform_param { scale: 0.5 ${mean} } data_param { source: "voc" }`)
  model('file.caffemodel', 'transform_param { mean_file: "mean.binaryproto" } data_param { source: "voc" }')
  const run = (weights: string, ...more: string[]) =>
    cli('detect', path('deploy.prototxt'), path(weights), path('picture.png'), '--engine', 'js', ...more)

  const plain = await run('plain.caffemodel')
  expect(plain.err).toContain('Warning: neither prototxt nor model says how the training prepared pictures')
  expect((await run('plain.caffemodel', '--mean', '104,117,123')).err).not.toContain('Warning')
  const ssd = await run('ssd.caffemodel')
  expect(ssd.err).toContain("as layer 'db' (AnnotatedData) of the training: values 0 … 127.5, a mean taken off")
  expect(ssd.err).not.toContain('Warning')
  const other = await run('ssd.caffemodel', '--mean', '100')
  expect(other.err).not.toContain('as layer')
  expect(other.err).toMatch(/Warning: .*took 104, 117, 123 off values of 0 … 255, here other means are: --mean/)
  expect((await run('file.caffemodel')).err).toContain('took off the mean in mean.binaryproto: --mean mean.binaryproto')
  expect(ssd.out).toBe(plain.out)

  using known = await Net.create(path('deploy.prototxt'), { engine: 'js', weights: path('ssd.caffemodel') })
  expect(preprocessingOf(known)).toEqual({
    rawScale: 255,
    mean: [104, 117, 123],
    inputScale: 0.5,
    channelSwap: [2, 1, 0],
  })
  using unknown = await Net.create(path('deploy.prototxt'), { engine: 'js', weights: path('plain.caffemodel') })
  expect(preprocessingOf(unknown)).toBeUndefined()
})
