/** What makes one text of another, line by line. */
import { expect, test } from 'vitest'
import { lineDiff } from '../../../lib/studio/core/line_diff.js'

const text = (...lines: string[]): string => lines.join('\n')

test('equal texts differ in nothing', () => {
  expect(lineDiff('a\nb', 'a\nb')).toBe('')
})

test('lines that went, that came, and what stands around them', () => {
  expect(lineDiff(text('a', 'b', 'c'), text('a', 'x', 'c', 'd'))).toBe(text(' a', '-b', '+x', ' c', '+d'))
  expect(lineDiff('', 'a')).toBe(text('-', '+a'))
})

test('a line that moved goes once and comes once', () => {
  expect(lineDiff(text('a', 'b', 'c', 'd'), text('d', 'a', 'b', 'c'))).toBe(text('+d', ' a', ' b', ' c', '-d'))
})

test('far from a change lines are left out', () => {
  const numbers = Array.from({ length: 30 }, (_, i) => String(i))
  const changed = numbers.with(10, 'x').with(25, 'y')
  expect(lineDiff(text(...numbers), text(...changed)).split('\n')).toEqual([
    '…',
    ...[' 7', ' 8', ' 9', '-10', '+x', ' 11', ' 12', ' 13'],
    '…',
    ...[' 22', ' 23', ' 24', '-25', '+y', ' 26', ' 27', ' 28'],
    '…',
  ])
})

test('texts without a line in common, as long as nets are at most, are one change', () => {
  const lines = (name: string) => Array.from({ length: 3000 }, (_, i) => `${name}${i}`)
  const found = lineDiff(text(...lines('a')), text(...lines('b'))).split('\n')
  expect(found).toEqual([...lines('a').map(line => `-${line}`), ...lines('b').map(line => `+${line}`)])
})
