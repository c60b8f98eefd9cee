/**
 * Programs of Studio without a server: the hub, jobs, what looks at jobs, and the program for code from elsewhere with the page
 * of its frame. All share what they have in common, as parts (lib/studio/browser/parts.ts), each with a hash in its name.
 */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild'
import type { Programs } from '../../lib/studio/browser/hub_config.js'
import { textParts } from '../../lib/studio/node/site_texts.js'
import { licenceOf } from '../licence.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const browser = join(root, 'lib/studio/browser')

export interface BuiltWorkers {
  /** Names and bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Of these, texts that the package has already: see lib/studio/node/site_texts.ts. */
  readonly texts: ReadonlySet<string>
  readonly programs: Programs
  /** What each module worker loads before it runs. */
  readonly first: Readonly<Record<'hub' | 'job' | 'inspector', readonly string[]>>
}

/** What no browser has, or Studio has no use for there. */
const ABSENT = ['node:*', 'sharp', 'koffi', 'h5wasm', 'gl', 'webgpu', 'classic-level']

/** No GPU engine: it weighs as much as all the rest, and is not among the engines that a hub names. No programs of Node's threads. */
const withoutOthers: Plugin = {
  name: 'without others',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/engines\/gpu\.js$|^\.\/gpu\.js$/ }, ({ importer }) =>
      importer.includes('/engines/') ? { path: 'gpu', namespace: 'absent' } : undefined,
    )
    onResolve({ filter: /\/generated\/(prefetch|decode)_worker\.js$/ }, () => ({ path: 'thread', namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents:
        path === 'gpu'
          ? 'throw new Error("Studio without a server has no GPU engine: take wasm")'
          : 'export const source = ""',
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
  plugins: [withoutOthers],
  alias: { 'ndarray-pixels': join(browser, 'browser_pixels.ts') },
  outdir: '/workers',
  write: false,
  logLevel: 'error',
}

const entries = {
  hub: 'hub_worker.ts',
  job: 'job_worker.ts',
  inspector: 'inspector_worker.ts',
  sandbox: 'sandbox_worker.ts',
} as const

export async function buildWorkers(): Promise<BuiltWorkers> {
  const texts = await textParts()
  const [modules, loader, frame] = await Promise.all([
    build({
      ...shared,
      plugins: [withoutOthers, textsApart(new Map([...texts].map(([name, { file }]) => [name, file])))],
      entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(browser, file)])),
      format: 'esm',
      splitting: true,
      // in the hashes of names: what is made of a part below
      banner: { js: '/* parts 1 */' },
      entryNames: '[name]-[hash]',
      chunkNames: 'part-[hash]',
    }),
    build({
      ...shared,
      entryPoints: { parts: join(browser, 'parts.ts') },
      bundle: false,
      format: 'iife',
      external: undefined,
      alias: undefined,
      entryNames: '[name]-[hash]',
    }),
    build({ ...shared, entryPoints: { frame: join(browser, 'sandbox_frame.ts') }, format: 'iife' }),
  ])
  const names = new Set(Object.keys(modules.metafile.outputs).map(nameOf))
  const reach = (name: string, kinds: readonly string[]) => reached(modules.metafile, name, kinds)
  const named = (start: string) => [...names].find(name => name.startsWith(`${start}-`))!
  const loaderName = nameOf(loader.outputFiles[0].path)
  const files = new Map<string, Uint8Array>([[loaderName, loader.outputFiles[0].contents]])
  for (const { file, text } of texts.values()) files.set(file, bytesOf(text))
  for (const { path, text } of modules.outputFiles) {
    const name = nameOf(path)
    const needs = reach(name, STATIC).slice(1)
    const part = await partOf(name, text, directNeeds(modules.metafile, name), [...names, ...files.keys()])
    const isEntry = Object.keys(entries).some(entry => name === named(entry))
    const isModule = isEntry && name !== named('sandbox')
    const imports = isModule ? [loaderName, ...needs].map(need => `import"./${need}";`).join('') : ''
    files.set(name, bytesOf(`${imports}${part}${isEntry ? `part.start(${JSON.stringify(name)})\n` : ''}`))
  }
  const page = framePage(frame.outputFiles[0].text.trim())
  const frameName = `frame-${hashOf(page)}.html`
  files.set(frameName, bytesOf(page))
  // nothing can be fetched there: whatever it may need is given to it, its own part last
  const [own, ...others] = reach(named('sandbox'), ANY)
  const list = JSON.stringify([loaderName, ...[...texts.values()].map(({ file }) => file), ...others, own])
  const listName = `sandbox-${hashOf(list)}.json`
  files.set(listName, bytesOf(list))
  files.set('THIRD-PARTY-WORKERS.txt', await licences([modules.metafile]))
  const first = Object.fromEntries(
    (['hub', 'job', 'inspector'] as const).map(name => [name, [loaderName, ...reach(named(name), STATIC)]]),
  ) as unknown as BuiltWorkers['first']
  return {
    files,
    texts: new Set([...texts.values()].map(({ file }) => file)),
    programs: {
      hub: named('hub'),
      job: named('job'),
      inspector: named('inspector'),
      sandbox: listName,
      frame: frameName,
    },
    first,
  }
}

/** Texts of the library are parts of their own, made without this build. */
const textsApart = (files: ReadonlyMap<string, string>): Plugin => ({
  name: 'texts apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/generated\/\w+\.js$/ }, ({ path, kind }) => {
      const file = kind === 'dynamic-import' && files.get(path.split('/').at(-1)!.replace('.js', ''))
      return file ? { path: `./${file}`, external: true } : undefined
    })
  },
})

/** A module of the build as a part: what it imports on demand is loaded by the parts, not as a module. */
async function partOf(
  name: string,
  module: string,
  needs: readonly string[],
  names: readonly string[],
): Promise<string> {
  const own = new Set(names)
  const asked = module.replace(/\bimport\("\.\/([^"]+)"\)/g, (call, file: string) =>
    own.has(file) ? `__load(${JSON.stringify(file)})` : call,
  )
  const { code } = await transform(asked, { format: 'cjs', target: shared.target, minify: true, legalComments: 'eof' })
  const required = code.replace(/\brequire\("\.\/([^"]+)"\)/g, (_, file: string) => `require(${JSON.stringify(file)})`)
  return `part(${JSON.stringify(name)},${JSON.stringify(needs)},function(require,module,__load){${required}\n})\n`
}

const STATIC = ['import-statement']
const ANY = ['import-statement', 'dynamic-import']

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

/** An output and what it imports in such ways, itself first. */
function reached(metafile: Metafile, name: string, kinds: readonly string[]): string[] {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [nameOf(path), output]))
  const found = new Set<string>()
  const visit = (next: string): void => {
    if (found.has(next)) return
    found.add(next)
    for (const { path, kind, external } of outputs.get(next)?.imports ?? [])
      if (kinds.includes(kind) && !external) visit(nameOf(path))
  }
  visit(name)
  return [...found]
}

/** What an output imports itself before it runs. */
function directNeeds(metafile: Metafile, name: string): string[] {
  const [, output] = Object.entries(metafile.outputs).find(([path]) => nameOf(path) === name)!
  const needs = output.imports.filter(({ kind, external }) => kind === 'import-statement' && !external)
  return [...new Set(needs.map(({ path }) => nameOf(path)))]
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** As esbuild writes them into names. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase()
