import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { createFiles } from '../../lib/system/files.js'
import { paletteOf } from '../data/png_files.js'
import { colourOf, netOf, pairs, places, plane } from './segmentations.js'

const layer = (more = '', transform = '') => `layer { name: "seg" type: "DenseImageData" top: "data" top: "label"
  dense_image_data_param { source: "list.txt" ${more} } ${transform && `transform_param { ${transform} }`} }`

/** Whether every label of every item is the place that the picture shows there. */
function sameEverywhere(net: Net): boolean {
  const [N] = net.blobs.label.shape
  return Array.from({ length: N }, (_, n) => n).every(n =>
    plane(net, 'label', n).every((row, y) => row.every((label, x) => plane(net, 'data', n)[y][x] === label + 100)),
  )
}

describe('DenseImageData', () => {
  test('pictures and the indices of palettes, item by item, from the start again', async () => {
    const net = await netOf(layer('batch_size: 2'), pairs([2, 3], [2, 3], [2, 3]))
    expect([net.blobs.data.shape, net.blobs.label.shape]).toEqual([
      [2, 3, 2, 3],
      [2, 1, 2, 3],
    ])
    await net.forward()
    expect(plane(net, 'label')).toEqual([
      [0, 1, 2],
      [10, 11, 12],
    ])
    // planes B, G, R
    for (const c of [0, 1, 2]) expect(plane(net, 'data', 1, c)[1]).toEqual([110 + c, 111 + c, 112 + c])
    expect(net.layers[0].saveState()).toEqual({ item: 2, record: 2, epoch: 0 })
    await net.forward()
    expect(net.layers[0].saveState()).toEqual({ item: 4, record: 1, epoch: 1 })
    net.dispose()
  })

  test('label_divide_factor: labels that are so many times smaller, mirrored with their pictures; folders of their own', async () => {
    const [picture, labels] = [colourOf(places(4, 4, 100)), paletteOf(places(4, 4))]
    const files = { 'x/a0.png': picture, 'y/b0.png': labels, 'list.txt': Buffer.from('a0.png b0.png') }
    const folders = 'root_folder_image: "x/" root_folder_label: "y/"'
    const fields = `batch_size: 8 new_height: 4 new_width: 4 label_divide_factor: 2 mirror: true ${folders}`
    const net = await netOf(layer(fields), files, 'TRAIN')
    expect(net.blobs.label.shape).toEqual([8, 1, 2, 2])
    await net.forward()
    const seen = Array.from({ length: 8 }, (_, n) => [plane(net, 'data', n)[0][0] - 100, plane(net, 'label', n)])
    expect(new Set(seen.map(([first]) => first))).toEqual(new Set([0, 3]))
    for (const [first, small] of seen)
      expect(small).toEqual(
        first === 0
          ? [
              [0, 2],
              [20, 22],
            ]
          : [
              [2, 0],
              [22, 20],
            ],
      )
    net.dispose()
  })

  test('labels keep their values where both are resized: the nearest', async () => {
    const files = {
      ...pairs([2, 2]),
      'a0.png': colourOf([
        [100, 104],
        [100, 104],
      ]),
      'b0.png': paletteOf([
        [0, 200],
        [3, 77],
      ]),
    }
    const net = await netOf(layer('batch_size: 1 new_height: 4 new_width: 3'), files)
    await net.forward()
    // column x comes from ⌊2x/3⌋, row y from ⌊y/2⌋
    expect(plane(net, 'label')).toEqual([
      [0, 0, 200],
      [0, 0, 200],
      [3, 3, 77],
      [3, 3, 77],
    ])
    // bilinear with half-pixel centres: the middle column lies between both
    expect(plane(net, 'data')[0]).toEqual([100, 102, 104])
    net.dispose()
  })

  test('mean and scale are for pictures alone; transform_param cuts and mirrors both at one place', async () => {
    const net = await netOf(layer('batch_size: 1', 'mean_value: 100 scale: 0.5 crop_h: 2 crop_w: 1'), pairs([4, 3]))
    await net.forward()
    // in TEST the middle
    expect(plane(net, 'label')).toEqual([[11], [21]])
    expect(plane(net, 'data')).toEqual([[5.5], [10.5]])
    net.dispose()
  })

  test.each([
    ['its own crop and mirror', 'batch_size: 4 crop_height: 3 crop_width: 4 mirror: true', '', 'TEST'],
    ["transform_param's", 'batch_size: 4', 'crop_size: 3 mirror: true', 'TRAIN'],
  ] as const)(
    '%s lie at places drawn from the seed, the same for labels',
    { tags: 'long' },
    async (_, more, transform, phase) => {
      const files = pairs([7, 9])
      const seen = new Set<string>()
      const take = async (seed: number) => {
        const net = await netOf(layer(more, transform), files, phase, seed)
        const all: number[][][] = []
        for (let i = 0; i < 8; i++) {
          await net.forward()
          expect(sameEverywhere(net)).toBe(true)
          for (let n = 0; n < 4; n++) all.push(plane(net, 'label', n))
        }
        net.dispose()
        return all
      }
      const first = await take(1)
      for (const rows of first) seen.add(`${rows[0][0]} ${Math.sign(rows[0][1] - rows[0][0])}`)
      // 5·6 (or 5·7) places, both ways round
      expect(seen.size).toBeGreaterThan(15)
      expect([...seen].some(text => text.endsWith('-1')) && [...seen].some(text => text.endsWith(' 1'))).toBe(true)
      expect(await take(1)).toEqual(first)
      expect(await take(2)).not.toEqual(first)
    },
  )

  test('goes on where a snapshot left it, shuffled, and from the files by a worker as on this thread', {
    tags: 'long',
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dense-'))
    afterAll(() => rm(folder, { recursive: true }))
    const files = pairs([5, 6], [5, 6], [5, 6], [5, 6], [5, 6])
    for (let i = 0; i < 5; i++) files[`b${i}.png`] = paletteOf(places(5, 6, 10 * i))
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
    const text = layer('batch_size: 3 shuffle: true mirror: true crop_height: 2 crop_width: 2')
    const here = await netOf(text, files, 'TRAIN', 7)
    const worker = await Net.create(parseNet(text), {
      phase: 'TRAIN',
      seed: 7,
      engine: 'js',
      near: createFiles(undefined, join(folder, 'net.prototxt')),
    })
    const step = async (net: Net) => {
      await net.forward()
      return [net.blobs.data.dataArray, net.blobs.label.dataArray].map(values => [...values])
    }
    for (let i = 0; i < 4; i++) expect(await step(worker)).toEqual(await step(here))
    const state = here.layers[0].saveState()!
    const expected = [await step(here), await step(here)]
    const second = await netOf(text, files, 'TRAIN', 7)
    for (const net of [second, worker]) {
      net.layers[0].restoreState(state)
      expect([await step(net), await step(net)]).toEqual(expected)
    }
    for (const net of [here, worker, second]) net.dispose()
  })

  test('a picture of another size in a batch of one reshapes both tops', async () => {
    const net = await netOf(layer('batch_size: 1'), pairs([2, 3], [4, 2]))
    await net.forward()
    await net.forward()
    expect([net.blobs.data.shape, net.blobs.label.shape]).toEqual([
      [1, 3, 4, 2],
      [1, 1, 4, 2],
    ])
    net.dispose()
  })

  test('what is refused, with layer, line and why', async () => {
    const files = pairs([4, 4], [4, 5])
    const square = 'new_height: 4 new_width: 4'
    const refused = async (why: RegExp, more: string, transform = '', given: Record<string, Uint8Array> = files) =>
      expect(
        netOf(layer(more, transform), given, 'TRAIN').then(net => net.forward().finally(() => net.dispose())),
      ).rejects.toThrow(why)
    await refused(/layer 'seg' \(DenseImageData\): .*batch_size must be 1 or more/, '')
    await refused(/has new_height and new_width 3 and 0: give both/, 'batch_size: 1 new_height: 3')
    await refused(/has crop_height and crop_width 0 and 2: give both/, 'batch_size: 1 crop_width: 2')
    await refused(/label_divide_factor: 3 must divide new_height/, `batch_size: 1 ${square} label_divide_factor: 3`)
    await refused(/is for whole pictures/, `batch_size: 1 ${square} label_divide_factor: 2`, 'crop_size: 2')
    await refused(/multi_scale: true is not there/, 'batch_size: 1 multi_scale: true')
    await refused(/root_folder, and root_folder_image/, 'batch_size: 1 root_folder: "a" root_folder_label: "b"')
    await refused(/both cut out a part/, 'batch_size: 1 crop_height: 2 crop_width: 2', 'crop_size: 2')
    await refused(/image 0 \(line 1\) of list.txt: crop_size 5 is larger/, 'batch_size: 1', 'crop_size: 5')
    await refused(/image 1 \(line 2\) of list.txt: the item is 3×4×5, the first of its batch 3×4×4/, 'batch_size: 2')
    await refused(/rand_skip|list list.txt has 2/, 'batch_size: 1 rand_skip: 4000000000')
    const bytes = (text: string) => new Uint8Array(Buffer.from(text))
    await refused(/list.txt:1: the line is not a picture, a space and a picture/, 'batch_size: 1', '', {
      'list.txt': bytes('a0.png\n'),
    })
    await refused(/image 0 .*the labels are 4×5 pixels, the picture is 4×4/, 'batch_size: 1', '', {
      ...files,
      'list.txt': bytes('a0.png b1.png'),
    })
    await refused(/image 0 .*: its labels: pixel 0 has the colour 102, 101, 100/, 'batch_size: 1', '', {
      ...files,
      'list.txt': bytes('a0.png a0.png'),
    })
    await refused(/image 0 .*: its labels: its file is not found/, 'batch_size: 1', '', {
      ...files,
      'list.txt': bytes('a0.png gone.png'),
    })
    await refused(/names no images/, 'batch_size: 1', '', { 'list.txt': bytes('\n') })
    await expect(netOf('layer { name: "seg" type: "DenseImageData" top: "data" }', files)).rejects.toThrow(/2 tops/)
  })

  test("mean_file of its own has no effect, as in SegNet, and says so; transform_param's is taken off", async () => {
    const told: string[] = []
    const net = await Net.create(parseNet(layer('batch_size: 1 mean_file: "mean"')), {
      engine: 'js',
      files: path => pairs([2, 2])[path],
      log: line => told.push(line),
    })
    expect(told.join('\n')).toMatch(/seg: dense_image_data_param.mean_file has no effect/)
    net.dispose()
  })
})
