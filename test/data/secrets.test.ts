import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseImageList } from '../../lib/data/image_list.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { parseWindowList } from '../../lib/data/window_list.js'
import { RistrettoError } from '../../lib/errors.js'
import type { Datum } from '../../lib/generated/caffe.js'
import { createSolver } from '../../lib/index.js'
import { Net } from '../../lib/net.js'
import { writeDatum } from '../../lib/proto/datum.js'
import { schema } from '../../lib/proto/schema.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { convertAnnoset } from '../../lib/tools/convert_annoset.js'
import { convertImageset } from '../../lib/tools/convert_imageset.js'
import { computeImageMean } from '../../lib/tools/image_mean.js'
import { goldenPath } from '../golden.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-secrets-'))
afterAll(() => rmSync(folder, { recursive: true }))
const [file, db, voc, coco, labelMap] = ['list', 'db', 'voc.txt', 'coco.json', 'labels'].map(name => join(folder, name))

async function writeDatabase(path: string, records: Record<string, Datum | Uint8Array>) {
  const writer = await LmdbWriter.create(path, { overwrite: true })
  for (const [key, value] of Object.entries(records))
    writer.put(key, value instanceof Uint8Array ? value : writeDatum(value))
  await writer.finish()
}

const net = (text: string) => Net.create(parseNet(text), { engine: 'js' })
const images = () =>
  net(`layer { name: "d" type: "ImageData" top: "x" top: "y" image_data_param { source: "${file}" batch_size: 1 } }`)
const windows = () =>
  net(`layer { name: "d" type: "WindowData" top: "x" top: "y" transform_param { crop_size: 2 }
    window_data_param { source: "${file}" batch_size: 1 fg_threshold: 0.5 bg_threshold: 0.5 fg_fraction: 0 } }`).then(
    net => net.forward(),
  )
const solver = (text: string) => createSolver(parseSolver(`${text} base_lr: 1 lr_policy: "fixed"`), { engine: 'js' })
const tiny = 'net_param { input: "x" input_shape { dim: 1 } }'
const database = (type: string, backend: string) => () =>
  net(
    `layer { name: "d" type: "${type}" top: "x" top: "y" data_param { source: "${file}" batch_size: 1 backend: ${backend} } }`,
  )
const mean = (type: string, param: string, fields: string) => () =>
  net(`layer { name: "d" type: "${type}" top: "x" top: "y" transform_param { mean_file: "${file}" crop_size: 1 }
    ${param} { ${fields} } }`)
const annotations = (list: string) => () =>
  convertAnnoset({ list, labelMap, output: join(folder, 'boxes'), overwrite: true })

const saving = (tried: string, other: string) => () =>
  net(`input: "l" input_shape { dim: 1 dim: 4 } input: "c" input_shape { dim: 1 dim: 2 }
    input: "p" input_shape { dim: 1 dim: 2 dim: 4 }
    layer { name: "o" type: "DetectionOutput" bottom: "l" bottom: "c" bottom: "p" top: "o"
      detection_output_param { num_classes: 2 nms_param { nms_threshold: 0.5 } save_output_param {
        output_directory: "${folder}" output_format: "VOC" ${tried}: "${file}" ${other}: "${labelMap}" } } }`)

