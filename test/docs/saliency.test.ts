/** docs/examples/saliency, whose program runs in half a second. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { loadImage } from '../../lib/pycaffe/index.js'
import { root } from './blocks.js'

test('the score of a four hangs on pixels near its bars', async () => {
  const file = join(root, 'examples-output/saliency/saliency.png')
  rmSync(file, { force: true })
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  await import('../../docs/examples/saliency/saliency.js')
  expect(log.mock.calls).toEqual([[expect.stringMatching(/^4, (1\.00|0\.9\d): made/)]])
  log.mockRestore()
  expect(existsSync(file)).toBe(true)
  const { data, shape } = await loadImage(file, false)
  expect(shape).toEqual([28, 57, 1])
  let [near, far, nearCount, farCount] = [0, 0, 0, 0]
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++) {
      const value = data[y * 57 + 29 + x]
      if (y >= 4 && y < 25 && x >= 6 && x < 22) [near, nearCount] = [near + value, nearCount + 1]
      else [far, farCount] = [far + value, farCount + 1]
    }
  expect(near / nearCount).toBeGreaterThan(2 * (far / farCount))
})
