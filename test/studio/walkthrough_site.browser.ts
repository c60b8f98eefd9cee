/** The walkthrough on the exported site: the same steps, with nothing behind the page; a crash is a page that is loaded anew. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPage, serverEntry } from '../../scripts/studio_page/build.js'
import { buildSite } from '../../scripts/studio_page/site.js'
import { chromiumPath, type Host, hostSite, launch, watched } from './chromium.js'
import { type Mode, Walkthrough } from './page/walkthrough.js'
import { walkthroughSteps } from './page/walkthrough_steps.js'

describe.skipIf(!chromiumPath)('the walkthrough, without a server', () => {
  let site: Host
  let browser: Browser
  let opened: Awaited<ReturnType<typeof watched>>
  let walk: Walkthrough

  beforeAll(async () => {
    const page = await buildPage(serverEntry)
    site = await hostSite(new Map([...page.files, ...(await buildSite(page, '1.2.3'))]))
    browser = await launch()
    opened = await watched(browser, site.url)
    const mode: Mode = {
      address: site.url,
      async kill() {
        await opened.page.reload()
      },
      async file(job, path) {
        const bytes = await opened.page.evaluate(
          async names => {
            let folder = await navigator.storage.getDirectory()
            for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name)
            const file = await (await folder.getFileHandle(names.at(-1)!)).getFile()
            return [...new Uint8Array(await file.arrayBuffer())]
          },
          ['jobs', job, ...path.split('/')],
        )
        return Uint8Array.from(bytes)
      },
    }
    walk = new Walkthrough(opened.page, mode)
  })
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  let broken = ''
  test.each(walkthroughSteps)('%s', { timeout: 1_800_000 }, async (name, step) => {
    if (broken) throw new Error(`the step before did not end well: ${broken}`)
    broken = name
    await step(walk)
    expect(opened.faults.splice(0)).toEqual([])
    broken = ''
  })
})
