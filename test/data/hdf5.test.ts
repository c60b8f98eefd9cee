import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { loadHdf5 } from '../../lib/data/hdf5.js'
import { FormatError, NetError } from '../../lib/errors.js'
import type { Phase } from '../../lib/layer.js'
import type { HDF5OutputLayer } from '../../lib/layers/hdf5_output.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { createFiles } from '../../lib/system/files.js'
import { arrayOf, golden, io } from './golden_io.js'

const folder = await mkdtemp(join(tmpdir(), 'hdf5-'))
afterAll(() => rm(folder, { recursive: true }))

const netHere = (text: string, phase: Phase = 'TRAIN', seed = 1) =>
  Net.create(parseNet(text), { phase, seed, engine: 'js', near: createFiles(undefined, join(folder, 'net.prototxt')) })

describe('HDF5 files', () => {
  it('what is written reads back: arrays in groups, integers, strings', async () => {
    const hdf5 = await loadHdf5()
    const data = Float32Array.from({ length: 24 }, (_, i) => i / 7)
    const bytes = hdf5.write([
      ['data/conv1/0', { shape: [2, 3, 4], data }],
      ['data/conv1/1', { shape: [24], data }],
      ['iter', Int32Array.of(120)],
      ['learned_net', 'lenet.caffemodel'],
      ['scalar', { shape: [], data: Float32Array.of(2.5) }],
    ])
    const reader = hdf5.open(bytes, 'x')
    expect(reader.names()).toEqual(['data', 'iter', 'learned_net', 'scalar'])
    expect(reader.names('data/conv1')).toEqual(['0', '1'])
    expect(reader.read('data/conv1/0')).toEqual({ shape: [2, 3, 4], data })
    expect(reader.read('iter')).toEqual({ shape: [1], data: Float32Array.of(120) })
    expect(reader.text('learned_net')).toBe('lenet.caffemodel')
    expect(reader.read('scalar')).toEqual({ shape: [], data: Float32Array.of(2.5) })
    expect(reader.has('iter')).toBe(true)
    expect(reader.has('data')).toBe(false)
    expect(() => reader.read('weights')).toThrow(/x: there is no dataset 'weights'; the file has data, iter/)
    expect(() => reader.read('learned_net')).toThrow(/neither floats nor integers/)
    reader.close()
  })

  it('reads large datasets in blocks', async () => {
    const hdf5 = await loadHdf5()
    const data = Float32Array.from({ length: 2 * 3_000_000 }, (_, i) => i & 0xffff)
    const reader = hdf5.open(hdf5.write([['data', { shape: [2, 3_000_000], data }]]), 'large')
    const read = reader.read('data')
    reader.close()
    expect(Buffer.compare(Buffer.from(read.data.buffer), Buffer.from(data.buffer))).toBe(0)
  })

  it('damaged files end in a FormatError, without a word on the console', async () => {
    const said = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')]
    const hdf5 = await loadHdf5()
    expect(() => hdf5.open(new Uint8Array(100), 'zeros')).toThrow(/zeros: no HDF5 file/)
    const clean = new Uint8Array(await readFile(io('hdf5/b.h5')))
    expect(() => hdf5.open(clean.slice(0, 3000), 'half')).toThrow(/half: damaged HDF5 file/)
    const stream = new RandomStream(1, 'flips')
    for (let trial = 0; trial < 300; trial++) {
      stream.iteration = trial
      const bytes = clean.slice()
      for (let flip = 0; flip < 6; flip++) bytes[stream.integer(bytes.length)] ^= 1 << stream.integer(8)
      try {
        const reader = hdf5.open(bytes, 'x')
        try {
          for (const name of reader.names()) reader.read(name)
        } finally {
          reader.close()
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }
    for (const spy of said) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })
})

describe('HDF5Output', () => {
  it('writes the datasets that Caffe writes', async () => {
    const { prototxt, d, l, dataset_shapes } = golden.hdf5_output
    const file = join(folder, 'written.h5')
    const net = await Net.create(parseNet(prototxt.replace('hdf5/written.h5', file)), { engine: 'js', outputs: folder })
    await net.forward({ d: arrayOf(d), l: arrayOf(l) })
    const hdf5 = await loadHdf5()
    const ours = hdf5.open(new Uint8Array(await readFile(file)), file)
    const caffes = hdf5.open(new Uint8Array(await readFile(io('hdf5/written.h5'))), 'written.h5')
    expect(ours.names()).toEqual(caffes.names())
    for (const name of ['data', 'label']) {
      expect(ours.read(name).shape).toEqual(dataset_shapes[name])
      expect(ours.read(name)).toEqual(caffes.read(name))
    }
    ours.close()
    caffes.close()
    expect((net.layers.at(-1) as HDF5OutputLayer).bytes).toEqual(new Uint8Array(await readFile(file)))
    await expect(net.forward()).rejects.toThrow(/it holds one forward pass/)
    net.dispose()
  })

  it('wants as many labels as items', async () => {
    const text = golden.hdf5_output.prototxt.replace('shape { dim: 4 }', 'shape { dim: 3 }')
    await expect(netHere(text)).rejects.toThrow(/'d' has 4 items, 'l' 3/)
  })
})

describe('HDF5Data', () => {
  const layer = (more: string, rest = '') =>
    `layer { name: "data" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "list.txt" batch_size: 4 ${more} } ${rest} }`

  /** Files of 5, 3 and 6 rows; row k of all rows holds [k, k, k], its label is k. */
  async function writeFiles(): Promise<void> {
    const hdf5 = await loadHdf5()
    let row = 0
    for (const [i, rows] of [5, 3, 6].entries()) {
      const labels = Int32Array.from({ length: rows }, (_, k) => row + k)
      const data = Float32Array.from({ length: rows * 3 }, (_, k) => row + Math.floor(k / 3))
      await writeFile(
        join(folder, `${i}.h5`),
        hdf5.write([
          ['data', { shape: [rows, 3], data }],
          ['label', labels],
        ]),
      )
      row += rows
    }
    await writeFile(join(folder, 'list.txt'), '0.h5\n1.h5\n2.h5\n')
  }

  async function rowsOf(net: Net, batches: number): Promise<number[]> {
    const rows: number[] = []
    for (let i = 0; i < batches; i++) {
      const { data, label } = await net.forward()
      expect([...data.data]).toEqual([...label.data].flatMap(k => [k, k, k]))
      rows.push(...label.data)
    }
    return rows
  }

  it('takes every row of every file once an epoch; shuffled, in another order each time', async () => {
    await writeFiles()
    const plain = await netHere(layer(''))
    const all = Array.from({ length: 14 }, (_, k) => k)
    expect(await rowsOf(plain, 7)).toEqual([...all, ...all])

    const shuffled = await netHere(layer('shuffle: true'))
    const rows = await rowsOf(shuffled, 7)
    const [first, second] = [rows.slice(0, 14), rows.slice(14)]
    const ascending = (list: number[]) => [...list].sort((a, b) => a - b)
    expect(ascending(first)).toEqual(all)
    expect(ascending(second)).toEqual(all)
    expect(first).not.toEqual(all)
    expect(second).not.toEqual(first)
    for (const net of [plain, shuffled]) net.dispose()
  })

  it('goes on where a snapshot left it, shuffled too', async () => {
    await writeFiles()
    for (let before = 0; before < 5; before++) {
      const first = await netHere(layer('shuffle: true'), 'TRAIN', 9)
      await rowsOf(first, before)
      const state = first.layers[0].saveState()!
      const expected = await rowsOf(first, 5)
      const second = await netHere(layer('shuffle: true'), 'TRAIN', 9)
      second.layers[0].restoreState(state)
      expect(await rowsOf(second, 5)).toEqual(expected)
      for (const net of [first, second]) net.dispose()
    }
  })

  it('says what is wrong', async () => {
    await writeFiles()
    await expect(netHere(layer('', 'transform_param { scale: 2 }'))).rejects.toThrow(
      /layer 'data' \(HDF5Data\): it takes no transform_param/,
    )
    await expect(netHere(layer('').replace('batch_size: 4', ''))).rejects.toThrow(NetError)
    await expect(netHere(layer('').replace('top: "label"', 'top: "labels"'))).rejects.toThrow(
      /layer 'data' \(HDF5Data\): 0.h5: there is no dataset 'labels'; the file has data, label/,
    )
    const hdf5 = await loadHdf5()
    const uneven = hdf5.write([
      ['data', { shape: [2, 3], data: new Float32Array(6) }],
      ['label', Int32Array.of(1)],
    ])
    await writeFile(join(folder, '0.h5'), uneven)
    await expect(netHere(layer(''))).rejects.toThrow(/'data' has 2 rows, 'label' 1/)
    await writeFile(join(folder, 'list.txt'), ' \n')
    await expect(netHere(layer(''))).rejects.toThrow(/names no files/)
  })
})
