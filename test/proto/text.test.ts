import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import type { NetParameter } from '../../lib/proto/message.js'
import { printNet, printSolver, printText } from '../../lib/proto/print.js'
import { parseNet, parseSolver, parseText, readText } from '../../lib/proto/text.js'
import { comparable, goldenPrototxts } from './helpers.js'
import { reference } from './text_reference.js'

describe('every prototxt of the golden data', () => {
  const all = goldenPrototxts()
  test('there are many', { tags: 'long' }, () => expect(all.length).toBeGreaterThan(200))

  test.each(all)('$name', { tags: 'long' }, ({ text, solver }) => {
    const type = solver ? 'SolverParameter' : 'NetParameter'
    const message = parseText(type, text)
    expect(comparable(message)).toEqual(reference(type, text))
    const printed = printText(type, message)
    expect(parseText(type, printed)).toEqual(message)
    expect(reference(type, printed)).toEqual(comparable(message))
  })
})

describe('values', () => {
  const layer = (text: string): unknown => parseNet(`layer { ${text} }`).layer?.[0]

  test('only what was written is there', () => {
    expect(parseNet('')).toEqual({})
    expect(parseNet('# nothing but a comment')).toEqual({})
    expect(parseNet('layer {} layer < > force_backward: false')).toEqual({ layer: [{}, {}], force_backward: false })
    expect(parseSolver('random_seed: -1 stepvalue: 5')).toEqual({ random_seed: -1, stepvalue: [5] })
  })

  test('separators, brackets, lists and comments', () => {
    const one = { layer: [{ name: 'c', convolution_param: { kernel_size: [3, 5], pad: [1] }, bottom: ['a', 'b'] }] }
    expect(
      parseNet(`\uFEFF layer: < name : 'c' ; convolution_param { kernel_size: [ 3 , 5 ], pad: 1; } # comment } "
        bottom: [], bottom: "a", bottom: "b"\r\n>`),
    ).toEqual(one)
    expect(parseNet('layer: [{ name: "a" }, < name: "b" >]')).toEqual({ layer: [{ name: 'a' }, { name: 'b' }] })
    expect(parseNet('layer{name:"c"convolution_param{kernel_size:3 kernel_size:5 pad:1}bottom:"a"bottom:"b"}')).toEqual(
      one,
    )
  })

  test('strings', () => {
    expect(parseNet(`name: "a" 'b"' "\\"c'" # and\n "d"`).name).toBe(`ab""c'd`)
    expect(parseNet('name: "\\a\\b\\f\\n\\r\\t\\v\\?\\\\\\\'\\x41\\101\\0"').name).toBe("\x07\b\f\n\r\t\v?\\'AA\0")
    expect(parseNet('name: "\\xe4\\xbd\\240 \\u4f60 \\U0001F600 你"').name).toBe('\u4f60 你 😀 你')
    expect(parseText('Datum', 'data: "a\\xff\\0" "é"').data).toEqual(Uint8Array.of(97, 255, 0, 0xc3, 0xa9))
  })

  test('numbers', () => {
    expect(layer('loss_weight: [1, 1., .5, 1e-3, 1.5E+2f, 2f, -3, - 4, 0, -0.0]')).toEqual({
      loss_weight: [1, 1, 0.5, 1e-3, 150, 2, -3, -4, 0, -0],
    })
    expect(layer('loss_weight: [inf, -Infinity, nan, -nan, 1e99, 0.1000000001, 0.333333333333]')).toEqual({
      loss_weight: [Infinity, -Infinity, NaN, NaN, Infinity, 0.1, 0.33333334],
    })
    expect(layer('convolution_param { pad: [0x1F, 017, 0, 4294967295] }')).toEqual({
      convolution_param: { pad: [31, 15, 0, 4294967295] },
    })
    expect(layer('concat_param { axis: -0x10 }')).toEqual({ concat_param: { axis: -16 } })
    expect(parseNet('input_shape { dim: 9007199254740991 }')).toEqual({ input_shape: [{ dim: [9007199254740991] }] })
  })

  test('bools and enums', () => {
    expect(layer('propagate_down: [true, false, True, False, t, f, 1, 0]')).toEqual({
      propagate_down: [true, false, true, false, true, false, true, false],
    })
    expect(layer('pooling_param { pool: 1 engine: CAFFE }')).toEqual({
      pooling_param: { pool: 'AVE', engine: 'CAFFE' },
    })
  })

  test('tensors are typed arrays', () => {
    expect(parseText('BlobProto', 'data: 1 data: [2, 3] double_diff: .1')).toEqual({
      data: Float32Array.of(1, 2, 3),
      double_diff: Float64Array.of(0.1),
    })
  })

  test('layers of well-known forks can be read', () => {
    expect(layer('type: "ROIPooling" roi_pooling_param { pooled_w: 7 pooled_h: 7 spatial_scale: 0.0625 }')).toEqual({
      type: 'ROIPooling',
      roi_pooling_param: { pooled_w: 7, pooled_h: 7, spatial_scale: 0.0625 },
    })
  })
})

