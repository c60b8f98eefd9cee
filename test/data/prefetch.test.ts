import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatumDescription } from '../../lib/data/datum_source.js'
import { importPixels } from '../../lib/data/image.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { type AnyDescription, openSource } from '../../lib/data/open_source.js'
import { AheadBatches, type Batches, prefetch } from '../../lib/data/prefetch.js'
import type { Position } from '../../lib/data/source.js'
import { transformSpec } from '../../lib/data/transformer.js'
import { FormatError } from '../../lib/errors.js'
import type { TransformationParameter } from '../../lib/generated/caffe.js'
import { writeDatum } from '../../lib/proto/datum.js'
import { RandomStream } from '../../lib/rng.js'
import { io, netOf } from './golden_io.js'

const START: Position = { item: 0, record: 0, epoch: 0 }
const folder = await mkdtemp(join(tmpdir(), 'prefetch-'))
afterAll(() => rm(folder, { recursive: true }))

interface Batch {
  shape: readonly number[]
  data: Float32Array
  labels: Float32Array
}

async function describeDatums(
  path: string,
  batchSize: number,
  param: TransformationParameter = {},
): Promise<DatumDescription> {
  const surroundings = {
    phase: 'TRAIN' as const,
    seed: 5,
    stream: 'transform data',
    readFile: () => Promise.reject(new Error('none')),
  }
  const transform = await transformSpec(param, surroundings)
  return {
    kind: 'datum',
    layer: "layer 'data' (Data)",
    name: 'db',
    path,
    backend: 'LMDB',
    inFiles: true,
    batchSize,
    seed: 5,
    transform,
  }
}

async function take(batches: Batches, batchSize: number): Promise<Batch> {
  let batch: Batch | undefined
  await batches.next(shape => {
    const count = shape.reduce((product, size) => product * size, batchSize)
    batch = { shape, data: new Float32Array(count), labels: new Float32Array(batchSize) }
    return batch
  })
  return batch!
}

async function collect(
  batches: Batches,
  { batchSize }: AnyDescription,
  n: number,
): Promise<(Batch & { position: Position })[]> {
  const result = []
  for (let i = 0; i < n; i++) result.push({ ...(await take(batches, batchSize)), position: batches.position })
  batches.close()
  return result
}

const inline = (description: AnyDescription, start = START) =>
  openSource(
    description,
    { pixels: () => importPixels(() => import('ndarray-pixels')), readFile: () => Promise.reject(new Error('none')) },
    start,
  )

const random = { crop_size: 20, mirror: true, scale: 0.5, mean_value: [10] }

describe('the worker and this thread make the same batches', () => {
  it('of raw records, randomly cropped and mirrored, over the end of the database', async () => {
    const description = await describeDatums(io('mnist_200_lmdb'), 64, random)
    const expected = await collect(await inline(description), description, 8)
    const got = await collect(await prefetch(description, START, [1, 20, 20], 4), description, 8)
    expect(got).toEqual(expected)
    expect(got[7].position).toEqual({ item: 512, record: 112, epoch: 2 })
    // the second time around the same digits are cropped elsewhere
    const again = expected[3].data.subarray(8 * 400, 9 * 400)
    expect(again).not.toEqual(expected[0].data.subarray(0, 400))
  })

  it('of encoded images', async () => {
    const description = await describeDatums(io('images_encoded_lmdb'), 3, { force_color: true, mirror: true })
    const expected = await collect(await inline(description), description, 4)
    expect(await collect(await prefetch(description, START, [3, 20, 24], 2), description, 4)).toEqual(expected)
    expect(await collect(new AheadBatches(await inline(description), START), description, 4)).toEqual(expected)
  })

  it('of records that grow, one to a batch', async () => {
    const path = join(folder, 'growing')
    const writer = await LmdbWriter.create(path)
    for (let i = 1; i <= 6; i++) {
      const data = new Uint8Array(3 * i * i).fill(i)
      writer.put(`${i}`, writeDatum({ channels: 3, height: i, width: i, data, label: i }))
    }
    await writer.finish()
    const description = await describeDatums(path, 1)
    const expected = await collect(await inline(description), description, 13)
    expect(expected[5].shape).toEqual([3, 6, 6])
    expect(await collect(await prefetch(description, START, [3, 1, 1], 3), description, 13)).toEqual(expected)

    const pairs = await inline({ ...description, batchSize: 2 })
    expect(() => pairs.next(() => ({ data: new Float32Array(100), labels: undefined }))).toThrow(
      /layer 'data' \(Data\): record 1 of db: the item is 3×2×2, the first of its batch 3×1×1: items of different sizes need batch_size 1/,
    )
    pairs.close()
  })

  it('from any position on', async () => {
    const description = await describeDatums(io('mnist_200_lmdb'), 30, random)
    const all = await collect(await inline(description), description, 12)
    for (const batches of [
      await inline(description, all[6].position),
      await prefetch(description, all[6].position, [1, 20, 20], 4),
    ])
      expect(await collect(batches, description, 5)).toEqual(all.slice(7))
  })
})

