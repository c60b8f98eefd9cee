import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseImageList } from '../../lib/data/image_list.js'
import { parseWindowList } from '../../lib/data/window_list.js'
import { RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { convertImageset } from '../../lib/tools/convert_imageset.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-secrets-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'list')

const net = (text: string) => Net.create(parseNet(text), { engine: 'js' })
const images = () =>
  net(`layer { name: "d" type: "ImageData" top: "x" top: "y" image_data_param { source: "${file}" batch_size: 1 } }`)
const windows = () =>
  net(`layer { name: "d" type: "WindowData" top: "x" top: "y" transform_param { crop_size: 2 }
    window_data_param { source: "${file}" batch_size: 1 fg_threshold: 0.5 bg_threshold: 0.5 fg_fraction: 0 } }`).then(
    net => net.forward(),
  )
const readers = {
  images,
  windows,
  'HDF5 list': () =>
    net(`layer { name: "d" type: "HDF5Data" top: "x" hdf5_data_param { source: "${file}" batch_size: 1 } }`),
  mean: () =>
    net(`layer { name: "d" type: "MemoryData" top: "x" top: "y" transform_param { mean_file: "${file}" }
      memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 } }`),
  matrix: () =>
    net(`input: "x" input_shape { dim: 1 dim: 2 } input: "y" input_shape { dim: 1 }
      layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "y" top: "l" infogain_loss_param { source: "${file}" } }`),
  weights: () => Net.create(parseNet('input: "x" input_shape { dim: 1 }'), { engine: 'js', weights: file }),
  'convert-imageset': () => convertImageset({ list: file, output: join(folder, 'db') }),
}

it('no error of a reader quotes the file that it reads', async () => {
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
  ]
  for (const text of texts) {
    writeFileSync(file, text)
    for (const read of Object.values(readers)) {
      const error = await read().then(
        () => undefined,
        (error: Error) => error,
      )
      expect(error).toBeInstanceOf(RistrettoError)
      expect(error?.message).not.toContain('hunter2')
    }
  }
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
