import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import type { BlobProto } from '../../lib/generated/caffe.js'
import { blobData, blobDiff, blobShape, sameShape, toBlobProto } from '../../lib/proto/blob_proto.js'
import { readBlobProto } from '../../lib/proto/wire.js'
import { Golden, type GoldenArray } from '../golden.js'
import { goldenBytes } from './helpers.js'

test("Caffe's array of values and gradients", () => {
  const golden = new Golden<{ protos: { blob: { file: string; data: GoldenArray; diff: GoldenArray } } }>('io/io')
  const { file, data, diff } = golden.json.protos.blob
  const proto = readBlobProto(goldenBytes(`io/${file}`))
  expect(blobShape(proto)).toEqual(data.shape)
  expect(blobData(proto)).toEqual(golden.array(data))
  expect(blobDiff(proto)).toEqual(golden.array(diff))
})

describe('shapes', () => {
  test('the old sizes count if any of them is written', () => {
    expect(blobShape({ shape: { dim: [2, 3] } })).toEqual([2, 3])
    expect(blobShape({})).toEqual([])
    expect(blobShape({ num: 1, channels: 2, height: 3, width: 4, shape: { dim: [5] } })).toEqual([1, 2, 3, 4])
    expect(blobShape({ width: 4 })).toEqual([0, 0, 0, 4])
  })

  test('impossible ones are refused', () => {
    for (const dim of [[-1], [2 ** 31], [2 ** 16, 2 ** 16], Array<number>(33).fill(1)])
      expect(() => blobShape({ shape: { dim } }, "blob 0 of layer 'a'")).toThrow(
        /^blob 0 of layer 'a' has the impossible shape/,
      )
  })

  test('old four-axis sizes fit shorter shapes with ones before them', () => {
    const old = { num: 1, channels: 1, height: 5, width: 7 }
    expect(
      [
        [5, 7],
        [1, 5, 7],
        [1, 1, 5, 7],
      ].map(shape => sameShape(old, shape)),
    ).toEqual([true, true, true])
    expect([[7], [7, 5], [35], [1, 1, 1, 5, 7], [], [2, 1, 5, 7]].map(shape => sameShape(old, shape))).toEqual(
      Array(6).fill(false),
    )
    expect(sameShape({ num: 1, channels: 1, height: 1, width: 1 }, [])).toBe(true)
    expect(sameShape({ shape: { dim: [5, 7] } }, [5, 7])).toBe(true)
    expect(sameShape({ shape: { dim: [1, 5, 7] } }, [5, 7])).toBe(false)
    expect(sameShape({}, [])).toBe(true)
  })
})

describe('values', () => {
  const shape = { dim: [2] }

  test('single or double precision', () => {
    const data = Float32Array.of(1, 2)
    expect(blobData({ shape, data })).toBe(data)
    expect(blobData({ shape, double_data: Float64Array.of(0.1, 2), data: new Float32Array(0) })).toEqual(
      Float32Array.of(0.1, 2),
    )
    expect(blobDiff({ shape, data })).toBeUndefined()
    expect(blobDiff({ shape, data, double_diff: Float64Array.of(3, 4) })).toEqual(Float32Array.of(3, 4))
    expect(blobData({ shape: { dim: [0] } })).toHaveLength(0)
  })

  test('as many as the shape says', () => {
    expect(() => blobData({ shape, data: Float32Array.of(1) }, "blob 1 of layer 'ip'")).toThrow(
      "blob 1 of layer 'ip' has the shape [2] of 2 values, but 1 values",
    )
    expect(() => blobData({})).toThrow(FormatError)
    expect(() => blobDiff({ shape, diff: Float32Array.of(1) })).toThrow('[2] of 2 values, but 1 gradients')
  })

  test('there and back', () => {
    const data = Float32Array.of(1, 2)
    expect(toBlobProto([2, 1], data)).toEqual({ shape: { dim: [2, 1] }, data })
    expect(toBlobProto([2, 1], data, data)).toEqual({ shape: { dim: [2, 1] }, data, diff: data })
    expect(blobShape(toBlobProto([2, 1], data))).toEqual([2, 1])
  })

  describe('as bytes, which NVCaffe writes and OpenCV where it halves a model', () => {
    const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer)
    const halves = Uint16Array.of(
      0x3c00,
      0xc000,
      0x3555,
      0x7bff,
      0x0400,
      0x8001,
      0x0000,
      0x8000,
      0x7c00,
      0xfc00,
      0x7e00,
    )
    const numbers = [1, -2, 1365 / 4096, 65504, 2 ** -14, -(2 ** -24), 0, -0, Infinity, -Infinity, NaN]

    test('half precision: normal, the smallest, zeros, infinite, not a number', () => {
      const proto: BlobProto = { shape: { dim: [11] }, raw_data: bytesOf(halves), raw_data_type: 'FLOAT16' }
      expect([...blobData(proto)]).toEqual(numbers)
      expect(blobDiff(proto)).toBeUndefined()
    })

    test.each([
      ['FLOAT', Float32Array.of(0.1, 2)],
      ['DOUBLE', Float64Array.of(0.1, 2)],
    ] as const)('%s, wherever it lies', (type, values) => {
      const bytes = new Uint8Array(values.byteLength + 1)
      bytes.set(bytesOf(values), 1)
      const raw = bytes.subarray(1)
      expect(blobData({ shape, raw_data: raw, raw_data_type: type })).toEqual(Float32Array.of(0.1, 2))
      expect(blobDiff({ shape, raw_diff: bytesOf(values), raw_diff_type: type })).toEqual(Float32Array.of(0.1, 2))
    })

    test('plain values come first', () => {
      const data = Float32Array.of(1, 2)
      expect(blobData({ shape, data, raw_data: bytesOf(halves), raw_data_type: 'FLOAT16' })).toBe(data)
    })

    test.each([
      [{ raw_data: new Uint8Array(8) }, 'raw_data is of type none; it has to be FLOAT, FLOAT16 or DOUBLE'],
      [{ raw_data: new Uint8Array(8), raw_data_type: 'INT' }, 'raw_data is of type INT'],
      [{ raw_data: new Uint8Array(7), raw_data_type: 'FLOAT' }, '7 bytes do not make whole values of 4 bytes'],
      [{ raw_data: new Uint8Array(8), raw_data_type: 'FLOAT16' }, '[2] of 2 values, but 4 values'],
    ] as const)('%o is refused', (fields, message) => {
      expect(() => blobData({ shape, ...fields })).toThrow(message)
      expect(() => blobData({ shape, ...fields })).toThrow(FormatError)
    })
  })
})
