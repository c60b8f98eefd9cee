import ndarray from 'ndarray'
import { describe, expect, test } from 'vitest'
import { arrayToDatum, datumToArray, oversample, resizeImage, Transformer } from '../../../lib/pycaffe/io/index.js'

const image = (values: number[], ...shape: number[]) => ndarray(Float32Array.from(values), shape)

describe('resizeImage', () => {
  test('outside a picture of 1 or 3 channels all is as its smallest value', () => {
    // positions −¼, ¼, ¾, 1¼ of [1, 3]: a quarter of the neighbour outside weighs in at both ends
    const got = resizeImage(image([1, 3], 1, 2, 1), [1, 4])
    expect(got.shape).toEqual([1, 4, 1])
    expect([...got.data]).toEqual([1, 1.5, 2.5, 2.5])
  })
  test('with other numbers of channels corners meet', () => {
    const got = resizeImage(image([0, 10, 2, 20], 1, 2, 2), [1, 3])
    expect([...got.data]).toEqual([0, 10, 1, 15, 2, 20])
    expect([...resizeImage(image([0, 10, 2, 20], 2, 1, 2), [1, 1]).data]).toEqual([0, 10])
  })
  test('shrinking samples without smoothing', () => {
    expect([...resizeImage(image([0, 0, 9, 0, 0, 0], 1, 6, 1), [1, 2]).data]).toEqual([0, 0])
    expect([...resizeImage(image([0, 6, 0, 0, 6, 0], 1, 6, 1), [1, 2]).data]).toEqual([6, 6])
  })
  test('gives a copy when the size is right, and takes strided views and bytes', () => {
    const source = image([1, 2, 3, 4], 2, 2, 1)
    const same = resizeImage(source, [2, 2])
    same.data[0] = 7
    expect(source.data[0]).toBe(1)
    const turned = ndarray(Uint8Array.from([0, 8, 4, 8]), [2, 2, 1]).transpose(1, 0, 2)
    expect([...resizeImage(turned, [2, 2]).data]).toEqual([0, 4, 8, 8])
  })
  test('refuses what is no image', () => {
    expect(() => resizeImage(image([1, 2], 2), [1, 1])).toThrow(/height × width × channels/)
    expect(() => resizeImage(image([1, 2], 1, 2, 1), [0, 1])).toThrow(/resized to 0×1/)
  })
})

describe('oversample', () => {
  test('refuses crops that are larger than the image, and images of different sizes', () => {
    expect(() => oversample([image([1, 2], 1, 2, 1)], [2, 1])).toThrow(/does not lie inside the image of 1×2/)
    expect(() => oversample([image([1, 2], 1, 2, 1), image([1, 2], 1, 1, 2)], [1, 1])).toThrow(
      /another number of channels/,
    )
  })
})

describe('Transformer', () => {
  const ready = () => new Transformer({ data: [1, 2, 2, 2] })

  test('steps come in the order resize, transpose, swap, raw scale, mean, input scale', () => {
    const transformer = ready()
    transformer.setInputScale('data', 10)
    transformer.setMean('data', [1, 2])
    transformer.setRawScale('data', 100)
    transformer.setChannelSwap('data', [1, 0])
    transformer.setTranspose('data', [2, 0, 1])
    const got = transformer.preprocess('data', image([1, 2, 1, 2, 1, 2, 1, 2], 2, 2, 2))
    // channel 0 is the image's second one: (2·100 − 1)·10
    expect([...got.data]).toEqual([1990, 1990, 1990, 1990, 980, 980, 980, 980])
  })
  test('a mean image of another size is brought to the size of the input', () => {
    const transformer = ready()
    transformer.setTranspose('data', [2, 0, 1])
    transformer.setMean('data', ndarray(Float32Array.from([5, 7]), [2, 1, 1]))
    const got = transformer.preprocess('data', image([6, 8, 6, 8, 6, 8, 6, 8], 2, 2, 2))
    expect([...got.data]).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
  })
  test('a grey input goes back and forth with its channel axis', () => {
    const transformer = new Transformer({ data: [1, 1, 2, 3] })
    transformer.setTranspose('data', [2, 0, 1])
    const picture = image([1, 2, 3, 4, 5, 6], 2, 3, 1)
    const values = transformer.preprocess('data', picture)
    expect(values.shape).toEqual([1, 2, 3])
    expect(transformer.deprocess('data', values)).toEqual(picture)
    expect(transformer.deprocess('data', ndarray(values.data, [1, 1, 2, 3]))).toEqual(picture)
  })
  test('a three-cycle of channels is undone', () => {
    const transformer = new Transformer({ data: [1, 3, 1, 1] })
    transformer.setTranspose('data', [2, 0, 1])
    transformer.setChannelSwap('data', [1, 2, 0])
    const picture = image([1, 2, 3], 1, 1, 3)
    const values = transformer.preprocess('data', picture)
    expect([...values.data]).toEqual([2, 3, 1])
    expect(transformer.deprocess('data', values)).toEqual(picture)
  })
  test('names what does not fit', () => {
    const transformer = ready()
    expect(() => transformer.setTranspose('label', [0])).toThrow(/'label' is no input.*data/)
    expect(() => transformer.setTranspose('data', [0, 1])).toThrow(/each of 0 … 2 once/)
    expect(() => transformer.setChannelSwap('data', [1, 1])).toThrow(/each of 0 … 1 once/)
    expect(() => transformer.setMean('data', [1, 2, 3])).toThrow(/3 values.*2 channels/)
    expect(() => transformer.setMean('data', ndarray(new Float32Array(12), [3, 2, 2]))).toThrow(/3×2×2/)
    transformer.setMean('data', [1, 2])
    expect(() => transformer.preprocess('data', image([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3], 2, 2, 3))).not.toThrow()
    expect(() => transformer.preprocess('data', image([1, 2, 3, 4], 2, 2))).not.toThrow()
  })
})

describe('Datum', () => {
  test('bytes stay bytes, other numbers become float_data', () => {
    expect(arrayToDatum(ndarray(Uint8Array.from([1, 255]), [1, 2, 1]), 3)).toEqual({
      channels: 1,
      height: 2,
      width: 1,
      data: Uint8Array.from([1, 255]),
      label: 3,
    })
    expect(arrayToDatum(ndarray([0.5, 2], [2, 1, 1]))).toEqual({
      channels: 2,
      height: 1,
      width: 1,
      float_data: Float32Array.from([0.5, 2]),
    })
    expect(() => arrayToDatum(ndarray([1, 2]))).toThrow(/channels × height × width/)
    expect(() => datumToArray({ channels: 1, height: 2, width: 2, data: Uint8Array.from([1]) })).toThrow(
      /1×2×2, but holds 1/,
    )
    expect(() => datumToArray({ encoded: true, data: Uint8Array.from([1]) })).toThrow(/loadImage/)
  })
})
