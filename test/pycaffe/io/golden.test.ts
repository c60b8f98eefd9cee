import { readFileSync } from 'node:fs'
import ndarray, { type NdArray } from 'ndarray'
import { describe, expect, test } from 'vitest'
import { readMessage, writeMessage } from '../../../lib/proto/wire.js'
import {
  arrayListToBlobProtoVector,
  arrayToBlobProto,
  arrayToDatum,
  blobProtoToArray,
  blobProtoVectorToArrayList,
  datumToArray,
  loadImage,
  loadMean,
  oversample,
  readNpy,
  resizeImage,
  Transformer,
  writeNpy,
} from '../../../lib/pycaffe/io/index.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../../golden.js'

interface Facts {
  transformer: {
    name: string
    input_blob_shape: number[]
    image: GoldenArray
    transpose?: number[]
    channel_swap?: number[]
    raw_scale?: number
    mean?: GoldenArray
    input_scale?: number
    preprocessed: GoldenArray
    deprocessed: GoldenArray
    rtol: number
    atol: number
  }[]
  oversample: { images: GoldenArray; crop_dims: number[]; crops: GoldenArray }
  oversample_odd: { images: GoldenArray; crop_dims: number[]; crops: GoldenArray }
  resize_image_up: { image: GoldenArray; new_dims: number[]; result: GoldenArray; rtol: number; atol: number }
  load_image: { file: string; color: boolean; result: GoldenArray; rtol: number; atol: number }[]
  protos: {
    datum_bytes: { file: string; label: number; array: GoldenArray }
    datum_float: { file: string; label: number; array: GoldenArray }
    blob: { file: string; data: GoldenArray; diff: GoldenArray }
  }
  mnist: { mean_file: string; mean: GoldenArray }
}

const golden = new Golden<Facts>('io/io')
const facts = golden.json
const array = (place: GoldenArray) => ndarray(golden.array(place).slice(), place.shape)
const bytes = (file: string) => new Uint8Array(readFileSync(goldenPath(`io/${file}`)))

function expectArray(got: NdArray, place: GoldenArray, rtol: number, atol: number, what: string): void {
  expect(got.shape, `${what}: shape`).toEqual(place.shape)
  expectClose(got.data as Float32Array, golden.array(place), rtol, atol, what)
}

describe('Transformer', () => {
  test.each(facts.transformer)('$name', item => {
    const transformer = new Transformer({ data: item.input_blob_shape })
    if (item.transpose) transformer.setTranspose('data', item.transpose)
    if (item.channel_swap) transformer.setChannelSwap('data', item.channel_swap)
    if (item.raw_scale !== undefined) transformer.setRawScale('data', item.raw_scale)
    if (item.mean) transformer.setMean('data', array(item.mean))
    if (item.input_scale !== undefined) transformer.setInputScale('data', item.input_scale)
    const image = array(item.image)
    expectArray(transformer.preprocess('data', image), item.preprocessed, item.rtol, item.atol, 'preprocessed')
    expectArray(
      transformer.deprocess('data', array(item.preprocessed)),
      item.deprocessed,
      item.rtol,
      item.atol,
      'deprocessed',
    )
    expect(image.data, 'the image is left alone').toEqual(golden.array(item.image))
  })
})

describe('oversample', () => {
  test.each(['oversample', 'oversample_odd'] as const)('%s', name => {
    const { images, crop_dims, crops } = facts[name]
    expectArray(oversample(array(images), crop_dims), crops, 0, 0, name)
    const list = Array.from({ length: images.shape[0] }, (_, i) => array(images).pick(i))
    expectArray(oversample(list, crop_dims), crops, 0, 0, `${name}, as a list`)
  })
})

test('resizeImage enlarges as the record does', () => {
  const { image, new_dims, result, rtol, atol } = facts.resize_image_up
  expectArray(resizeImage(array(image), new_dims), result, rtol, atol, 'resized')
})

describe('loadImage', () => {
  test.each(facts.load_image)('$file, color $color', async ({ file, color, result, rtol, atol }) => {
    expectArray(await loadImage(goldenPath(`io/${file}`), color), result, rtol, atol, file)
    expectArray(await loadImage(bytes(file), color), result, rtol, atol, `${file} as bytes`)
  })
})

describe('messages and arrays', () => {
  const { datum_bytes, datum_float, blob } = facts.protos

  test.each([datum_bytes, datum_float])('$file', ({ file, label, array: place }) => {
    const stored = readMessage('Datum', bytes(file))
    const values = datumToArray(stored)
    expect(stored.label).toBe(label)
    expectArray(values, place, 0, 0, file)
    expect(writeMessage('Datum', arrayToDatum(values, label))).toEqual(bytes(file))
    expect(datumToArray(bytes(file))).toEqual(values)
  })

  test('blob.bin', () => {
    const values = blobProtoToArray(bytes(blob.file))
    const diff = blobProtoToArray(bytes(blob.file), true)
    expectArray(values, blob.data, 0, 0, 'data')
    expectArray(diff, blob.diff, 0, 0, 'diff')
    const again = readMessage('BlobProto', writeMessage('BlobProto', arrayToBlobProto(values, diff)))
    expectArray(blobProtoToArray(again), blob.data, 0, 0, 'data written again')
    expectArray(blobProtoToArray(again, true), blob.diff, 0, 0, 'diff written again')
    const [first, second] = blobProtoVectorToArrayList(arrayListToBlobProtoVector([values, diff.transpose(2, 0, 1)]))
    expect(first).toEqual(values)
    expect(second.shape).toEqual([4, 2, 3])
    expect(second.get(3, 1, 2)).toBe(diff.get(1, 2, 3))
    expect(() => blobProtoToArray(arrayToBlobProto(values), true)).toThrow(/no gradients/)
    expect(() => arrayToBlobProto(values, ndarray(new Float32Array(3)))).toThrow(/the gradients are 3/)
  })

  test('a mean from .binaryproto or .npy', async () => {
    const { mean_file, mean } = facts.mnist
    const read = await loadMean(goldenPath(`io/${mean_file}`))
    expect(read.shape).toEqual(mean.shape.slice(1))
    expectClose(read.data, golden.array(mean), 0, 1e-5, 'mean')
    const npy = await loadMean('mean.npy', { files: () => writeNpy(read) })
    expect(npy).toEqual(read)
    expect(readNpy(writeNpy(read))).toEqual(read)
  })
})
