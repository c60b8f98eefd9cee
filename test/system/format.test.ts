import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../lib/rng.js'
import { shortFloat } from '../../lib/system/format.js'

describe('shortFloat', () => {
  test('prefers what a person would write', () => {
    for (const value of [0.1, 0.01, 1e-8, 0.999, 104.00699, 16777215, 1e20, -0.75, 3.4028235e38, 1e-45]) {
      expect(shortFloat(Math.fround(value))).toBe(value)
      expect(shortFloat(value)).toBe(value)
    }
    for (const value of [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(shortFloat(value)).toBe(value)
    expect(shortFloat(1e39)).toBe(Number.POSITIVE_INFINITY)
  })

  test('keeps every float32', { tags: 'long' }, () => {
    const random = new RandomStream(1, 'short float')
    const bits = new Uint32Array(1)
    const float = new Float32Array(bits.buffer)
    for (let i = 0; i < 20_000; i++) {
      bits[0] = random.uint32()
      if (!Number.isNaN(float[0])) expect(Math.fround(shortFloat(float[0]))).toBe(float[0])
    }
  })
})