/** Every field that names a file, and what reads the file. */
const fields: Record<string, (() => Promise<unknown>)[] | 'not read' | 'written'> = {
  'SolverParameter.net': [() => solver(`net: "${file}"`)],
  'SolverParameter.train_net': [() => solver(`train_net: "${file}"`)],
  'SolverParameter.test_net': [() => solver(`${tiny} test_net: "${file}" test_iter: 1 test_interval: 1`)],
  'SolverParameter.weights': [() => solver(`${tiny} weights: "${file}"`)],
  'SolverParameter.snapshot_prefix': 'written',
  'SolverState.learned_net': [
    async () => (await solver(tiny)).restore(writeMessage('SolverState', { iter: 1, learned_net: file })),
  ],
  'TransformationParameter.mean_file': [
    mean('MemoryData', 'memory_data_param', 'batch_size: 1 channels: 1 height: 1 width: 1'),
    mean('Data', 'data_param', `source: "${db}" batch_size: 1 backend: LMDB`),
  ],
  // Caffe's old places of the mean are brought up to date
  'DataParameter.mean_file': [
    () =>
      net(`layers { name: "d" type: DATA top: "x" top: "y"
      data_param { source: "${db}" batch_size: 1 backend: LMDB mean_file: "${file}" } }`),
  ],
  'ImageDataParameter.mean_file': 'not read',
  'WindowDataParameter.mean_file': 'not read',
  'DenseImageDataParameter.mean_file': 'not read',
  'V0LayerParameter.meanfile': 'not read',
  'DataParameter.source': [
    database('Data', 'LMDB'),
    database('Data', 'LEVELDB'),
    database('AnnotatedData', 'LMDB'),
    database('AnnotatedData', 'LEVELDB'),
  ],
  'HDF5DataParameter.source': [
    () => net(`layer { name: "d" type: "HDF5Data" top: "x" hdf5_data_param { source: "${file}" batch_size: 1 } }`),
  ],
  'ImageDataParameter.source': [images],
  'WindowDataParameter.source': [windows],
  'InfogainLossParameter.source': [
    () =>
      net(`input: "x" input_shape { dim: 1 dim: 2 } input: "y" input_shape { dim: 1 }
        layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "y" top: "l" infogain_loss_param { source: "${file}" } }`),
  ],
  'V0LayerParameter.source': [
    () => net(`layers { layer { name: "d" type: "data" source: "${file}" batchsize: 1 } top: "x" top: "y" }`),
  ],
  'DenseImageDataParameter.source': [
    () =>
      net(`layer { name: "d" type: "DenseImageData" top: "x" top: "y"
        dense_image_data_param { source: "${file}" batch_size: 1 } }`),
  ],
  'MeanParameter.file': [
    () =>
      net(`input: "x" input_shape { dim: 1 dim: 1 dim: 1 dim: 1 }
        layer { name: "m" type: "Mean" bottom: "x" top: "y" mean_param { operation: SUBTRACT file: "${file}" } }`),
  ],
  'HDF5OutputParameter.file_name': 'written',
  'ImageDataParameter.root_folder': 'not read',
  'WindowDataParameter.root_folder': 'not read',
  'DenseImageDataParameter.root_folder': 'not read',
  'DenseImageDataParameter.root_folder_image': 'not read',
  'DenseImageDataParameter.root_folder_label': 'not read',
  'SaveOutputParameter.output_directory': 'written',
  'SaveOutputParameter.output_name_prefix': 'written',
  'SaveOutputParameter.label_map_file': [saving('label_map_file', 'name_size_file')],
  'SaveOutputParameter.name_size_file': [saving('name_size_file', 'label_map_file')],
  'DetectionEvaluateParameter.name_size_file': 'not read',
  'AnnotatedDataParameter.label_map_file': 'not read',
  'YoloDetectionOutputParameter.label_map_file': 'not read',
  'DetectionOutputParameter.save_file': 'not read',
  'VideoDataParameter.video_file': 'not read',
}

/** What programs and commands read. */
const readers = {
  weights: () => Net.create(parseNet('input: "x" input_shape { dim: 1 }'), { engine: 'js', weights: file }),
  state: async () => (await solver(tiny)).restore(file),
  'convert-imageset': () => convertImageset({ list: file, output: join(folder, 'db'), overwrite: true }),
  'image mean': () => computeImageMean(file),
  'convert-annoset': annotations(file),
  annotation: annotations(voc),
  'COCO instances': annotations(coco),
}

