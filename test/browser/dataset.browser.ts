import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { zipSync } from 'fflate'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importDeflate } from '../../lib/data/inflate.js'
import { writePng } from '../../lib/data/png.js'
import type { tests } from './dataset_page.js'
import { chromiumPath, openSite, type Site } from './harness.js'

const root = new URL('../../', import.meta.url).pathname

/** Everything in one file, the decoder of pictures included. */
async function whole(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${root}${entry}`],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    target: 'es2022',
    alias: { ristretto: `${root}lib/index.ts` },
    external: ['node:*', 'sharp', 'koffi', 'h5wasm'],
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0].text
}

describe.skipIf(chromiumPath === undefined)('pictures in Chromium', () => {
  let site: Site
  const call = <Name extends keyof typeof tests>(
    name: Name,
    ...args: Parameters<(typeof tests)[Name]>
  ): Promise<Awaited<ReturnType<(typeof tests)[Name]>>> =>
    site.page.evaluate(
      ([which, given]) =>
        (globalThis as unknown as { tests: Record<string, (...all: unknown[]) => unknown> }).tests[which](...given),
      [name, args] as const,
    ) as Promise<Awaited<ReturnType<(typeof tests)[Name]>>>

  beforeAll(async () => {
    site = await openSite({ '/main.js': await whole('test/browser/dataset_page.ts') })
    await site.page.waitForFunction(() => 'tests' in globalThis)
  })
  afterAll(() => site?.close())

  test('a zip becomes a dataset, a trained net, an archive and answers, with no file system', async () => {
    const deflate = await importDeflate()
    const picture = (light: boolean, i: number) =>
      writePng({ channels: 1, height: 32, width: 32, data: new Uint8Array(1024).fill(light ? 255 - i : i) }, deflate)
    const files: Record<string, Uint8Array> = {}
    for (let i = 0; i < 16; i++)
      for (const name of ['dark', 'light']) files[`${name}/${i}.png`] = picture(name === 'light', i)
    const jpeg = await sharp(Buffer.alloc(32 * 32 * 3, 250), { raw: { width: 32, height: 32, channels: 3 } })
      .jpeg()
      .toBuffer()
    const shown = [picture(true, 3), picture(false, 3), new Uint8Array(jpeg)].map(bytes => [...bytes])
    expect(await call('inWorker', [...zipSync(files)])).toEqual({ classes: ['dark', 'light'], records: 24 })
    const { archive, ...told } = await call('fromZip', [...zipSync(files)], shown)
    expect(told).toEqual({
      files: ['labels.txt', 'mean.binaryproto', 'summary.json', 'train_db/data.mdb', 'val_db/data.mdb'],
      classes: ['dark', 'light'],
      sets: { train: 24, val: 8 },
      said: ['light', 'dark', 'light'],
      white: 'light',
    })
    expect(archive).toBeGreaterThan(100_000)
  })

  test('arrays become a dataset', async () => {
    const { mean, files, labels } = await call('fromArrays')
    expect(files).toContain('train_db/data.mdb')
    expect(labels).toBe('dark\nlight\n')
    expect(mean[0]).toBeGreaterThan(100)
  })

  test.each([
    [1, [8, 16, 3], [true, false, false, false]],
    [3, [8, 16, 3], [false, false, false, true]],
    [6, [16, 8, 3], [false, true, false, false]],
    [8, [16, 8, 3], [false, false, true, false]],
  ])('a photograph of orientation %i is seen as Node sees it', async (orientation, shape, corners) => {
    const pixels = Buffer.alloc(16 * 8 * 3, 20)
    for (let y = 0; y < 4; y++) for (let x = 0; x < 8; x++) pixels[3 * (16 * y + x)] = 230
    const jpeg = await sharp(pixels, { raw: { width: 16, height: 8, channels: 3 } })
      .withMetadata({ orientation })
      .jpeg({ quality: 100 })
      .toBuffer()
    expect(await call('photograph', [...jpeg])).toEqual({ shape, corners })
  })
})

describe.skipIf(chromiumPath === undefined)("the page of the tutorial 'Your own pictures'", () => {
  let site: Site
  beforeAll(async () => {
    const folder = `${root}docs/examples/your-own-pictures`
    site = await openSite({
      '/': readFileSync(`${folder}/index.html`, 'utf8'),
      '/page.js': await whole('docs/examples/your-own-pictures/page.ts'),
      '/model.zip': readFileSync(`${root}models/digits/digits.zip`),
    })
  })
  afterAll(() => site?.close())

  const said = () => site.page.locator('output').textContent()

  test('says what is drawn, and forgets it', async () => {
    const { page } = site
    await page.waitForFunction(() => document.querySelector('output')?.textContent?.startsWith('Draw one of'))
    const canvas = page.locator('canvas')
    const { x, y, width, height } = (await canvas.boundingBox())!
    // a one: a stroke down the middle
    await page.mouse.move(x + width / 2, y + height * 0.2)
    await page.mouse.down()
    await page.mouse.move(x + width / 2, y + height * 0.8, { steps: 30 })
    await page.mouse.up()
    await page.waitForFunction(() => /%/.test(document.querySelector('output')?.textContent ?? ''))
    expect((await said())!.split('\n')).toHaveLength(3)
    expect(await said()).toMatch(/^1, \d+ %\n/)
    await page.click('button')
    expect(await said()).toMatch(/^Draw one of: 0, 1, /)
    expect(site.errors).toEqual([])
  })

  test.each([375, 1024, 1920])('fits a window %i pixels wide, in both themes', async width => {
    const { page } = site
    await page.setViewportSize({ width, height: 800 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const seen = await page.evaluate(() => {
        const box = document.querySelector('canvas')!.getBoundingClientRect()
        const { backgroundColor, color } = getComputedStyle(document.documentElement)
        return {
          overflow: document.documentElement.scrollWidth > innerWidth,
          box: box.toJSON(),
          backgroundColor,
          color,
        }
      })
      expect(seen.overflow).toBe(false)
      expect(Math.round(seen.box.width)).toBe(Math.round(seen.box.height))
      expect(Math.abs(seen.box.left + seen.box.right - width)).toBeLessThan(20)
      expect(seen.color).toBe(colorScheme === 'dark' ? 'rgb(255, 255, 255)' : 'rgb(0, 0, 0)')
      const { RISTRETTO_SCREENSHOTS: folder } = process.env
      if (folder) await page.screenshot({ path: `${folder}/${width}-${colorScheme}.png` })
    }
  })
})
