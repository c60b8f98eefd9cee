import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { FormatError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { readMessage } from '../../lib/proto/wire.js'
import { cocoPictures, jsonObjects, labelsOf, parseXml, textObjects, vocObjects } from '../../lib/tools/annotations.js'
import { convertAnnoset } from '../../lib/tools/convert_annoset.js'
import { cli } from '../cli/helpers.js'

const folder = mkdtempSync(join(tmpdir(), 'annoset-'))
afterAll(() => rmSync(folder, { recursive: true }))

const voc = (objects: string) => `<?xml version="1.0"?>
<!-- made by hand -->
<annotation><folder>VOC</folder><size><width>20</width><height>10</height><depth>3</depth></size>${objects}</annotation>`
const object = (name: string, box: number[], more = '') =>
  `<object><name>${name}</name><pose>Left</pose>${more}<bndbox><xmax>${box[2]}</xmax><xmin>${box[0]}</xmin><ymin>${box[1]}</ymin><ymax>${box[3]}</ymax></bndbox>
   <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>`
const labels = new Map([
  ['cat', 2],
  ['dog & co', 5],
])
const coco = {
  images: [
    { id: 7, file_name: 'b.png', width: 20, height: 10 },
    { id: 3, file_name: 'a.png', width: 20, height: 10 },
  ],
  annotations: [
    { image_id: 3, category_id: 18, bbox: [2, 1, 8, 4], iscrowd: 0 },
    { image_id: 3, category_id: 4, bbox: [0, 0, 20, 10], iscrowd: 1 },
  ],
  categories: [
    { id: 18, name: 'dog' },
    { id: 4, name: 'cat' },
  ],
}

beforeAll(async () => {
  mkdirSync(join(folder, 'in'))
  for (const name of ['a', 'b'])
    await sharp(new Uint8Array(600).fill(90), { raw: { width: 20, height: 10, channels: 3 } })
      .png()
      .toFile(join(folder, 'in', `${name}.png`))
  writeFileSync(
    join(folder, 'in', 'a.xml'),
    voc(object('cat', [2, 1, 10, 5]) + object('cat', [0, 0, 20, 10], '<difficult>1</difficult>')),
  )
  writeFileSync(join(folder, 'in', 'b.xml'), voc(''))
  writeFileSync(join(folder, 'list.txt'), 'a.png a.xml\nb.png b.xml\n')
  writeFileSync(join(folder, 'map.prototxt'), 'item { name: "cat" label: 2 display_name: "Cat" }')
  writeFileSync(join(folder, 'coco.json'), JSON.stringify(coco))
})

describe('annotations', () => {
  test("VOC's objects: parts are not objects, tags stand in any order, entities are read", () => {
    const box = { xmin: 0.1, ymin: 0.1, xmax: 0.5, ymax: 0.5 }
    expect(vocObjects(voc(object('dog &amp; co', [2, 1, 10, 5])), 'a.xml', labels)).toEqual([
      { label: 5, box, difficult: false },
    ])
    expect(
      vocObjects(voc(object('<![CDATA[dog & co]]>', [2, 1, 10, 5], '<difficult>1</difficult>')), 'a.xml', labels),
    ).toEqual([{ label: 5, box, difficult: true }])
    expect(vocObjects(voc(''), 'a.xml', labels)).toEqual([])
  })
  test('what is wrong is said with file and place, and nothing of the text', () => {
    const refused = (text: string, message: string) => {
      expect(() => vocObjects(text, 'a.xml', labels)).toThrow(FormatError)
      expect(() => vocObjects(text, 'a.xml', labels)).toThrow(message)
    }
    refused(voc(object('secret', [2, 1, 10, 5])), 'a.xml: object 1 is of a class that the label map does not have')
    refused(voc('<object><name>cat</name></object>'), 'a.xml: the bndbox of object 1 has no number as its xmin')
    refused(voc(object('cat', [9, 1, 3, 5])), 'a.xml: object 1: its box ends before it begins')
    refused('<annotation></annotation>', 'a.xml: its size has no number as its width')
    refused('<a>\n</b>', 'a.xml:2: an element ends that is not open')
    refused('<a><b></b>', 'a.xml: an element is not closed')
    refused('PATH=/secret', 'a.xml: an XML file has one outermost element, this has 0')
    refused('<a x="', 'a.xml:1: this is no XML')
    refused('<a>'.repeat(100), 'a.xml:1: more than 64 elements in one another')
    expect(parseXml('<a b="x>y"><c/>1 &lt; 2</a>', 'a.xml')).toEqual({
      name: 'a',
      children: [{ name: 'c', children: [], text: '' }],
      text: '1 < 2',
    })
  })
  test('a size that an .xml leaves out is that of the picture; one that it has counts', () => {
    const text = `<annotation>${object('cat', [2, 1, 10, 5])}</annotation>`
    const [{ box }] = vocObjects(text, 'a.xml', labels, { height: 20, width: 40 })
    expect(box).toEqual({ xmin: 0.05, ymin: 0.05, xmax: 0.25, ymax: 0.25 })
    const [{ box: own }] = vocObjects(voc(object('cat', [2, 1, 10, 5])), 'a.xml', labels, { height: 1, width: 1 })
    expect(own.xmax).toBe(0.5)
  })
  test('lines of text: label and corners in pixels', () => {
    const size = { height: 10, width: 20 }
    expect(textObjects('3 2 1 10 5\r\n\n 1\t0 0 20 10', 'a.txt', size)).toEqual([
      { label: 3, box: { xmin: 0.1, ymin: 0.1, xmax: 0.5, ymax: 0.5 }, difficult: false },
      { label: 1, box: { xmin: 0, ymin: 0, xmax: 1, ymax: 1 }, difficult: false },
    ])
    for (const line of ['1 2 3 4', '1 2 3 4 5 6', 'cat 2 1 10 5', '1.5 2 1 10 5', '1 2 1 x 5'])
      expect(() => textObjects(`1 0 0 1 1\n${line}`, 'a.txt', size)).toThrow('a.txt:2: the line is not a label, xmin')
    expect(() => textObjects('1 9 1 3 5', 'a.txt', size)).toThrow('a.txt:1: its box ends before it begins')
  })
  test('JSON of one picture: x, y, width and height, of the picture where it does not say its size', () => {
    const annotation = [
      { category_id: 18, bbox: [2, 1, 8, 4], iscrowd: 0 },
      { category_id: 18, bbox: [0, 0, 20, 10], iscrowd: 1 },
    ]
    const numbers = new Map([['18', 4]])
    const size = { height: 20, width: 40 }
    const read = (value: unknown) => jsonObjects(JSON.stringify(value), 'a.json', numbers, size)
    expect(read({ image: { height: 10, width: 20 }, annotation })).toEqual([
      { label: 4, box: { xmin: 0.1, ymin: 0.1, xmax: 0.5, ymax: 0.5 }, difficult: false },
      { label: 4, box: { xmin: 0, ymin: 0, xmax: 1, ymax: 1 }, difficult: true },
    ])
    expect(read({ annotation })[0].box.xmax).toBe(0.25)
    expect(() => read({})).toThrow('a.json: it has no list of annotation')
    expect(() => read(null)).toThrow('a.json: it has no list of annotation')
    expect(() => read({ image: { height: 'x', width: 2 }, annotation })).toThrow('no height and width that are numbers')
    expect(() => read({ annotation: [{ category_id: 3, bbox: [0, 0, 1, 1] }] })).toThrow('annotation 0 is of a class')
    expect(() => read({ annotation: [{ category_id: 18, bbox: [0, 0, 1] }] })).toThrow('no bbox of four numbers')
    expect(() => jsonObjects('{', 'a.json', numbers, size)).toThrow('a.json: this is no JSON')
  })
  test('a name that a label map has twice: the last one, or an error', () => {
    const item = [
      { name: 'cat', label: 1 },
      { name: 'cat', label: 2 },
    ]
    expect(labelsOf({ item }).get('cat')).toBe(2)
    expect(() => labelsOf({ item }, true)).toThrow("the label map has the name 'cat' more than once")
  })
  test("COCO's pictures, labels by number or by map", () => {
    const objects = (given?: Map<string, number>) => cocoPictures(JSON.stringify(coco), 'c.json', given)[1].objects
    expect(cocoPictures(JSON.stringify(coco), 'c.json').map(({ path }) => path)).toEqual(['b.png', 'a.png'])
    expect(objects().map(({ label, difficult }) => [label, difficult])).toEqual([
      [2, false],
      [1, true],
    ])
    expect(objects()[0].box).toEqual({ xmin: 0.1, ymin: 0.1, xmax: 0.5, ymax: 0.5 })
    expect(
      objects(
        new Map([
          ['18', 1],
          ['cat', 9],
        ]),
      ).map(({ label }) => label),
    ).toEqual([1, 9])
    expect(() => objects(labels)).toThrow('c.json: annotation 0 is of a category without a label')
    expect(() => cocoPictures('{', 'c.json')).toThrow('c.json: this is no JSON')
    expect(() => cocoPictures('{"images": 3}', 'c.json')).toThrow('c.json: it has no list of')
    const far = { ...coco, annotations: [{ image_id: 99, category_id: 4, bbox: [0, 0, 1, 1] }] }
    expect(() => cocoPictures(JSON.stringify(far), 'c.json')).toThrow(
      'annotation 0 is of an image that the file does not have',
    )
  })
})

test('convertAnnoset makes what AnnotatedData reads', async () => {
  const output = join(folder, 'voc_lmdb')
  const options = {
    root: join(folder, 'in'),
    list: join(folder, 'list.txt'),
    labelMap: join(folder, 'map.prototxt'),
    encoded: true,
  }
  expect(await convertAnnoset({ ...options, output })).toEqual({ records: 2, objects: 2, skipped: [] })
  using net = await Net.create(
    parseNet(
      `layer { name: "data" type: "AnnotatedData" top: "data" top: "label" data_param { source: "${output}" batch_size: 2 backend: LMDB } }`,
    ),
    { engine: 'js' },
  )
  const { data, label } = await net.forward()
  expect(data.shape).toEqual([2, 3, 10, 20])
  expect(data.data[0]).toBe(90)
  expect([...label.data]).toEqual([0, 2, 0, 0.1, 0.1, 0.5, 0.5, 0, 0, 2, 1, 0, 0, 1, 1, 1].map(Math.fround))
  await expect(convertAnnoset({ ...options, labelMap: undefined, output: join(folder, 'none') })).rejects.toThrow(
    /labelMap gives them labels/,
  )
})

test('ristretto convert-annoset', async () => {
  const db = join(folder, 'coco_lmdb')
  const { code, out, err } = await cli('convert-annoset', join(folder, 'in'), join(folder, 'coco.json'), db, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(JSON.parse(out)).toEqual({ db, records: 2, objects: 2, skipped: [] })
  const reader = await LmdbReader.open(db)
  const cursor = reader.cursor()
  cursor.first()
  expect(new TextDecoder().decode(cursor.key)).toBe('00000000_b.png')
  expect(readMessage('AnnotatedDatum', cursor.value)).toMatchObject({
    type: 'BBOX',
    datum: { channels: 3, height: 10, width: 20 },
  })
  reader.close()
  const bad = await cli('convert-annoset', join(folder, 'in'), join(folder, 'list.txt'), join(folder, 'x'))
  expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('labelMap gives them labels') })
})

