import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle, chromiumPath, openSite, type Site } from './harness.js'

const source = readFileSync('docs/examples/occlusion/blank_square.ts', 'utf8')
let site: Site

describe.skipIf(chromiumPath === undefined)("Studio's looking functions in a worker of Chromium", () => {
  beforeAll(async () => {
    const worker = await bundle('test/browser/studio_worker.ts')
    site = await openSite({
      '/': '<!doctype html><title>Studio</title><link rel="icon" href="data:,">',
      '/worker.js': worker,
      '/main.js': '',
    })
  })
  afterAll(() => site?.close())

  test.each(['blob', 'data'] as const)(
    'layers by %s: URLs are compiled, checked, run and shown; sets, evaluations and archives need no files',
    async urls => {
      const answer = await site.page.evaluate(
        ([source, urls]) =>
          new Promise<Record<string, unknown>>((resolve, reject) => {
            const worker = new Worker('/worker.js', { type: 'module' })
            worker.onerror = event => reject(new Error(event.message))
            worker.onmessage = ({ data }) => {
              worker.terminate()
              resolve(data)
            }
            worker.postMessage({ source, urls })
          }),
        [source, urls] as const,
      )
      expect(answer).toMatchObject({
        classes: ['BlankSquareLayer'],
        marks: [],
        verdict: 'on purpose',
        nodes: 10,
        items: 10,
      })
      expect(answer['zeros']).toBeGreaterThanOrEqual(100)
      expect(answer['score']).toBeCloseTo(1, 5)
      expect(answer['png']).toBeGreaterThan(60)
      expect(answer['zip']).toBeGreaterThan(10_000)
      expect(site.errors).toEqual([])
    },
  )
})
