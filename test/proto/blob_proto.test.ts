import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
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
})
