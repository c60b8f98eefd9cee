import { expect, test } from 'vitest'
import type { FormatError } from '../../lib/errors.js'
import { parseNet } from '../../lib/proto/text.js'

const read = (text: string) => {
  const errors: FormatError[] = []
  parseNet(text, { errors })
  return { errors }
}

test('a text of nothing but mistakes ends', () => {
  expect(read('nmae: "a"\n'.repeat(100_000)).errors).toHaveLength(100)
  expect(read('é\n'.repeat(100_000)).errors.length).toBeLessThanOrEqual(100)
  expect(read('layer {\n'.repeat(100_000)).errors).toHaveLength(100)
})
