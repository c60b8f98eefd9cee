/** The exported site in Chromium: on a host that sends its headers, and on one that sends none. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPage, serverEntry } from '../../../scripts/studio_page/build.js'
import { buildSite } from '../../../scripts/studio_page/site.js'
import { findings } from '../page/axe.js'
import { watched } from '../page/site.js'
import { chromiumPath, type Host, host, launch, workers } from './rig.js'

/** Headers of a path, as hosts read them from `_headers`. */
function headersOf(text: string, path: string): Record<string, string> {
  const found: Record<string, string> = {}
  let applies = false
  for (const line of text.split('\n')) {
    if (/^\//.test(line)) applies = line === path || (line.endsWith('*') && path.startsWith(line.slice(0, -1)))
    else if (applies && line.trim()) {
      const [name, value] = line.trim().split(/: (.*)/)
      found[name] = value
    }
  }
  return found
}

describe.skipIf(chromiumPath === undefined)('the exported site', () => {
  let browser: Browser
  let files: Map<string, Uint8Array>
  let bare: Host
  let headed: Host

  beforeAll(async () => {
    const page = await buildPage(serverEntry)
    files = new Map([...page.files, ...(await buildSite(page, '1.2.3', await workers()))])
    bare = await host(files, false)
    headed = await hostWithHeaders(files)
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await bare?.close()
    await headed?.close()
  })

  const home = (page: Page) => page.getByRole('heading', { name: 'Make a net that sees' }).waitFor()

  test('with its headers: threads at once, no service worker, nothing in the console, nothing from elsewhere', async () => {
    const { context, page, faults } = await watched(browser, headed.url)
    await page.goto(headed.url)
    await home(page)
    await page.getByText('in this browser').waitFor()
    expect(await page.evaluate('crossOriginIsolated')).toBe(true)
    expect(headed.asked).not.toContain('service_worker.js')
    expect(await findings(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  test('on a host that sends none a service worker adds them: threads from the second load on, which comes by itself', async () => {
    const { context, page, faults } = await watched(browser, bare.url)
    await page.goto(bare.url)
    await page.waitForFunction('crossOriginIsolated')
    await home(page)
    expect(faults).toEqual([])
    await context.close()
  })

  test('without service workers there is one thread, and the page says so', async () => {
    const { context, page, faults } = await watched(browser, bare.url, { serviceWorkers: 'block' })
    await page.goto(bare.url)
    await home(page)
    expect(await page.evaluate('crossOriginIsolated')).toBe(false)
    await page.getByText('one thread', { exact: true }).waitFor()
    expect(faults.filter(fault => !/blocked by Playwright/.test(fault))).toEqual([])
    await context.close()
  })

  test('a second tab says that another one has the project, and takes it over', async () => {
    const { context, page } = await watched(browser, headed.url)
    await page.goto(headed.url)
    await home(page)
    const second = await context.newPage()
    await second.goto(headed.url)
    await second.getByText('open in another tab').waitFor()
    expect(await findings(second)).toEqual([])
    await second.getByRole('button', { name: 'Take it over' }).click()
    await home(second)
    await page.getByText('Another tab has taken this project').waitFor()
    await page.getByRole('button', { name: 'Take it over' }).click()
    await home(page)
    await second.getByText('Another tab has taken this project').waitFor()
    await context.close()
  })
})

async function hostWithHeaders(files: ReadonlyMap<string, Uint8Array>): Promise<Host> {
  const rules = new TextDecoder().decode(files.get('_headers'))
  const asked: string[] = []
  const types: Record<string, string> = {
    js: 'text/javascript',
    css: 'text/css',
    svg: 'image/svg+xml',
    html: 'text/html',
  }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const name = pathname.slice(1) || 'index.html'
    asked.push(name)
    const body = files.get(name)
    if (!body) return void response.writeHead(404).end()
    const type = types[name.split('.').at(-1)!] ?? 'text/plain'
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, ...headersOf(rules, pathname) })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
}
