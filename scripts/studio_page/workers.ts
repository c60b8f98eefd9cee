/**
 * Programs of Studio without a server: the hub, jobs and what looks at jobs, which share what they have in common, each with a
 * hash in its name; and the program for code from elsewhere in one classic script, with the page of its frame.
 */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import type { Programs } from '../../lib/studio/browser/hub_config.js'
import { licenceOf } from '../licence.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const browser = join(root, 'lib/studio/browser')

export interface BuiltWorkers {
  /** Names and bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly programs: Programs
  /** What each module worker loads before it runs. */
  readonly first: Readonly<Record<'hub' | 'job' | 'inspector', readonly string[]>>
}

/** What no browser has, or Studio has no use for there. */
const ABSENT = ['node:*', 'sharp', 'koffi', 'h5wasm', 'gl', 'webgpu', 'classic-level']

/** No GPU engine: it weighs as much as all the rest, and is not among the engines that a hub names. */
const withoutGpu: Plugin = {
  name: 'without gpu',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/engines\/gpu\.js$|^\.\/gpu\.js$/ }, ({ importer }) =>
      importer.includes('/engines/') ? { path: 'gpu', namespace: 'absent' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: 'throw new Error("Studio without a server has no GPU engine: take wasm")',
    }))
  },
}

const shared: BuildOptions & { write: false; metafile: true } = {
  absWorkingDir: root,
  bundle: true,
  platform: 'browser',
  target: ['es2022', 'chrome111', 'firefox114', 'safari16.4'],
  minify: true,
  // errors and Python's classes are told apart by their names
  keepNames: true,
  // licences of what is generated into the library
  legalComments: 'eof',
  metafile: true,
  external: ABSENT,
  plugins: [withoutGpu],
  alias: { 'ndarray-pixels': join(browser, 'browser_pixels.ts') },
  outdir: '/workers',
  write: false,
  logLevel: 'error',
}

export async function buildWorkers(): Promise<BuiltWorkers> {
  const entries = { hub: 'hub_worker.ts', job: 'job_worker.ts', inspector: 'inspector_worker.ts' } as const
  const [modules, sandbox, frame] = await Promise.all([
    build({
      ...shared,
      entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(browser, file)])),
      format: 'esm',
      splitting: true,
      entryNames: '[name]-[hash]',
      chunkNames: 'part-[hash]',
    }),
    build({
      ...shared,
      entryPoints: { sandbox: join(browser, 'sandbox_worker.ts') },
      format: 'iife',
      entryNames: '[name]-[hash]',
    }),
    build({ ...shared, entryPoints: { frame: join(browser, 'sandbox_frame.ts') }, format: 'iife' }),
  ])
  const files = new Map<string, Uint8Array>()
  for (const { path, contents } of [...modules.outputFiles, ...sandbox.outputFiles]) files.set(nameOf(path), contents)
  const page = framePage(frame.outputFiles[0].text.trim())
  const frameName = `frame-${createHash('sha256').update(page).digest('hex').slice(0, 8).toUpperCase()}.html`
  files.set(frameName, new TextEncoder().encode(page))
  files.set('THIRD-PARTY-WORKERS.txt', await licences([modules.metafile, sandbox.metafile]))
  const named = (start: string) => [...files.keys()].find(name => name.startsWith(`${start}-`))!
  const first = Object.fromEntries(
    Object.keys(entries).map(name => [name, reached(modules.metafile, named(name))]),
  ) as unknown as BuiltWorkers['first']
  return {
    files,
    programs: {
      hub: named('hub'),
      job: named('job'),
      inspector: named('inspector'),
      sandbox: named('sandbox'),
      frame: frameName,
    },
    first,
  }
}

/**
 * The page of a frame: its one script is known by its hash, what it starts comes from memory, and nothing is fetched. The
 * policy stands in it, so that it holds on any host.
 */
function framePage(script: string): string {
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = `default-src 'none'; script-src 'sha256-${hash}' 'wasm-unsafe-eval' blob: data:; worker-src blob:; connect-src 'none'`
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="content-security-policy" content="${policy}"><title>Code from elsewhere</title><script>${script}</script>\n`
}

/** The licences of the packages that the programs contain. */
async function licences(metafiles: readonly Metafile[]): Promise<Uint8Array> {
  const packages = new Set<string>()
  for (const { inputs } of metafiles)
    for (const input of Object.keys(inputs)) {
      const found = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)
      if (found) packages.add(found[1])
    }
  const from = createRequire(import.meta.url)
  const texts = await Promise.all([...packages].sort().map(name => licenceOf(name, from)))
  return new TextEncoder().encode(`Studio's workers contain these packages.\n\n${texts.join('\n\n')}\n`)
}

const nameOf = (path: string): string => path.split('/').at(-1)!

/** An output and what it imports before it runs. */
function reached(metafile: Metafile, name: string): string[] {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [nameOf(path), output]))
  const found = new Set<string>()
  const visit = (next: string): void => {
    if (found.has(next)) return
    found.add(next)
    for (const { path, kind } of outputs.get(next)?.imports ?? []) if (kind === 'import-statement') visit(nameOf(path))
  }
  visit(name)
  return [...found]
}
