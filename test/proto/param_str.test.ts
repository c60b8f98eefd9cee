import { describe, expect, test } from 'vitest'
import { NetError } from '../../lib/errors.js'
import { parseParamStr } from '../../lib/proto/param_str.js'

describe('parseParamStr', () => {
  test.each<[string, Record<string, unknown>]>([
    ["'margin': 0.2", { margin: 0.2 }],
    ["{'margin': 0.2, 'on': True, 'off': False, 'no': None,}", { margin: 0.2, on: true, off: false, no: null }],
    ["'sizes': (3, 4), 'one': (5,), 'same': (6), 'none': ()", { sizes: [3, 4], one: [5], same: 6, none: [] }],
    [
      '{"a": 1, "b": [1, -2.5e-3, "x\\n\\u00e9"], "c": {"d": null, "e": true}}',
      { a: 1, b: [1, -0.0025, 'x\né'], c: { d: null, e: true } },
    ],
    ['a: 1', { a: 1 }],
    [
      'a: 1\nb: hello world\n\nc: [1, two]  # three\nd: {e: .5}\n',
      { a: 1, b: 'hello world', c: [1, 'two'], d: { e: 0.5 } },
    ],
    ['source: data/list.txt, batch_size: 10', { source: 'data/list.txt', batch_size: 10 }],
    ['feat stride: 16', { 'feat stride': 16 }],
    ['a: 10.0.0.1', { a: '10.0.0.1' }],
    ['a:\nb: ~', { a: null, b: null }],
    ['{1: "x"}', { 1: 'x' }],
    ['', {}],
    ['  {}  ', {}],
    ["'a': -0x10, 'b': +3, 'c': -inf", { a: -16, b: 3, c: Number.NEGATIVE_INFINITY }],
  ])('%s', (text, expected) => {
    expect(parseParamStr(text)).toEqual(expected)
  })
  test('a key __proto__ is a key', () => {
    const value = parseParamStr("'__proto__': {'polluted': 1}")
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
  test.each([
    ["'it''s': 1", /':' is missing after 'it'/],
    ["'a' 1", /':' is missing after 'a'/],
    ["'a': 1 'b': 2", /',' is expected after the value of 'a'/],
    ["{'a': 1", /'}' is missing/],
    ["{'a': 1}, 2", /the end is expected/],
    ["'a': __import__('os')", /',' is expected/],
    ["'a': [1, 2", /']' is missing/],
    ["'a': 'b", /ends inside a string/],
    ["'a': '\\xg0'", /2 hexadecimal digits/],
    ["'a': ,", /a value is expected/],
    [`'a': ${'['.repeat(1000)}`, /64 brackets/],
    [`'a': '${'x'.repeat(2 ** 20)}'`, /too many/],
    ['42', /':' is missing/],
  ])('%.40s is refused', (text, message) => {
    expect(() => parseParamStr(text)).toThrow(NetError)
    expect(() => parseParamStr(text)).toThrow(message)
  })
  // each of them takes hours where its time grows with the square of its length
  test('hostile texts of a megabyte come to an end', { tags: 'long' }, () => {
    for (const text of [
      'a '.repeat(2 ** 19),
      ' '.repeat(2 ** 20 - 1),
      'a:'.repeat(2 ** 19),
      '#'.repeat(2 ** 20),
      '1'.repeat(2 ** 20),
    ])
      try {
        parseParamStr(text)
      } catch (error) {
        expect(error).toBeInstanceOf(NetError)
      }
  })
})

test('nested YAML is refused, not flattened', () => {
  for (const text of [
    'a:\n  b: 1',
    'a: 1\n  b: 2',
    'a:\n  - 1\n  - 2',
    'a:\n- 1',
    '- 1',
    '  a: 1\nb: 2',
    'a:\n  # c\n  b: 1',
  ])
    expect(() => parseParamStr(text), text).toThrow(/param_str.*nested lines of YAML are not read/)
  expect(parseParamStr('  a: 1\n\n  b: -2, c: 3\n  d:\n')).toEqual({ a: 1, b: -2, c: 3, d: null })
  expect(parseParamStr('a: {b: 1,\n    c: [1,\n 2]}\nd: 3')).toEqual({ a: { b: 1, c: [1, 2] }, d: 3 })
})
