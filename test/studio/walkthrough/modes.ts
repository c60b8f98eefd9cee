/** The two ways in which the walkthrough is done: with a server, and on the exported site with nothing behind the page. */
import { mkdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import type * as StudioModule from '../../../lib/studio/index.js'
import { buildPage, serverEntry, writePage } from '../../../scripts/studio_page/build.js'
import { buildSite } from '../../../scripts/studio_page/site.js'
import { hostSite, launch, watched, watchedProfile } from '../chromium.js'
import { Library } from './library.js'
import type { Mode } from './walkthrough.js'

export interface Opened {
  readonly page: Page
  /** What went wrong in the page since it was last looked at. */
  readonly faults: string[]
  /** Faults that steps of this mode bring about. */
  readonly expected: RegExp
  readonly mode: Mode
  close(): Promise<void>
}

const trainings = new Map<string, Promise<Library>>()
/** Both modes make the same job, but for the dataset's name: it is trained once. */
const library: Mode['library'] = texts => {
  const key = JSON.stringify(texts).replace(/"\.\.\/[\w-]+/g, '')
  const made = trainings.get(key) ?? Library.train(texts)
  trainings.set(key, made)
  return made
}
export const closeLibraries = async (): Promise<void> => {
  for (const made of trainings.values()) await (await made.catch(() => undefined))?.close()
}

/** The built library's server in a folder of its own; its jobs are processes. */
export async function withServer(built: URL): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'ristretto-walkthrough-'))
  const root = join(folder, 'project')
  await writePage(serverEntry, fileURLToPath(new URL('../../studio/page', built)))
  const { startStudio } = (await import(new URL('index.js', built).href)) as typeof StudioModule
  const token = 't'.repeat(43)
  const start = (port: number) => startStudio({ root, port, data: [], token })
  let server = await start(0)
  const { url, address } = server
  // RISTRETTO_PICTURES names a folder for pictures of the screens
  const pictures = process.env.RISTRETTO_PICTURES
  if (pictures) mkdirSync(pictures, { recursive: true })
  const browser = await launch()
  const { page, faults } = await watched(browser, url)
  const mode: Mode = {
    ...{ address, pictures, library },
    cli: fileURLToPath(new URL('../cli/main.js', built)),
    async kill(job) {
      const { pid } = JSON.parse(await readFile(join(root, 'jobs', job, 'process.json'), 'utf8')) as { pid: number }
      process.kill(pid, 'SIGKILL')
    },
    file: (job, path) => readFile(join(root, 'jobs', job, path)),
    cut: () => server.close(),
    async back() {
      // somebody may have the port for a moment
      for (;;) {
        const again = await start(Number(new URL(url).port)).catch((error: Error) => error)
        if (!(again instanceof Error)) return void (server = again)
        if (!/port/.test(again.message)) throw again
        await new Promise(resolve => setTimeout(resolve, 200))
      }
    },
  }
  return {
    ...{ page, faults, mode },
    // Chromium writes down every request that is refused, or that nobody answers
    expected:
      /status of 409|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/,
    async close() {
      await browser.close()
      await server.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The exported site; a crash is a page that is loaded anew. */
export async function withoutServer(built: URL): Promise<Opened> {
  const files = await buildPage(serverEntry)
  const site = await hostSite(new Map([...files.files, ...(await buildSite(files, '1.2.3'))]))
  const { page, context, faults } = await watchedProfile(site.url)
  const mode: Mode = {
    address: site.url,
    library,
    cli: fileURLToPath(new URL('../cli/main.js', built)),
    async kill() {
      await page.reload()
    },
    async file(job, path) {
      const bytes = await page.evaluate(
        async names => {
          let folder = await navigator.storage.getDirectory()
          for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name)
          const file = await (await folder.getFileHandle(names.at(-1)!)).getFile()
          const url = await new Promise<string>(resolve => {
            const reader = new FileReader()
            reader.onload = () => resolve(reader.result as string)
            reader.readAsDataURL(file)
          })
          return url.slice(url.indexOf(',') + 1)
        },
        ['jobs', job, ...path.split('/')],
      )
      return Buffer.from(bytes, 'base64')
    },
    cut: () => site.close(),
  }
  return {
    ...{ page, faults, mode },
    expected: /^$/,
    async close() {
      await context.close()
      await site.close()
    },
  }
}
