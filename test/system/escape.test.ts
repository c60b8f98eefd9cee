import { expect, test } from 'vitest'
import { printable, printableJson, printableLines } from '../../lib/system/escape.js'

test('what a terminal obeys is written out, the rest stays', () => {
  expect(printable('\x1b]52;c;aGk=\x07\r\nx\x9b31m\x7f\u202e\u2028\ud800')).toBe(
    '\\x1b]52;c;aGk=\\x07\\r\\nx\\x9b31m\\x7f\\u202e\\u2028\\ud800',
  )
  expect(printable('a\tb é 你 😀 \\n')).toBe('a\tb é 你 😀 \\n')
  expect(printableLines('a\nb\r')).toBe('a\nb\\r')
})

test('JSON stays JSON', () => {
  const value = { name: '\x1b\x9b\u202e\ud800\n"\\ é' }
  expect(JSON.parse(printableJson(value))).toEqual(value)
  expect(printableJson(value)).toBe('{"name":"\\u001b\\u009b\\u202e\\ud800\\n\\"\\\\ é"}')
})
