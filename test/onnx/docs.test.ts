import { expect, test } from 'vitest'
import { readPage, withTables } from '../../scripts/onnx_tables.js'

test('the tables of docs/onnx.md are those of the code: npx tsx scripts/onnx_tables.ts', () => {
  const page = readPage()
  expect(page).toContain('| Convolution | Conv, Reshape |')
  expect(withTables(page)).toBe(page)
})
