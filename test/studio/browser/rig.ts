/** A site with Studio's workers and a test's page, in Chromium. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type BuiltWorkers, buildWorkers } from '../../../scripts/studio_page/workers.js'
import { chromiumPath } from '../../browser/harness.js'
import type { tests } from './page.js'

export { chromiumPath }

const root = new URL('../../../', import.meta.url).pathname

let built: Promise<BuiltWorkers> | undefined
/** Once for all tests of a file. */
export const workers = (): Promise<BuiltWorkers> => (built ??= buildWorkers())

async function script(file: string, define: Record<string, string> = {}): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`test/studio/browser/${file}`],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['node:*', 'sharp', 'koffi', 'h5wasm', 'ndarray-pixels'],
    define,
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0].contents
}

export async function siteFiles(): Promise<Map<string, Uint8Array>> {
  const { files, programs } = await workers()
  const text = new TextEncoder()
  return new Map([
    ...files,
    [
      '',
      text.encode('<!doctype html><link rel="icon" href="data:,"><script type="module" src="main.js"></script><body>'),
    ],
    ['main.js', await script('page.ts', { PROGRAMS: JSON.stringify(programs) })],
    ['store.js', await script('store_worker.ts')],
  ])
}

export interface Host {
  readonly url: string
  /** Paths that were asked for. */
  readonly asked: string[]
  close(): Promise<void>
}

/** Give out files, with the headers that give a page threads or without. */
export async function host(files: ReadonlyMap<string, Uint8Array>, isolated: boolean): Promise<Host> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://x').pathname.slice(1)
    asked.push(name)
    const body = files.get(name) ?? (name === '' ? files.get('index.html') : undefined)
    if (!body) return void response.writeHead(404).end()
    const type = /\.js$/.test(name)
      ? 'text/javascript'
      : /\.css$/.test(name)
        ? 'text/css'
        : /\.svg$/.test(name)
          ? 'image/svg+xml'
          : 'text/html'
    response.writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      ...(isolated && {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
      }),
    })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

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

/** Give out an exported site, with the headers of its file. */
export async function hostWithHeaders(files: ReadonlyMap<string, Uint8Array>): Promise<Host> {
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
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath, args: ['--headless', '--no-sandbox', '--disable-dev-shm-usage'] })

/** Call a test in a page. */
export function call<M extends keyof typeof tests>(
  page: Page,
  method: M,
  ...args: Parameters<(typeof tests)[M]>
): Promise<Awaited<ReturnType<(typeof tests)[M]>>> {
  return page.evaluate(
    ([name, given]) =>
      (globalThis as unknown as { tests: Record<string, (...args: unknown[]) => unknown> }).tests[name](...given),
    [method as string, args as unknown[]] as const,
  ) as Promise<Awaited<ReturnType<(typeof tests)[M]>>>
}

/** A page of the site that is ready to be asked. */
export async function ready(page: Page, url: string): Promise<Page> {
  await page.goto(url)
  await page.waitForFunction(() => 'tests' in globalThis)
  return page
}
