import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Net, parseNet } from '../../../lib/index.js'
import { inputLayer } from '../../shapes.js'

const given: Record<string, string> = {
  'map.prototxt': 'item { name: "none" label: 0 } item { name: "7" label: 1 } item { name: "dog" label: 2 }',
  'sizes.txt': '000012 10 20\nb 100 200\n\n',
}

/** Two priors, taken as they are: (.1, .2, .5, .6) and one that sticks out, (.5, −.1, 1.2, 1). */
const net = (save: string) => `
  ${inputLayer('loc', '2×8')}
  ${inputLayer('conf', '2×6')}
  ${inputLayer('prior', '1×2×8')}
  layer { name: "found" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" top: "found"
    detection_output_param { num_classes: 3 confidence_threshold: 0.4 nms_param { nms_threshold: 0.9 } save_output_param { ${save} } } }`
const values = {
  loc: new Float32Array(16),
  prior: Float32Array.of(0.1, 0.2, 0.5, 0.6, 0.5, -0.1, 1.2, 1, ...new Array(8).fill(0.1)),
  // the first picture has a box of each class, the second one of the second
  conf: Float32Array.of(0, 0.875, 0, 0, 0, 0.5, 0, 0, 0.75, 0, 0, 0),
}

async function saved(save: string, passes = 1, log: string[] = []) {
  const written: Record<string, string> = {}
  const files = {
    read: (path: string) => (path in given ? new TextEncoder().encode(given[path]) : undefined),
    write: (path: string, bytes: Uint8Array) => void (written[path] = new TextDecoder().decode(bytes)),
  }
  using made = await Net.create(parseNet(net(save)), { engine: 'js', files, log: line => log.push(line) })
  for (let i = 0; i < passes; i++) await made.forward(values)
  return written
}
const all = (format: string) =>
  `output_directory: "out" output_name_prefix: "det_" output_format: "${format}" label_map_file: "map.prototxt" name_size_file: "sizes.txt"`

describe('save_output_param of DetectionOutput', () => {
  test('VOC: a file a class, whole pixels within the picture', async () => {
    expect(await saved(all('VOC'))).toEqual({
      'out/det_7.txt': '000012 0.875 2 2 10 6\n',
      'out/det_dog.txt': '000012 0.5 10 0 20 10\nb 0.75 20 20 100 60\n',
    })
  })

  test('COCO: one file; names that are numbers are numbers; x, y, width and height', async () => {
    const written = await saved(all('COCO'))
    expect(Object.keys(written)).toEqual(['out/det_.json'])
    expect(JSON.parse(written['out/det_.json'])).toEqual([
      { image_id: 12, category_id: 7, bbox: [2, 2, 8, 4], score: 0.875 },
      { image_id: 12, category_id: 'dog', bbox: [10, 0, 10, 10], score: 0.5 },
      { image_id: 'b', category_id: 'dog', bbox: [20, 20, 80, 40], score: 0.75 },
    ])
  })

  test('ILSVRC: one file, labels by number; written each time that all pictures have passed', async () => {
    const once = '000012 1 0.875 2 2 10 6\n000012 2 0.5 10 0 20 10\nb 2 0.75 20 20 100 60\n'
    expect(await saved(all('ILSVRC'), 2)).toEqual({ 'out/det_.txt': once })
    // of each one picture the file holds the last
    expect(await saved(`${all('ILSVRC')} num_test_image: 1`)).toEqual({ 'out/det_.txt': '000012 2 0.75 2 2 10 6\n' })
  })

  test('boxes go back to the picture that was fitted into the input', async () => {
    // 20×10 in 40×40 takes the middle half of its height: y 0.2 is above it, 0.6 at 0.7 of it
    const padded = 'resize_param { height: 40 width: 40 resize_mode: FIT_LARGE_SIZE_AND_PAD }'
    expect((await saved(`${all('VOC')} ${padded}`))['out/det_7.txt']).toBe('000012 0.875 2 0 10 7\n')
    const small = 'resize_param { height: 40 width: 40 resize_mode: FIT_SMALL_SIZE height_scale: 20 width_scale: 30 }'
    expect((await saved(`${all('VOC')} ${small}`))['out/det_7.txt']).toBe('000012 0.875 3 4 15 10\n')
  })

  test('nothing is saved without a label map or a list of sizes, and a line says so', async () => {
    const log: string[] = []
    expect(await saved('output_directory: "out" output_format: "VOC"', 1, log)).toEqual({})
    expect(log.join('\n')).toContain('found: nothing is saved: save_output_param needs label_map_file')
    expect(await saved('output_format: "VOC"')).toEqual({})
  })

  test('what is refused', async () => {
    await expect(saved(all('XML'))).rejects.toThrow(/layer 'found' .*output_format 'XML' is not there: VOC, COCO/)
    await expect(saved(`${all('VOC')} num_test_image: 3`)).rejects.toThrow(/num_test_image 3: sizes.txt has 2 pictures/)
    given['bad.txt'] = 'a 10 20\nb 10\n'
    await expect(saved(all('VOC').replace('sizes.txt', 'bad.txt'))).rejects.toThrow(/bad.txt:2: the line is not a name/)
    given['few.prototxt'] = 'item { name: "none" label: 0 } item { name: "cat" label: 1 }'
    await expect(saved(all('VOC').replace('map.prototxt', 'few.prototxt'))).rejects.toThrow(/no name for label 2/)
  })

  test('files are written where the options allow it, nowhere else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'found-'))
    afterAll(() => rm(folder, { recursive: true }))
    const files = async (path: string) => (path in given ? new TextEncoder().encode(given[path]) : undefined)
    const text = (directory: string) => parseNet(net(all('ILSVRC').replace('"out"', `"${directory}"`)))
    const create = (directory: string, outputs?: string | boolean) =>
      Net.create(text(directory), { engine: 'js', files, outputs })
    await expect(create(folder)).rejects.toThrow(/layer 'found' .*is not written: the option files is given/)
    await expect(create(folder, false)).rejects.toThrow(/the option outputs is false/)
    await expect(create(join(folder, '..'), folder)).rejects.toThrow(/layer 'found'/)
    using made = await create(join(folder, 'new'), folder)
    await made.forward(values)
    expect(await readFile(join(folder, 'new', 'det_.txt'), 'utf8')).toContain('000012 1 0.875 2 2 10 6')
  })
})
