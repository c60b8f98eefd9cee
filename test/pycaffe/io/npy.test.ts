import ndarray from 'ndarray'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../lib/errors.js'
import { readNpy, writeNpy } from '../../../lib/pycaffe/io/index.js'

/** A .npy file with this header, as numpy would write it. */
function file(header: string, values: Uint8Array | ArrayBufferView = new Uint8Array(0), version = 1): Uint8Array {
  const text = new TextEncoder().encode(header)
  const size = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0]
  const body = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...size, ...text, ...body])
}
const header = (descr: string, shape: string, fortran = false) =>
  `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }\n`

describe('readNpy', () => {
  test.each([
    ['<f4', Float32Array.from([1.5, -2, 3, 4, 5, 6])],
    ['<f8', Float64Array.from([0.1, -2, 3, 4, 5, 6])],
    ['|u1', Uint8Array.from([0, 255, 3, 4, 5, 6])],
    ['|i1', Int8Array.from([0, -128, 3, 4, 5, 6])],
    ['<i2', Int16Array.from([-32768, 2, 3, 4, 5, 6])],
    ['<u2', Uint16Array.from([65535, 2, 3, 4, 5, 6])],
    ['<i4', Int32Array.from([-(2 ** 31), 2, 3, 4, 5, 6])],
    ['<u4', Uint32Array.from([2 ** 32 - 1, 2, 3, 4, 5, 6])],
  ])('%s, versions 1 to 3, and written back', (descr, values) => {
    for (const version of [1, 2, 3]) {
      const got = readNpy(file(header(descr, '(2, 3)'), values, version))
      expect(got.shape).toEqual([2, 3])
      expect(got.data).toEqual(values)
    }
    const written = writeNpy(ndarray(values, [2, 3]))
    expect(readNpy(written).data).toEqual(values)
    expect(written.length % 64).toBe(values.byteLength % 64)
  })
  test('int64 and bool', () => {
    const big = BigInt64Array.from([-5n, 2n ** 53n - 1n])
    expect(readNpy(file(header('<i8', '(2,)'), big)).data).toEqual(Float64Array.from([-5, 2 ** 53 - 1]))
    expect(() => readNpy(file(header('<i8', '(1,)'), BigInt64Array.from([2n ** 60n])))).toThrow(/too large/)
    expect(readNpy(file(header('|b1', '(2,)'), Uint8Array.from([1, 0]))).data).toEqual(Uint8Array.from([1, 0]))
  })
  test('the other byte order', () => {
    expect([...readNpy(file(header('>i4', '(1,)'), Uint8Array.from([0, 0, 1, 2]))).data]).toEqual([258])
  })
  test('Fortran order becomes strides', () => {
    const got = readNpy(file(header('<f4', '(2, 3)', true), Float32Array.from([1, 4, 2, 5, 3, 6])))
    expect([0, 1].map(i => [0, 1, 2].map(j => got.get(i, j)))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect([...readNpy(writeNpy(got)).data]).toEqual([1, 2, 3, 4, 5, 6])
  })
  test('one value, nothing, sizes as Python 2 wrote them', () => {
    expect(readNpy(file(header('<f8', '()'), Float64Array.from([2.5]))).get()).toBe(2.5)
    expect(readNpy(file(header('<f4', '(0, 3)'))).size).toBe(0)
    expect(readNpy(file(header('|u1', '(1L, 2L)'), Uint8Array.from([7, 8]))).shape).toEqual([1, 2])
  })
  test('values need not be aligned', () => {
    const bytes = file(header('<f8', '(1,)'), Float64Array.from([Math.PI]))
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(readNpy(shifted.subarray(3)).get(0)).toBe(Math.PI)
  })
  test.each<[string, Uint8Array, RegExp]>([
    ['another file', Uint8Array.from([1, 2, 3]), /no \.npy file/],
    ['a later version', file(header('<f4', '(1,)'), Float32Array.from([1]), 4), /version 4/],
    ['a header longer than the file', Uint8Array.from([0x93, 78, 85, 77, 80, 89, 1, 0, 255, 255, 0, 0]), /65535 bytes/],
    [
      'a header of gigabytes',
      Uint8Array.from([0x93, 78, 85, 77, 80, 89, 2, 0, 255, 255, 255, 255]),
      /4294967295 bytes/,
    ],
    ['too few values', file(header('<f4', '(3,)'), Float32Array.from([1])), /needs 12 bytes, the file has 4/],
    ['a shape that overflows', file(header('<f4', '(9007199254740991, 9007199254740991)')), /needs/],
    ['a negative size', file(header('<f4', '(-1,)')), /impossible shape/],
    ['a shape that is no tuple', file(header('<f4', '3')), /impossible shape/],
    ['objects', file(header('|O', '(1,)'), new Uint8Array(8)), /'\|O' are not supported/],
    ['records', file(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}`), /no simple type/],
    ['no order', file(`{'descr': '<f4', 'shape': (1,)}`), /no fortran_order/],
    ['code', file(`{'descr': __import__('os').system('ls')}`), /npy header/],
    ['brackets without end', file('['.repeat(5000)), /64 brackets/],
    ['a list', file('[1, 2]'), /no dictionary/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(FormatError)
    expect(() => readNpy(bytes)).toThrow(message)
  })
})
