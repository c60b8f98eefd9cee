import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadImage, saveImage } from '../../lib/pycaffe/index.js'
import { ndarrayOf } from '../../lib/system/ndarrays.js'
import { temporaryFolder } from '../cli/helpers.js'

const folder = temporaryFolder()

test('what saveImage writes, loadImage reads', async () => {
  for (const channels of [1, 3]) {
    const values = Float32Array.from({ length: 2 * 3 * channels }, (_, i) => i / (6 * channels - 1))
    const file = join(folder, `${channels}.png`)
    await saveImage(file, ndarrayOf(values, [2, 3, channels]))
    const { data, shape } = await loadImage(file, channels === 3)
    expect(shape).toEqual([2, 3, channels])
    for (const [i, value] of values.entries()) expect(data[i]).toBeCloseTo(value, 2)
  }
  const jpg = join(folder, 'a.JPG')
  await saveImage(jpg, ndarrayOf(new Float32Array(3 * 64).fill(2), [8, 8, 3]))
  expect(readFileSync(jpg).subarray(0, 2)).toEqual(Buffer.of(0xff, 0xd8))
})

test('refuses other endings and shapes', async () => {
  const grey = ndarrayOf(new Float32Array(4), [2, 2, 1])
  await expect(saveImage(join(folder, 'a.gif'), grey)).rejects.toThrow(/writes \.png and \.jpg files, not '.*a\.gif'/)
  const two = ndarrayOf(new Float32Array(8), [2, 2, 2])
  await expect(saveImage(join(folder, 'a.png'), two)).rejects.toThrow(/H × W × 1 or 3, not 2×2×2/)
})
