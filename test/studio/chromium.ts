/** Files on a port of their own, and a browser that tells what goes wrong with them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { chromiumPath } from '../browser/harness.js'

export { chromiumPath }

type Headers = Readonly<Record<string, string>>

/** What gives a page threads. */
export const ISOLATED: Headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}

const TYPES: Headers = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
}

export interface Host {
  readonly url: string
  /** Names of files that were asked for. */
  readonly asked: string[]
  close(): Promise<void>
}

/** Give out files, each with the headers of its path. */
export async function host(
  files: ReadonlyMap<string, Uint8Array>,
  headers: Headers | ((path: string) => Headers) = {},
): Promise<Host> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const name = pathname.slice(1) || 'index.html'
    asked.push(name)
    const body = files.get(name)
    if (!body) return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream',
      ...(typeof headers === 'function' ? headers(pathname) : headers),
    })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    // Chromium opens connections ahead: they are not waited for
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Give out an exported site, with the headers of its file `_headers` as hosts read it. */
export function hostSite(files: ReadonlyMap<string, Uint8Array>): Promise<Host> {
  const lines = new TextDecoder().decode(files.get('_headers')).split('\n')
  return host(files, path => {
    const found: Record<string, string> = {}
    let applies = false
    for (const line of lines) {
      if (line.startsWith('/')) applies = line === path || (line.endsWith('*') && path.startsWith(line.slice(0, -1)))
      else if (applies && line.trim()) {
        const [name, value] = line.trim().split(/: (.*)/)
        found[name] = value
      }
    }
    return found
  })
}

const START = { executablePath: chromiumPath, args: ['--headless', '--no-sandbox', '--disable-dev-shm-usage'] }
const FRAME = { viewport: { width: 1280, height: 900 } }

/** Without scrollbars, unless they are asked for: Playwright hides them. */
export const launch = ({ scrollbars = false } = {}): Promise<Browser> =>
  chromium.launch({ ...START, ...(scrollbars && { ignoreDefaultArgs: ['--hide-scrollbars'] }) })

interface Watched {
  readonly context: BrowserContext
  readonly page: Page
  readonly faults: string[]
}

/** Pages whose errors, warnings and requests to other hosts are written down. */
export const watched = async (
  browser: Browser,
  url: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Watched> => watch(await browser.newContext({ ...FRAME, ...options }), url)

/**
 * A browser whose profile is a folder of its own, as a person's: files of a site lie on the disk, where those of a context in
 * memory are asked for one by one from another process.
 */
export async function withProfile(): Promise<BrowserContext> {
  const folder = await mkdtemp(join(tmpdir(), 'ristretto-profile-'))
  const context = await chromium.launchPersistentContext(folder, { ...START, ...FRAME })
  context.on('close', () => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return context
}

/** The same of pages in one. */
export const watchedProfile = async (url: string): Promise<Watched> => watch(await withProfile(), url)

async function watch(context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage()
  const faults: string[] = []
  const { host } = new URL(url)
  page.on('pageerror', error => faults.push(`error: ${error.message}`))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`${message.type()}: ${message.text()}`)
  })
  page.on('request', request => {
    const to = new URL(request.url())
    if (/^https?:$/.test(to.protocol) && to.host !== host) faults.push(`request to ${request.url()}`)
  })
  return { context, page, faults }
}
