/** A site with Studio's workers and a test's page, in Chromium. */
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { type BuiltWorkers, buildWorkers } from '../../../scripts/studio_page/workers.js'
import type { tests } from './page.js'

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
      'index.html',
      text.encode('<!doctype html><link rel="icon" href="data:,"><script type="module" src="main.js"></script><body>'),
    ],
    ['main.js', await script('page.ts', { PROGRAMS: JSON.stringify(programs) })],
    ['store.js', await script('store_worker.ts')],
  ])
}

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