describe('errors name the file, the line and what is known', () => {
  test.each([
    ['layer {\n nmae: "a" }', "2: LayerParameter has no field 'nmae'; did you mean 'name'?"],
    ['layer {\n\n bottum: "a" }', "3: LayerParameter has no field 'bottum'; did you mean 'bottom'?"],
    [
      'layer { kernel_size: 3 }',
      "1: LayerParameter has no field 'kernel_size'; it is a field of convolution_param, pooling_param",
    ],
    ['layer {\n pooling_param {\n pool: MEAN } }', "3: pool cannot be 'MEAN'; it is one of MAX, AVE, STOCHASTIC"],
    ['layer { pooling_param { pool: 9 } }', "1: pool cannot be '9'; it is one of MAX, AVE, STOCHASTIC"],
    ['layer { pooling_param { pool: "MAX" } }', '1: pool cannot be "MAX"; it is one of'],
    ['layer { pooling_param { pool: -MAX } }', "1: pool cannot be '-MAX'; did you mean 'MAX'?; it is one of"],
    ['layer { name: "a"\n name: "b" }', '2: name is given twice in one LayerParameter'],
    ['layer { relu_param {}\n relu_param {} }', '2: relu_param is given twice in one LayerParameter'],
    ['layer {\n name: "a"\n', "3: the text ends inside LayerParameter: '}' is missing for the bracket of line 1"],
    ['name: "a"\nnew_param {\n x: 1 { }', '3: the text ends inside the value of new_param, which begins in line 2'],
    ['name: "a" new_param: [ 1, 2', '1: the text ends inside the value of new_param, which begins in line 1'],
    ['new_param:', '1: the text ends inside the value of new_param, which begins in line 1'],
    ['new_param: , name: "a"', "1: the value of new_param is expected, not ','"],
    ['layer { name: "a" >', "1: a field name of LayerParameter is expected, not '>'"],
    ['layer { name: "a', '1: the string "a is not closed in its line'],
    ['layer { name: "a\n" }', '1: the string "a is not closed in its line'],
    ['layer { name: "\\q" }', "1: '\\q' is no escape sequence"],
    ['layer { name: "\\uD800" }', "1: '\\uD800' is no character"],
    ['layer { name "a" }', "1: ':' is missing after name"],
    ['layer { name: a }', "1: name is a string in quotes, not 'a'"],
    ['layer: 3', "1: layer is a LayerParameter and needs '{', not '3'"],
    ['layer { convolution_param { pad: 1.5 } }', "1: pad is an integer, not '1.5'"],
    ['layer { convolution_param { pad: -1 } }', "1: pad cannot be '-1': it goes from 0 to 4294967295"],
    ['layer { convolution_param { pad: 4294967296 } }', '1: pad cannot be'],
    ['layer { convolution_param { pad: 08 } }', "1: pad is an integer, not '08'"],
    ['layer { convolution_param { num_output: [1] } }', "1: num_output is an integer, not '['"],
    ['layer { convolution_param { pad: [1 2] } }', "1: ',' or ']' is expected in the list of pad, not '2'"],
    ['layer { convolution_param { pad: [1,] } }', "1: pad is an integer, not ']'"],
    ['layer { concat_param { axis: 2147483648 } }', '1: axis cannot be'],
    ['layer { loss_weight: one }', "1: loss_weight is a number, not 'one'"],
    ['layer { loss_weight: 0x10 }', "1: loss_weight is a number, not '0x10'"],
    ['layer { loss_weight: 1.2.3 }', "1: '1.2.' is not a number"],
    ['layer { loss_weight: 3kg }', "1: '3k' is not a number"],
    ['force_backward: yes', "1: force_backward is true or false, not 'yes'"],
    ['force_backward: 2', "1: force_backward is true or false, not '2'"],
    ['input_shape { dim: 9007199254740992 }', '1: dim cannot be'],
    ['\n\nlayer { clip_param { min: 1 } }', '3: ClipParameter needs max'],
    ['name: "a";;', "1: a field name of NetParameter is expected, not ';'"],
    ['[caffe.extension]: 1', "1: a field name of NetParameter is expected, not '['"],
    ['name: "a" }', "1: a field name of NetParameter is expected, not '}'"],
    ['é', '1: a character that has no place here: "é"'],
    ['layer', "1: layer is a LayerParameter and needs '{', not the end of the text"],
  ])('%j', (text, message) => {
    expect(() => parseNet(text, { file: 'a.prototxt' })).toThrow(FormatError)
    expect(() => parseNet(text, { file: 'a.prototxt' })).toThrow(`a.prototxt:${message}`)
    // the reference reader refuses the same texts, save for integers that JavaScript cannot hold
    if (!text.includes('dim')) expect(reference('NetParameter', text)).toBeUndefined()
  })
})

