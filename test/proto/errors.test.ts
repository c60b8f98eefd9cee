import { describe, expect, test } from 'vitest'
import type { FormatError } from '../../lib/errors.js'
import { fieldNamed, placeOf } from '../../lib/proto/places.js'
import { parseNet } from '../../lib/proto/text.js'

const read = (text: string) => {
  const errors: FormatError[] = []
  const net = parseNet(text, { file: 'a.prototxt', errors })
  return { net, errors, messages: errors.map(error => error.message.replace('a.prototxt:', '')) }
}

/** What the caret stands under. */
const marked = ({ sourceLine = '', column = 0, length = 0 }: FormatError) =>
  sourceLine.slice(column - 1, column - 1 + length)

describe('everything wrong with a text is reported at once', () => {
  test('fields, values and brackets, each with its place; the rest is read', () => {
    const { net, errors, messages } = read(`name: 3
layer {
  nmae: "a"
  bottum: "b"
  pooling_param { pool: MEAN kernel_size: -1
    stride: "2" }
  top: "x"
}
layer { kernel_size { a: [1, 2] b { c: "}" } } name: "y" }
} é layer { name: "z" }`)
    expect(messages).toEqual([
      "1: name is a string in quotes, not '3'",
      "3: LayerParameter has no field 'nmae'; did you mean 'name'?",
      "4: LayerParameter has no field 'bottum'; did you mean 'bottom'?",
      "5: pool cannot be 'MEAN'; it is one of MAX, AVE, STOCHASTIC",
      "5: kernel_size cannot be '-1': it goes from 0 to 4294967295",
      '6: stride is an integer, not "2"',
      "9: LayerParameter has no field 'kernel_size'; it is a field of convolution_param, pooling_param",
      "10: a field name of NetParameter is expected, not '}': every bracket before it is closed",
    ])
    expect(errors.map(marked)).toEqual(['3', 'nmae', 'bottum', 'MEAN', '1', '"2"', 'kernel_size', '}'])
    expect(errors[3]).toMatchObject({ file: 'a.prototxt', line: 5, column: 25, length: 4 })
    expect(net).toEqual({ layer: [{ pooling_param: {}, top: ['x'] }, { name: 'y' }, { name: 'z' }] })
  })

  test('without a place for them they are thrown as one', () => {
    const thrown = (() => {
      try {
        return parseNet('layer { nmae: "a" }\nlayer { bottum: "b" bottom: 3 }')
      } catch (error) {
        return error as FormatError
      }
    })() as FormatError
    expect(thrown.causes.map(cause => cause.line)).toEqual([1, 2, 2])
    expect(thrown.message.split('\n')).toEqual(thrown.causes.map(cause => cause.message))
    expect(thrown.line).toBe(1)
  })

  test('one mistake is that mistake, without causes', () => {
    expect(() => parseNet('layer { nmae: "a" }')).toThrow(expect.objectContaining({ causes: [], column: 9, length: 4 }))
  })
})

describe('a missing bracket is missed where it belongs', () => {
  test.each([
    [
      'layer {\n  name: "a"\n  convolution_param {\n    num_output: 3\n  top: "c"\n}\nlayer {\n  name: "b"\n}\n',
      "5: '}' is missing before top: the ConvolutionParameter that was opened in line 3 has no such field",
      { layer: [{ name: 'a', convolution_param: { num_output: 3 }, top: ['c'] }, { name: 'b' }] },
    ],
    [
      'layer {\n  name: "a"\nlayer {\n  name: "b"\n}\n',
      "3: '}' is missing before layer: the LayerParameter that was opened in line 1 has no such field",
      { layer: [{ name: 'a' }, { name: 'b' }] },
    ],
    [
      'layer <\n  pooling_param {\n    pool: MAX\n',
      "4: the text ends inside PoolingParameter: '}' is missing for the bracket of line 2",
      { layer: [{ pooling_param: { pool: 'MAX' } }] },
    ],
  ])('%j', (text, message, net) => {
    expect(read(text).messages).toEqual([message])
    expect(read(text).net).toEqual(net)
  })

  test('a field in the wrong message is no missing bracket', () => {
    expect(read('layer {\n convolution_param {\n  top: "c"\n } }').messages).toEqual([
      "3: ConvolutionParameter has no field 'top'",
    ])
  })
})

test('the form of another version is named', () => {
  expect(read('layer { type: DATA }').messages[0]).toMatch(/not 'DATA': .* older layers { … }; .* type: "Data"$/)
  expect(read('layers { type: "Input" }').messages[0]).toMatch(/older form.*; write layer { type: "Input" … }$/)
  expect(read('layers { type: Convolution }').messages[0]).toMatch(/type: CONVOLUTION; in layer .* "Convolution"$/)
})

describe('parsed messages know where they came from, and stay plain', () => {
  const text = 'name: "n"\nlayer {\n  bottom: "a" bottom: "b"\n  pooling_param { pool: AVE\n    kernel_size: 3 }\n}\n'
  const net = parseNet(text, { file: 'n.prototxt' })
  const [layer] = net.layer!
  const lineOf = (field: string) => [placeOf(layer, field)?.line, placeOf(layer, field)?.column]

  test('layers and their fields', () => {
    expect(placeOf(layer)).toMatchObject({ file: 'n.prototxt', line: 2, column: 1, length: 5 })
    expect(lineOf('bottom')).toEqual([3, 11])
    expect(lineOf('bottom[1]')).toEqual([3, 23])
    expect(lineOf('pooling_param.kernel_size')).toEqual([5, 18])
    expect(lineOf('top')).toEqual([2, 1])
    expect(placeOf(net, 'name')).toMatchObject({ line: 1, column: 7 })
    expect(Reflect.ownKeys(layer)).toEqual(['bottom', 'pooling_param'])
    expect(placeOf({ ...layer })).toBeUndefined()
  })

  test('the field that a message speaks of', () => {
    expect(fieldNamed(layer, 'kernel_size must be 1 or more')).toBe('pooling_param.kernel_size')
    expect(fieldNamed(layer, 'pooling_param is odd')).toBe('pooling_param')
    expect(fieldNamed(layer, 'stride is odd')).toBeUndefined()
  })
})
