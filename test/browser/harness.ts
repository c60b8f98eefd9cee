import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build as viteBuild } from 'vite'

/** Where a Chromium may be; RISTRETTO_CHROMIUM names another. */
const places = [
  process.env.RISTRETTO_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
export const chromiumPath = places.find(path => path !== undefined && existsSync(path))

/** Adapters without a GPU. */
const software = ['--enable-unsafe-swiftshader', '--use-angle=swiftshader']

const root = new URL('../../', import.meta.url).pathname

/** The page script: everything in one file, nothing of Node inside. */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [`${root}${entry}`],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    // as users do: kernels are compiled from the text that a minifier leaves
    minify: true,
    target: 'es2022',
    external: ['node:*', 'sharp', 'koffi', 'h5wasm', 'ndarray-pixels'],
    write: false,
    logLevel: 'silent',
  })
  return result.outputFiles[0].text
}

/** The same by Vite, for production: rolldown bundles, oxc minifies. */
export async function viteBundle(entry: string): Promise<string> {
  const made = await viteBuild({
    root,
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    build: {
      write: false,
      minify: 'oxc',
      target: 'es2022',
      rolldownOptions: {
        input: `${root}${entry}`,
        external: [/^node:/, 'sharp', 'koffi', 'h5wasm', 'ndarray-pixels'],
        output: { codeSplitting: false },
      },
    },
  })
  const [{ output }] = [made].flat() as { output: { type: string; code?: string }[] }[]
  return output.find(({ type }) => type === 'chunk')!.code!
}

export interface Site {
  readonly page: Page
  readonly errors: string[]
  close(): Promise<void>
}

/**
 * A browser with software WebGL and WebGPU on a page that has run `files['/main.js']`; other files are served as they
 * are.
 */
export async function openSite(
  files: Record<string, string | Uint8Array>,
  options: { isolated?: boolean; path?: string; hardware?: boolean } = {},
): Promise<Site> {
  const server = await serve(files, options.isolated ?? true)
  const { port } = server.address() as AddressInfo
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--enable-unsafe-webgpu',
      '--disable-dev-shm-usage',
      ...(options.hardware ? [] : software),
    ],
  })
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', error => errors.push(String(error)))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${port}${options.path ?? '/'}`)
  return {
    page,
    errors,
    async close() {
      await browser.close()
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const types: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
}

function serve(files: Record<string, string | Uint8Array>, isolated: boolean): Promise<Server> {
  const all: Record<string, string | Uint8Array> = {
    '/': '<!doctype html><script type="module" src="/main.js"></script>',
    ...files,
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const body = all[path]
    if (body === undefined) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, {
      'content-type': types[path === '/' ? 'html' : (path.split('.').pop() ?? '')] ?? 'application/octet-stream',
      ...(isolated
        ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
        : {}),
    })
    response.end(body)
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}
