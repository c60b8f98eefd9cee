import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fileKind } from '../../lib/data/file_kind.js'
import { loadHdf5 } from '../../lib/data/hdf5.js'
import { FormatError, NetError } from '../../lib/errors.js'
import type { BlobProto } from '../../lib/generated/caffe.js'
import { Net } from '../../lib/net.js'
import { writeDatum } from '../../lib/proto/datum.js'
import { parseNet } from '../../lib/proto/text.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { loadMean } from '../../lib/pycaffe/io/protos.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

const text = `${inputLayer('x', '1×2')}
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }`
const netWith = (weights: Uint8Array) => Net.create(parseNet(text), { engine: 'js', seed: 1, weights })
const solver = (snapshot_format: 'BINARYPROTO' | 'HDF5') =>
  createSolver(
    { base_lr: 0.1, lr_policy: 'fixed', momentum: 0.9, snapshot_format, net_param: parseNet(text) },
    { engine: 'js', seed: 1 },
  )
const mean = writeMessage('BlobProto', { shape: { dim: [1, 2, 2] }, data: new Float32Array(4) } as BlobProto)
const oldMean = writeMessage('BlobProto', {
  ...{ num: 1, channels: 1, height: 2, width: 2 },
  data: new Float32Array(4),
} as BlobProto)
const datum = writeDatum({ channels: 1, height: 2, width: 2, data: new Uint8Array(4), label: 3 })

describe('what a file is, by its content', () => {
  it("Caffe's own messages, of this library and of Caffe", async () => {
    const binary = await solver('BINARYPROTO')
    const snapshot = await binary.snapshot()
    expect(fileKind(snapshot.model as Uint8Array)?.kind).toBe('model')
    expect(fileKind(snapshot.state as Uint8Array)?.kind).toBe('state')
    for (const blob of [mean, oldMean]) expect(fileKind(blob)?.kind).toBe('blob')
    expect(fileKind(datum)?.kind).toBe('datum')
    expect(fileKind(readFileSync(goldenPath('nets/lenet/lenet.caffemodel')))?.kind).toBe('model')
    const { solvers } = JSON.parse(readFileSync(goldenPath('solvers/solvers.json'), 'utf8')) as {
      solvers: { snapshots_at_10?: Record<string, { model: string; state: string }> }[]
    }
    const saved = solvers.flatMap(run => (run.snapshots_at_10?.BINARYPROTO ? [run.snapshots_at_10.BINARYPROTO] : []))
    expect(saved.length).toBeGreaterThan(0)
    for (const { model, state } of saved) {
      expect(fileKind(readFileSync(goldenPath(`solvers/${model}`)))?.kind).toBe('model')
      const found = fileKind(readFileSync(goldenPath(`solvers/${state}`)))
      expect(found?.kind).toBe('state')
      expect(found?.text).toMatch(/^a solver state; its model is '.*caffemodel'$/)
    }
  })

  it.each([
    ['a PNG picture', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['a JPEG picture', [0xff, 0xd8, 0xff, 0xe0]],
    ['a zip archive', [0x50, 0x4b, 3, 4]],
    ['an archive of a model', [0x50, 0x4b, 3, 4, ...new Uint8Array(26), ...new TextEncoder().encode('info.json')]],
    ['gzip', [0x1f, 0x8b, 8]],
    ['an LMDB database', [...new Array(16).fill(0), 0xde, 0xc0, 0xef, 0xbe]],
    ['an ONNX model', [8, 7, 18, 7, ...Buffer.from('pytorch'), 0x3a, 2, 0, 0]],
  ] as [string, number[]][])('%s is named, and is no weights', async (name, start) => {
    expect(fileKind(Uint8Array.from(start))?.text).toContain(name)
    await expect(netWith(Uint8Array.from(start))).rejects.toThrow(
      new RegExp(`the given bytes: this is .*${name}.*; weights are read from a model`),
    )
  })

  it.each([
    ['the prototxt of a net', text],
    ['the prototxt of a solver', 'net: "a.prototxt"\nbase_lr: 0.01\nlr_policy: "fixed"\n'],
    ['Git LFS', `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12\n`],
    ['a web page', '<!DOCTYPE html>\n<html><head><title>404</title></head></html>'],
  ])('%s likewise', async (name, content) => {
    await expect(netWith(new Uint8Array(Buffer.from(content)))).rejects.toThrow(name)
  })
})

describe('files in the place of others', () => {
  it.each(['BINARYPROTO', 'HDF5'] as const)('%s: states are no weights, models no states', async format => {
    const made = await solver(format)
    const { model, state } = (await made.snapshot()) as { model: Uint8Array; state: Uint8Array }
    await expect(netWith(state)).rejects.toThrow(/: this is a solver state; weights are read from a model/)
    await expect(netWith(state)).rejects.toThrow(FormatError)
    const other = await solver(format)
    await expect(other.restore(model)).rejects.toThrow(
      /the given solver state: this is a model; training goes on from a solver state.*option weights/,
    )
    await other.restore(state, model)
    await netWith(model)
  })

  it('means, records and data sets are no weights; the mean of a net is a mean', async () => {
    await expect(netWith(mean)).rejects.toThrow(/this is a single blob/)
    await expect(netWith(datum)).rejects.toThrow(/this is a Datum/)
    const data = (await loadHdf5()).write([
      ['data', { shape: [2, 2], data: new Float32Array(4) }],
      ['label', Int32Array.of(1, 2)],
    ])
    await expect(netWith(data)).rejects.toThrow(/this is an HDF5 file of 'data', 'label'/)
    const made = await solver('BINARYPROTO')
    await expect(loadMean(await made.net.toBytes())).rejects.toThrow(/this is a model; a mean is/)
    expect((await loadMean(mean)).shape).toEqual([1, 2, 2])
    const memory = `layer { name: "d" type: "MemoryData" top: "d" top: "l" transform_param { mean_file: "m" }
      memory_data_param { batch_size: 1 channels: 1 height: 2 width: 2 } }`
    const create = (m: Uint8Array) => Net.create(parseNet(memory), { engine: 'js', files: () => m })
    await expect(create(datum)).rejects.toThrow(/the mean image in m: this is a Datum/)
    await create(mean)
  })

  it('a model without one layer of the net is an error, unless asked for', async () => {
    const other = await Net.create(parseNet(text.replace('"ip"', '"other"')), { engine: 'js', seed: 2 })
    const bytes = await other.toBytes()
    await expect(netWith(bytes)).rejects.toThrow(NetError)
    const net = await Net.create(parseNet(text), { engine: 'js', seed: 1 })
    await expect(net.copyFrom({ name: 'no layers' })).rejects.toThrow(/no layer of the source has the name/)
    const report = await net.copyFrom(bytes, { strict: false })
    expect(report).toMatchObject({ loaded: [], extra: ['other'], missing: ['ip'] })
  })
})