describe('hostile text', () => {
  test.each([
    ['deep nesting', 'layer {'.repeat(100_000)],
    ['open brackets', '{'.repeat(100_000)],
    ['an endless number', `layer { loss_weight: ${'1'.repeat(1_000_000)}x }`],
    ['an endless string', `name: "${'a'.repeat(1_000_000)}`],
    ['an endless name', 'a'.repeat(1_000_000)],
    ['a binary file', '\n\u0005LeNet\u0010\u0000\ufffd'],
  ])('%s', (_, text) => expect(() => parseNet(text)).toThrow(FormatError))

  test('much white space, many comments and many parts of a string are fine', { tags: 'long' }, () => {
    expect(
      parseNet(`${' \n'.repeat(200_000)}${'# x\n'.repeat(200_000)}name: ${'"a" '.repeat(200_000)}`).name,
    ).toHaveLength(200_000)
  })
})

describe('printing', () => {
  test('as Caffe lays it out', () => {
    const net = parseNet(
      'layer { pooling_param {} type: "X\\n\\"\\001é" name: "x" loss_weight: [0.1, 1e-5, -inf, nan, 1e20, -0.0] } name: "n"',
    )
    expect(printNet(net)).toBe(`name: "n"
layer {
  name: "x"
  type: "X\\n\\"\\001é"
  loss_weight: 0.1
  loss_weight: 0.00001
  loss_weight: -inf
  loss_weight: nan
  loss_weight: 100000000000000000000
  loss_weight: -0
  pooling_param {
  }
}
`)
    expect(parseNet(printNet(net))).toEqual(net)
  })

  test('a hand-written net is checked first', () => {
    const net = { layer: { bottom: 'data', pooling_param: { pool: 1 } } } as unknown as NetParameter
    expect(printNet(net)).toBe('layer {\n  bottom: "data"\n  pooling_param {\n    pool: AVE\n  }\n}\n')
    expect(() => printNet({ layers: [{ nmae: 'x' } as object] })).toThrow(
      "layers[0].nmae: V1LayerParameter has no field 'nmae'; did you mean 'name'?",
    )
  })

  test('bytes, tensors and float32 values of any origin', () => {
    const data = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(parseText('Datum', printText('Datum', { data }))).toEqual({ data })
    expect(comparable(parseText('Datum', printText('Datum', { data })))).toEqual(
      reference('Datum', printText('Datum', { data })),
    )
    expect(
      printText('BlobProto', { data: Float32Array.of(0.1, 1 / 3), double_data: Float64Array.of(0.1, 1 / 3) }),
    ).toBe('data: 0.1\ndata: 0.33333334\ndouble_data: 0.1\ndouble_data: 0.3333333333333333\n')
    expect(printSolver({ base_lr: Math.fround(0.01), type: 'Adam', stepvalue: [1, 2] })).toBe(
      'base_lr: 0.01\nstepvalue: 1\nstepvalue: 2\ntype: "Adam"\n',
    )
  })
})

describe('a text that is read in steps', () => {
  const values = Array.from({ length: 50_000 }, (_, i) => (i % 97) / 97)

  test.each([
    ['a list of values', `blobs { data: [${values.join(', ')}] }`],
    ['values one by one', `blobs { ${values.map(value => `data: ${value}`).join(' ')} }`],
    ['names one by one', values.map((_, i) => `top: "t${i}"`).join(' ')],
  ])('lets others have their turn within one layer: %s', { tags: 'long' }, (_, fields) => {
    const text = `layer { name: "l" ${fields} }`
    const steps = readText('NetParameter', text)
    let [turns, step] = [0, steps.next()]
    for (; !step.done; step = steps.next()) turns++
    expect(turns).toBeGreaterThan(10)
    expect(step.value).toEqual(parseNet(text))
  })
})