it('the table knows every field that names a file', () => {
  const found = schema.names.flatMap(message =>
    schema
      .message(message)
      .fields.filter(
        ({ name, type }) => type === 'string' && /file|source|(^|_)net$|weights|folder|directory|prefix/.test(name),
      )
      .map(({ name }) => `${message}.${name}`),
  )
  expect(Object.keys(fields).sort()).toEqual(found.sort())
})

it('no error of a reader quotes the file that it reads', async () => {
  writeFileSync(voc, `${join(folder, 'a.png')} ${file}.xml\n`)
  writeFileSync(labelMap, 'item { name: "cat" label: 1 }')
  await writeDatabase(db, { a: { channels: 1, height: 1, width: 1, data: new Uint8Array(1) } })
  const all = { ...fields, ...Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, [read]])) }
  const tried = Object.entries(all).flatMap(([name, reads]) =>
    typeof reads === 'string' ? [] : reads.map(read => [name, read] as const),
  )
  const texts = [
    'TOKEN=hunter2\0HOME=/hunter2\0',
    'hunter2:x:0:0:hunter2:/hunter2:/bin/sh\n',
    'hunter2 hunter2\n',
    '/hunter2/hunter2.png 0\n',
    '# 0 hunter2 3 4 4 1 1 0.1 0 0 1 1\n',
    '# hunter2',
    '# 0 path hunter2',
    '# 0 path 3 4 4 1 hunter2',
    'hunter2',
    'password: "hunter2"\ntoken: hunter2 # hunter2\n',
    'name: hunter2\nlayers: hunter2\n',
    'name: "hunter2"\nstate { phase: hunter2 }\n',
    'base_lr: hunter2\nnet: "hunter2"\n',
    '[default]\nkey = hunter2\n',
    '{"key": "hunter2", "images": [{"hunter2": 1}], "annotations": "hunter2"}',
    '<annotation><hunter2>hunter2</hunter2></annotation>',
    '-----BEGIN KEY-----\nhunter2/hunter2+hunter2=\n',
    // a number and bytes, as a solver state begins
    '\x08\x01\x12\x07hunter2',
    '\x0a\x09hunter2',
    '\x12\x07hunter2',
  ]
  for (const text of texts) {
    for (const path of [file, `${file}.xml`, coco]) writeFileSync(path, text)
    for (const [name, read] of tried) {
      const error = await read().then(
        () => undefined,
        (error: Error) => error,
      )
      expect(error, `${name}: ${text}`).toBeInstanceOf(RistrettoError)
      for (const told of [error?.message, (error as RistrettoError).sourceLine])
        expect(told ?? '', `${name}: ${text}`).not.toContain('hunter2')
    }
  }
})

it('neither the text of the message nor its place quotes what a solver names as its net, unless it is one', async () => {
  writeFileSync(file, 'root:x:0\n')
  const error = await solver(`net: "${file}"`).catch((error: RistrettoError) => error)
  expect(error).toMatchObject({ message: expect.stringContaining(`${file}:1: this is named as a net, but no layer`) })
  expect(error).not.toHaveProperty('sourceLine')
  writeFileSync(file, 'base_lr: 0.1')
  await expect(solver(`net: "${file}"`)).rejects.toThrow("is this a solver's prototxt?")
  writeFileSync(file, 'layer { name: "r" type: "ReLU" botom: "x" top: "y" }')
  await expect(solver(`net: "${file}"`)).rejects.toThrow(`${file}:1: LayerParameter has no field 'botom'`)
})

it('nor what DetectionOutput names as its label map and its list of pictures', async () => {
  writeFileSync(labelMap, 'item { name: "cat" label: 1 }')
  writeFileSync(file, 'root:x:0\n')
  await expect(saving('label_map_file', 'name_size_file')()).rejects.toThrow(`${file} is no label map: no item with a`)
  await expect(saving('name_size_file', 'label_map_file')()).rejects.toThrow(`${file}:1: the line is not a name, a`)
  writeFileSync(file, 'item { name: "cat" label: 1 lable: 2 }')
  await expect(saving('label_map_file', 'name_size_file')()).rejects.toThrow(
    `${file}:1: LabelMapItem has no field 'lable'`,
  )
})

