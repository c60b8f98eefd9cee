import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goldenPath } from '../golden.js'
import { chromiumPath, openSite, type Site } from './harness.js'

const root = new URL('../../', import.meta.url).pathname
const files: Record<string, Uint8Array> = {}
let folder = ''
let site: Site

const text = async (selector: string): Promise<string | null> => site.page.locator(selector).textContent()

describe.skipIf(chromiumPath === undefined)('docs/examples/browser, built by Vite, in Chromium', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ristretto-page-'))
    const configFile = `${root}test/browser/example.config.ts`
    await build({ configFile, logLevel: 'error', publicDir: false, build: { outDir: folder, emptyOutDir: true } })
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      files[`/${relative(folder, path)}`] = await readFile(path)
    }
    files['/'] = files['/index.html']
    // 200 digits stand for both sets
    for (const set of ['train', 't10k'])
      for (const kind of ['images-idx3', 'labels-idx1'])
        files[`/${set}-${kind}-ubyte`] = await readFile(goldenPath(`io/mnist_200-${kind}-ubyte`))
    site = await openSite(files)
  })
  afterAll(async () => {
    await site?.close()
    if (folder) await rm(folder, { recursive: true })
  })

  test('no module of Node is reached from the bundle', () => {
    const scripts = Object.entries(files).filter(([path]) => path.endsWith('.js'))
    expect(scripts.length).toBeGreaterThan(1)
    // what Vite puts in the place of a module of Node
    const reached = scripts.filter(([, bytes]) => new TextDecoder().decode(bytes).includes('__vite-browser-external'))
    expect(reached.map(([path]) => path)).toEqual([])
  })

  test('trains 30 iterations in a worker; the page is never blocked for more than 50 ms', async () => {
    const { page } = site
    await page.evaluate(() => {
      const seen = { tasks: [] as number[] }
      Object.assign(globalThis, { seen })
      new PerformanceObserver(list => {
        for (const entry of list.getEntries()) seen.tasks.push(entry.duration)
      }).observe({ type: 'longtask' })
    })
    await page.fill('#iterations', '30')
    await page.click('#train')
    await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('done'), undefined, {
      timeout: 120_000,
    })
    expect(await text('#engine-name')).toMatch(/^wasm \(/)
    expect(await text('#status')).toMatch(/^iteration 30, loss [01]\.\d+, /)
    const tasks = await page.evaluate(() => (globalThis as unknown as { seen: { tasks: number[] } }).seen.tasks)
    expect(tasks.filter(ms => ms > 50)).toEqual([])
  })

  test('a model that is dropped on the page is used, and a drawn one is a one', async () => {
    const { page } = site
    const model = [...(await readFile(goldenPath('nets/lenet/lenet.caffemodel')))]
    await page.evaluate(bytes => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([Uint8Array.from(bytes)], 'lenet.caffemodel'))
      document.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))
    }, model)
    await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('lenet.caffemodel'))
    expect(await text('#status')).toBe('lenet.caffemodel: weights of conv1, conv2, ip1, ip2')
    const box = (await page.locator('#pad').boundingBox())!
    await page.mouse.move(box.x + 150, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + 130, box.y + 240, { steps: 12 })
    await page.mouse.up()
    await page.waitForFunction(() => document.querySelector('#classes output')?.textContent?.includes('%'))
    const shares = await page.locator('#classes output').allInnerTexts()
    const best = shares
      .map(share => Number.parseInt(share, 10))
      .reduce((most, share, i, all) => (share > all[most] ? i : most), 0)
    expect(best, shares.join(' ')).toBe(1)
    await mkdir(`${root}examples-output`, { recursive: true })
    await page.screenshot({ path: `${root}examples-output/browser.png`, fullPage: true })
  })

  test.each(['gpu:webgl2', 'gpu:webgpu'])('trains on %s, in the worker', async engine => {
    const { page } = site
    await page.selectOption('#engine', engine)
    await page.fill('#iterations', '2')
    await page.click('#train')
    await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('done'), undefined, {
      timeout: 100_000,
    })
    expect(await text('#engine-name')).toContain(engine)
    expect(await text('#status')).toMatch(/^iteration 2, loss \d\.\d+/)
  })
})
