/** Studio without a server: what is put beside the page, or in place of it, to make a site that any host can give out. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { BuiltPage } from './build.js'
import { type BuiltWorkers, buildWorkers } from './workers.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** They give a page memory that threads share. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
}
const ALL = { ...ISOLATION, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' }

/** Stands in the page: on any host, nothing comes from elsewhere. */
const PAGE_POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:; connect-src 'self' blob:; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
/** Of workers: they import layers from memory. */
const WORKER_POLICY =
  "default-src 'self'; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' blob:"

/** The files that differ from the page that a server gives out. */
export async function buildSite(
  page: BuiltPage,
  version: string,
  workers?: BuiltWorkers,
): Promise<Map<string, Uint8Array>> {
  const { files, programs } = workers ?? (await buildWorkers())
  const text = new TextEncoder()
  const html = new TextDecoder().decode(page.files.get('index.html'))
  const settings = JSON.stringify({ programs, version })
  const local = html
    .replace('<head>', `<head>\n<meta http-equiv="content-security-policy" content="${PAGE_POLICY}">`)
    .replace('<div id="app">', `<script type="application/json" id="local">${settings}</script>\n<div id="app">`)
  if (!local.includes(settings) || !local.includes(PAGE_POLICY)) throw new Error('index.html is not what it was')
  return new Map([
    ...files,
    ['index.html', text.encode(local)],
    ['_headers', text.encode(headersFile([programs.hub, programs.job, programs.inspector]))],
    ['service_worker.js', await serviceWorker()],
  ])
}

/** As Netlify, Cloudflare Pages and others read it. */
function headersFile(workers: readonly string[]): string {
  const block = (path: string, headers: Readonly<Record<string, string>>) =>
    `${path}\n${Object.entries(headers)
      .map(([name, value]) => `  ${name}: ${value}\n`)
      .join('')}`
  const framing = { 'Content-Security-Policy': "frame-ancestors 'none'" }
  return [
    block('/*', ALL),
    block('/', framing),
    block('/index.html', framing),
    ...workers.map(name => block(`/${name}`, { 'Content-Security-Policy': WORKER_POLICY })),
  ].join('')
}

async function serviceWorker(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'lib/studio/browser/service_worker.ts')],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    minify: true,
    define: { HEADERS: JSON.stringify(ALL) },
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0].contents
}

/** Build it into a folder, which is emptied first; without the texts, which `exportSite` adds. */
export async function writeSite(page: BuiltPage, version: string, out: string): Promise<void> {
  const workers = await buildWorkers()
  const files = await buildSite(page, version, workers)
  for (const name of workers.texts) files.delete(name)
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  for (const [name, bytes] of files) await writeFile(join(out, name), bytes)
}
