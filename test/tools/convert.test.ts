import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { parseIdx, readIdx } from '../../lib/data/idx.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { readMeanImage } from '../../lib/data/transformer.js'
import { FormatError } from '../../lib/errors.js'
import { convertMnist } from '../../lib/tools/convert_mnist.js'
import { computeImageMean, writeImageMean } from '../../lib/tools/image_mean.js'
import { arrayOf, excess, golden, io } from '../data/golden_io.js'

const folder = await mkdtemp(join(tmpdir(), 'convert-'))
afterAll(() => rm(folder, { recursive: true }))

describe('convertMnist', () => {
  it('makes the records that Caffe makes, byte for byte', async () => {
    const output = join(folder, 'mnist')
    const seen: number[] = []
    const images = io(golden.mnist.images_idx)
    const count = await convertMnist({
      images,
      labels: io(golden.mnist.labels_idx),
      output,
      onProgress: done => seen.push(done),
    })
    expect(count).toBe(200)
    expect(seen).toEqual([200])
    const ours = [...(await LmdbReader.open(output))]
    const caffes = [...(await LmdbReader.open(io(golden.mnist.lmdb)))]
    expect(ours).toEqual(caffes)
  })

  it('refuses files that do not belong together, and leaves nothing behind', async () => {
    const images = io(golden.mnist.images_idx)
    const labels = parseIdx(await readFile(io(golden.mnist.labels_idx)))
    const fewer = new Uint8Array([0, 0, 8, 1, 0, 0, 0, 199, ...labels.data.subarray(0, 199)])
    await expect(convertMnist({ images, labels: fewer, output: join(folder, 'none') })).rejects.toThrow(
      /200 pictures, .* 199 labels/,
    )
    await expect(convertMnist({ images: fewer, labels: fewer, output: join(folder, 'none') })).rejects.toThrow(
      FormatError,
    )
    await expect(readFile(join(folder, 'none', 'data.mdb'))).rejects.toThrow()
  })
})

describe('idx files', () => {
  it('reads sizes and values, gzipped or not', async () => {
    const bytes = await readFile(io(golden.mnist.labels_idx))
    const labels = await readIdx(new Uint8Array(gzipSync(bytes)))
    expect(labels.shape).toEqual([200])
    expect([...labels.data]).toEqual(golden.mnist.labels)
  })

  it('refuses what it is not', async () => {
    const idx =
      (...bytes: number[]) =>
      () =>
        parseIdx(new Uint8Array(bytes), 'x')
    expect(idx(1, 2, 3, 4)).toThrow(/x: no idx file/)
    expect(idx(0, 0, 13, 1, 0, 0, 0, 1, 5)).toThrow(/type 0xd/)
    expect(idx(0, 0, 8, 1, 0, 0, 0, 9, 5)).toThrow(/9 = 9 bytes, 1 follow/)
    expect(idx(0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255)).toThrow(FormatError)
    await expect(readIdx(new Uint8Array([0x1f, 0x8b, 1, 2]))).rejects.toThrow(/cannot unpack/)
  })
})

describe('computeImageMean', () => {
  it('equals the mean file that Caffe wrote', async () => {
    const mean = await computeImageMean(io(golden.mnist.lmdb))
    expect(mean.count).toBe(200)
    expect(excess(mean.blob.data!, arrayOf(golden.mnist.mean), 1e-6, 1e-6)).toBeLessThanOrEqual(0)
    expect(mean.channels).toHaveLength(1)
  })

  it('writes a file that reads back, from encoded images too', async () => {
    const output = join(folder, 'mean.binaryproto')
    const { blob } = await writeImageMean(io('images_raw_lmdb'), output)
    const read = readMeanImage(await readFile(output), output)
    expect(read.shape).toEqual([3, 20, 24])
    expect(read.data).toEqual(blob.data)
    expect(read).toEqual(readMeanImage(await readFile(io('images_mean.binaryproto')), 'mean'))
    // the encoded set mixes grey and colour
    await expect(computeImageMean(io('images_encoded_lmdb'))).rejects.toThrow(
      /record 1 is 1×20×24, .* same channels if it is not told --encoded$/,
    )
  })
})