describe('errors', () => {
  const damaged = join(folder, 'damaged')
  beforeAll(async () => {
    const writer = await LmdbWriter.create(damaged)
    for (let i = 0; i < 10; i++) {
      const size = i === 7 ? 11 : 12
      writer.put(`${i}`, writeDatum({ channels: 3, height: 2, width: 2, data: new Uint8Array(size), label: i }))
    }
    await writer.finish()
  })

  it('reach the forward pass whose batch they spoil, typed, with layer, source and record', async () => {
    const description = await describeDatums(damaged, 3)
    const message = "layer 'data' (Data): record 7 of db: the Datum says 3×2×2 and holds 11 values"
    for (const batches of [await inline(description), await prefetch(description, START, [3, 2, 2], 4)]) {
      await take(batches, 3)
      await take(batches, 3)
      const error = await take(batches, 3).catch((e: Error) => e)
      expect(error).toBeInstanceOf(FormatError)
      expect((error as Error).message).toBe(message)
      batches.close()
    }
  })

  it('a database that is gone is reported by the worker', async () => {
    const description = await describeDatums(join(folder, 'nowhere'), 3)
    const batches = await prefetch(description, START, [1, 1, 1], 2)
    await expect(take(batches, 3)).rejects.toThrow(/layer 'data' \(Data\): .*nowhere/)
    batches.close()
  })
})

describe('the Data layer', () => {
  const layer = (more: string) => `layer { name: "data" type: "Data" top: "data" top: "label" ${more} }`
  const mnist = (more = '', size = 7) =>
    layer(`data_param { source: "mnist_200_lmdb" batch_size: ${size} backend: LMDB ${more} }`)

  it('goes on where a snapshot left it', async () => {
    const text = mnist('rand_skip: 50').replace(' }', ' } transform_param { crop_size: 22 mirror: true }')
    const first = await netOf(text, 'TRAIN', 3)
    for (let i = 0; i < 40; i++) await first.forward()
    const state = first.layers[0].saveState()!
    const expected = await first.forward()

    const second = await netOf(text, 'TRAIN', 3)
    await second.forward()
    second.layers[0].restoreState(state)
    expect(await second.forward()).toEqual(expected)
    for (const net of [first, second]) net.dispose()
  })

  it('starts at a record that rand_skip and the seed choose', async () => {
    const label = async (seed: number) => {
      const net = await netOf(mnist('rand_skip: 150', 1), 'TRAIN', seed)
      await net.forward()
      const { item, record } = net.layers[0].saveState()!
      net.dispose()
      expect(item).toBe(1)
      return record
    }
    expect(await label(1)).toBe(await label(1))
    expect(new Set(await Promise.all([1, 2, 3, 4, 5].map(label))).size).toBeGreaterThan(2)
  })

  it('says what is wrong with its parameters', async () => {
    const refused = async (text: string, message: RegExp, type: new (message: string) => Error = Error) => {
      const error = await netOf(text).catch((e: Error) => e)
      expect(error).toBeInstanceOf(type)
      expect((error as Error).message).toMatch(message)
    }
    await refused(
      layer('data_param { source: "mnist_200_lmdb" batch_size: 2 }'),
      /^layer 'data' \(Data\): '.*mnist_200_lmdb' is an LMDB: write `backend: LMDB`/,
    )
    await refused(
      layer('data_param { source: "mnist_200_lmdb" backend: LMDB }'),
      /layer 'data' \(Data\): data_param.batch_size must be/,
    )
    await refused(layer('data_param { source: "nowhere" batch_size: 2 backend: LMDB }'), /nowhere/)
    await refused(
      mnist().replace(' }', ' } transform_param { crop_size: 29 }'),
      /record 0 of mnist_200_lmdb: crop_size 29 is larger .*1×28×28/,
    )
    await refused(
      mnist().replace(' }', ' } transform_param { mean_value: 1 mean_value: 2 }'),
      /mean_value is given 2 times for 1 channels/,
    )
    await refused(
      mnist().replace(' }', ' } transform_param { mean_file: "images_mean.binaryproto" }'),
      /mean image is 3×20×24, the item 1×28×28/,
    )
    await refused(
      mnist().replace(' }', ' } transform_param { mean_file: "mnist_mean.binaryproto" mean_value: 3 }'),
      /layer 'data' \(Data\): transform_param has a mean_file and a mean_value/,
    )
    const mixed = layer('data_param { source: "images_encoded_lmdb" batch_size: 2 backend: LMDB }')
    const net = await netOf(mixed)
    await expect(net.forward()).rejects.toThrow(
      /record 1 of images_encoded_lmdb: the item is 1×20×24, the first of its batch 3×20×24/,
    )
    net.dispose()
  })

  it('reads a database from the bytes that `files` returns', async () => {
    const { Net } = await import('../../lib/net.js')
    const { parseNet } = await import('../../lib/proto/text.js')
    const { readFile } = await import('node:fs/promises')
    const bytes = new Uint8Array(await readFile(io('mnist_200_lmdb/data.mdb')))
    const files = (path: string) => (path === 'somewhere/digits/data.mdb' ? bytes : undefined)
    const net = await Net.create(parseNet(mnist().replace('mnist_200_lmdb', 'somewhere/digits')), {
      engine: 'js',
      files,
    })
    const { label } = await net.forward()
    expect([...label.data]).toEqual([5, 0, 4, 1, 9, 2, 1])
    net.dispose()
  })
})

