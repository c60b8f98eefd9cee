import { importNode, isNode } from './nodejs.js'

/**
 * The URL of tsx's API, where this program runs TypeScript with its help (`node --import tsx`, `npx tsx`): threads have to
 * be told again on Node 20. Undefined elsewhere.
 */
export async function tsxApi(): Promise<string | undefined> {
  const started = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
  if (!/\btsx\b/.test(started)) return undefined
  const { createRequire } = await importNode('node:module')
  const { pathToFileURL } = await importNode('node:url')
  const places = [`${process.cwd()}/`, process.argv[1] ?? '']
  for (const place of places)
    try {
      // require finds the CommonJS half
      return pathToFileURL(
        createRequire(place)
          .resolve('tsx/esm/api')
          .replace(/\.cjs$/, '.mjs'),
      ).href
    } catch {
      // installed elsewhere
    }
  return undefined
}

let registered: Promise<void> | undefined

/** A module by its URL, in whatever thread: TypeScript where the program runs it. */
export async function importAnywhere(url: string): Promise<Record<string, unknown>> {
  if (isNode && /\.[mc]?ts$/.test(url)) {
    registered ??= registerInThread()
    await registered
  }
  return import(/* webpackIgnore: true */ /* @vite-ignore */ url)
}

async function registerInThread(): Promise<void> {
  const { isMainThread } = await importNode('node:worker_threads')
  const api = isMainThread ? undefined : await tsxApi()
  if (api === undefined) return
  const { register } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ api)) as { register(): void }
  register()
}
