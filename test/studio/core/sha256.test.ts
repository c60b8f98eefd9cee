import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { sha256Of } from '../../../lib/studio/core/sha256.js'

test('SHA-256 is what Node says, at every length around a block and for long texts', () => {
  const lengths = [...Array.from({ length: 140 }, (_, i) => i), 1000, 65_537]
  for (const length of lengths) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) % 256)
    expect(Buffer.from(sha256Of(bytes)).toString('hex'), `${length} bytes`).toBe(
      createHash('sha256').update(bytes).digest('hex'),
    )
  }
})