describe('randomness', () => {
  it('crops reach every place and half of the items are mirrored', async () => {
    const path = join(folder, 'gradient')
    const writer = await LmdbWriter.create(path)
    const data = Uint8Array.from({ length: 25 }, (_, i) => i)
    writer.put('0', writeDatum({ channels: 1, height: 5, width: 5, data, label: 0 }))
    await writer.finish()
    const description = await describeDatums(path, 900, { crop_size: 3, mirror: true })
    const [{ data: crops }] = await collect(await inline(description), description, 1)
    const seen = new Map<string, number>()
    for (let i = 0; i < 900; i++) {
      const [a, b] = crops.subarray(i * 9, i * 9 + 2)
      const place = `${Math.min(a, b > a ? a : a - 2)} ${b > a}`
      seen.set(place, (seen.get(place) ?? 0) + 1)
    }
    // 9 places, mirrored or not: 50 each, give or take four standard deviations
    expect(seen.size).toBe(18)
    for (const n of seen.values()) expect(Math.abs(n - 50)).toBeLessThan(28)
  })
})

describe('processes', () => {
  it('a net that was forgotten while its worker waits does not keep the program alive', async () => {
    const script = join(folder, 'forget.mts')
    const lib = new URL('../../lib/data/', import.meta.url).href
    await writeFile(
      script,
      `import { prefetch } from '${lib}prefetch.ts'
       import { transformSpec } from '${lib}transformer.ts'
       const transform = await transformSpec({}, { phase: 'TEST', seed: 1, stream: '', readFile: () => Promise.reject() })
       const description = { kind: 'datum', layer: 'x', name: 'db', path: ${JSON.stringify(io('mnist_200_lmdb'))}, batchSize: 8, seed: 1, transform }
       const batches = await prefetch(description, { item: 0, record: 0, epoch: 0 }, [1, 28, 28], 4)
       const data = new Float32Array(8 * 784)
       await batches.next(() => ({ data, labels: undefined }))
       console.log(data.reduce((a, b) => a + b))`,
    )
    const root = new URL('../../', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), [script], {
      timeout: 110_000,
      cwd: root,
    })
    expect(Number(stdout)).toBeGreaterThan(100_000)
  })
})

describe('a stream of its own', () => {
  it('for every layer', () => {
    const a = new RandomStream(1, 'transform a')
    const b = new RandomStream(1, 'transform b')
    expect(a.uint32()).not.toBe(b.uint32())
  })
})
