import { expect, test } from 'vitest'
import { type Preparation, preparationText } from '../../lib/data/preparation.js'

const base: Preparation = {
  channels: 3,
  height: 20,
  width: 30,
  resize: [24, 32],
  fit: 'half-crop',
  order: 'BGR',
  scale: 0.5,
  meanValues: [1, 2, 3],
}

test('says width × height, as make-dataset --size does, and all that is done', () => {
  expect(preparationText(base)).toBe(
    'brought to 32×24 (half-crop), cut to the 30×20 in their middle, channels B G R, 1, 2, 3 taken off, times 0.5',
  )
  const plain = { ...base, channels: 1, resize: [20, 30], fit: 'squash', scale: 1, meanValues: [0] } as const
  expect(preparationText(plain)).toBe('brought to 30×20, grey, values 0 … 255')
  const mean = { shape: [3, 20, 30] as const, data: new Float32Array(1800) }
  expect(preparationText({ ...base, meanValues: [], mean })).toContain('a mean picture of 3×20×30 taken off')
})
