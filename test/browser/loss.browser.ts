import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { goldenPath } from '../golden.js'
import { bundle, chromiumPath, openSite } from './harness.js'
import type { tests } from './page.js'

const images = [...readFileSync(goldenPath('io/mnist_200-images-idx3-ubyte')).subarray(16, 16 + 10 * 784)].map(
  v => v / 256,
)
const labels = [...readFileSync(goldenPath('io/mnist_200-labels-idx1-ubyte')).subarray(8, 18)]

describe.skipIf(chromiumPath === undefined)('a device that is lost in Chromium', () => {
  test.each(['gpu:webgl2', 'gpu:webgl', 'gpu:webgpu'])(
    '%s: the next step says so, and the snapshot goes on on a new device',
    async engine => {
      const site = await openSite({ '/main.js': await bundle('test/browser/page.ts') })
      try {
        await site.page.waitForFunction(() => 'tests' in globalThis)
        const { errors, undisturbed, resumed } = await site.page.evaluate(
          ([name, x, y]) => (globalThis as unknown as { tests: typeof tests }).tests.lose(name, x, y),
          [engine, images, labels] as const,
        )
        expect(errors).toHaveLength(2)
        for (const error of errors)
          expect(error).toMatch(/^EngineError: engine gpu:\w+: the device was lost \(.*restore the last snapshot$/)
        expect(resumed).toEqual([3, ...undisturbed])
      } finally {
        await site.close()
      }
    },
  )
})
