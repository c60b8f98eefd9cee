import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ndarray from 'ndarray'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { drawBoxes } from '../../lib/pycaffe/boxes_picture.js'
import { detect, loadLabelMap } from '../../lib/pycaffe/detect.js'
import { encodePicture } from '../../lib/pycaffe/io/image.js'
import { cli } from '../cli/helpers.js'
import { Golden, type GoldenArray, goldenPath } from '../golden.js'

// two boxes that a convolution without weights finds anywhere: its biases are the scores
const prototxt = `
  layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
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

test('ristretto detect prints the boxes and draws them', async () => {
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