/** Sizes of the pictures of a database, and whether they have boxes. */
async function recordsOf(path: string) {
  const reader = await LmdbReader.open(path)
  const found: { size: string; boxes: number | undefined; label: number | undefined }[] = []
  for (const { value } of reader) {
    const { datum, type, annotation_group } = readMessage('AnnotatedDatum', value)
    found.push({
      size: `${datum?.height}×${datum?.width}`,
      boxes: type === 'BBOX' ? annotation_group?.length : undefined,
      label: datum?.label,
    })
  }
  reader.close()
  return found
}

test.each([
  // pictures are 10×20: the shorter side grows to 15, then the longer one may have 24
  [{ minDim: 15 }, '15×30'],
  [{ minDim: 15, maxDim: 24 }, '12×24'],
  [{ maxDim: 10 }, '5×10'],
  [{ minDim: 5, maxDim: 30 }, '10×20'],
])('%j makes them %s, and boxes are shares of them', async (dims, size) => {
  const output = join(folder, `dims ${size}`)
  writeFileSync(join(folder, 'in', 'a.txt'), '3 2 1 10 5')
  writeFileSync(join(folder, 'text.txt'), 'a.png a.txt\n')
  const options = { root: join(folder, 'in'), list: join(folder, 'text.txt'), labelType: 'txt' as const, output }
  expect(await convertAnnoset({ ...options, ...dims })).toEqual({ records: 1, objects: 1, skipped: [] })
  expect(await recordsOf(output)).toEqual([{ size, boxes: 1, label: 0 }])
})

test('classification: labels from the list, no boxes; sizes that differ and sizes set twice are refused', async () => {
  const list = join(folder, 'classes.txt')
  writeFileSync(list, 'a.png 7\nb.png 2\n')
  const options = { root: join(folder, 'in'), list, annoType: 'classification' as const, checkSize: true }
  const output = join(folder, 'classes_lmdb')
  await convertAnnoset({ ...options, output })
  expect((await recordsOf(output)).map(({ boxes, label }) => [boxes, label])).toEqual([
    [undefined, 7],
    [undefined, 2],
  ])
  await sharp(new Uint8Array(300).fill(90), { raw: { width: 10, height: 10, channels: 3 } })
    .png()
    .toFile(join(folder, 'in', 'c.png'))
  writeFileSync(list, 'a.png 7\nc.png 2\n')
  await expect(convertAnnoset({ ...options, output: `${output}2` })).rejects.toThrow(
    /classes.txt:2 is 3×10×10, the first picture 3×10×20: one size was asked for/,
  )
  await expect(
    convertAnnoset({ ...options, output: `${output}3`, resizeWidth: 4, resizeHeight: 4, minDim: 3 }),
  ).rejects.toThrow(/a size, or minDim and maxDim/)
})
