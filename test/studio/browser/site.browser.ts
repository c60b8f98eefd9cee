/** The exported site in Chromium: on a host that sends its headers, and on one that sends none. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPage, serverEntry } from '../../../scripts/studio_page/build.js'
import { buildSite } from '../../../scripts/studio_page/site.js'
import { chromiumPath, type Host, host, hostSite, launch, watched } from '../chromium.js'
import { findings } from '../page/axe.js'
import { workers } from './rig.js'

describe.skipIf(chromiumPath === undefined)('the exported site', () => {
  let browser: Browser
  let files: Map<string, Uint8Array>
  let bare: Host
  let headed: Host

  beforeAll(async () => {
    const page = await buildPage(serverEntry)
    files = new Map([...page.files, ...(await buildSite(page, '1.2.3', await workers()))])
    bare = await host(files)
    headed = await hostSite(files)
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
    // waitForFunction makes a function of a text, which the policy of the page forbids; a question may meet the reload
    await expect.poll(() => page.evaluate('crossOriginIsolated').catch(() => false), { timeout: 60_000 }).toBe(true)
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
