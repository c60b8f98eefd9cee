/** The walkthrough against the server: its page, its processes, MNIST whole. */
import { mkdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as StudioModule from '../../lib/studio/index.js'
import { serverEntry, writePage } from '../../scripts/studio_page/build.js'
import { builtStudio } from './built.js'
import { chromiumPath, launch, watched } from './chromium.js'
import { type Mode, Walkthrough } from './page/walkthrough.js'
import { walkthroughSteps } from './page/walkthrough_steps.js'

describe.skipIf(!chromiumPath)('the walkthrough, with a server', () => {
  let folder: string
  let server: StudioModule.StudioServer
  let browser: Browser
  let opened: Awaited<ReturnType<typeof watched>>
  let walk: Walkthrough

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ristretto-walkthrough-'))
    const built = await builtStudio()
    await writePage(serverEntry, fileURLToPath(new URL('../../studio/page', built)))
    const { startStudio } = (await import(new URL('index.js', built).href)) as typeof StudioModule
    const root = join(folder, 'project')
    server = await startStudio({ root, port: 0, data: [] })
    // RISTRETTO_PICTURES names a folder for pictures of the screens
    const pictures = process.env.RISTRETTO_PICTURES
    if (pictures) mkdirSync(pictures, { recursive: true })
    const mode: Mode = {
      address: server.address,
      pictures,
      async kill(job) {
        const { pid } = JSON.parse(await readFile(join(root, 'jobs', job, 'process.json'), 'utf8')) as { pid: number }
        process.kill(pid, 'SIGKILL')
      },
      file: (job, path) => readFile(join(root, 'jobs', job, path)),
    }
    browser = await launch()
    opened = await watched(browser, server.url)
    walk = new Walkthrough(opened.page, mode)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  let broken = ''
  test.each(walkthroughSteps)('%s', { timeout: 1_800_000 }, async (name, step) => {
    if (broken) throw new Error(`the step before did not end well: ${broken}`)
    broken = name
    await step(walk)
    // Chromium writes down every request that is refused; the last step asks for one
    const faults = opened.faults.splice(0).filter(fault => !/status of 409/.test(fault))
    expect(faults).toEqual([])
    broken = ''
  })
})