it('databases and lists are told by record and line', async () => {
  const key = 'hunter2'
  const good = { channels: 1, height: 2, width: 2, data: new Uint8Array(4) }
  for (const [bad, message] of [
    [{ ...good, data: new Uint8Array(3) }, 'record 1 is 1×2×2, but holds 3 values'],
    [{ ...good, height: 1, data: new Uint8Array(2) }, 'record 1 is 1×1×2, record 0 is 1×2×2: a mean needs'],
    [{ data: new Uint8Array(9), encoded: true }, 'record 1: 9 bytes that are no PNG'],
    [new Uint8Array([0x0a, 9]), 'record 1: '],
  ] as const) {
    await writeDatabase(db, { [`0${key}`]: good, [`1${key}`]: bad })
    const error = await computeImageMean(db).catch((error: Error) => error)
    expect(error).toMatchObject({ message: expect.stringContaining(`${db}: ${message}`) })
    expect((error as Error).message).not.toContain(key)
  }
  writeFileSync(file, `\n${key}.png 0\n${goldenPath('io/images/c0.png')} 1\n`)
  const told: string[] = []
  const onSkip = (_: string, error: Error) => told.push(error.message)
  await convertImageset({ list: file, output: db, overwrite: true, onSkip })
  expect(told).toEqual([`${file}:2: its file cannot be read (ENOENT)`])
})

it('errors of lists name file and line', async () => {
  writeFileSync(file, '\n/gone.png 3\n')
  await expect(images()).rejects.toThrow(`layer 'd' (ImageData): image 0 (line 2) of ${file}: its file is not found`)
  writeFileSync(file, 'x.png\t3')
  await expect(images()).rejects.toThrow(`${file}:1: the line is not a path, a space and a whole number`)
})

it('a label is a whole number of 32 bits, in lists of images', () => {
  for (const label of ['0.8563', '-2.9', '3abc', '1e3', '0x10', '', 'NaN', '2147483648', '-2147483649', '1_0', '١'])
    expect(() => parseImageList(`a.png 1\nb.png ${label}x`.slice(0, -1), 'l')).toThrow(/^l:2: the l/)
  expect(() => parseImageList('a.png 0.5', 'l')).toThrow(/HDF5Data takes labels that are any numbers/)
  expect(parseImageList('a b.png -7\r\n\nc.png +2147483647\n', 'l')).toEqual({
    paths: ['a b.png', 'c.png'],
    labels: [-7, 2147483647],
    lines: [1, 3],
  })
})

it('in window files, and whatever else is counted there', () => {
  const good = ['#', '0', 'a.png', '3', '10', '10', '1', '1', '0.7', '0', '0', '5', '5']
  expect(parseWindowList(good.join('\n'), 'w', 0.5, 0.5).images[0]).toEqual({
    path: 'a.png',
    line: 3,
    shape: [3, 10, 10],
  })
  for (const at of [1, 3, 4, 5, 6, 7, 9, 10, 11, 12])
    for (const bad of ['1.5', '3abc', '0x1', '1e1', 'x'])
      expect(() => parseWindowList(good.with(at, bad).join('\n'), 'w', 0.5, 0.5)).toThrow(
        new RegExp(`^w:${at + 1}: no whole number stands for .* of image 0$`),
      )
  expect(() => parseWindowList(good.with(8, '0.7x').join('\n'), 'w', 0.5, 0.5)).toThrow(
    /^w:9: no number stands for an overlap/,
  )
})

it('in the list that a program gives', async () => {
  for (const label of [0.8563, Number.NaN, 2 ** 31])
    await expect(convertImageset({ list: [{ path: 'a.png', label }], output: join(folder, 'db') })).rejects.toThrow(
      /the label of image 0 is .*; a Datum holds whole numbers of 32 bits/,
    )
})
