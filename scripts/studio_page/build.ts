/**
 * Studio's page: one script with what the first screen needs, further ones that are fetched when they are, one stylesheet,
 * each with a hash of its content in its name, so that a browser may keep them for ever.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { words } from './words.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = join(root, 'lib/studio/page')

/** The page that talks to a server. */
export const serverEntry = join(page, 'main.ts')

/** What was built. */
export interface BuiltPage {
  /** Names and bytes of the files, the page's own among them: index.html, icon.svg, THIRD-PARTY.txt have no hash. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** What the first screen loads. */
  readonly first: readonly string[]
  /** Beside these, what an editor of nets loads; with one of layers, also `typescript`. */
  readonly editor: readonly string[]
  readonly typescript: readonly string[]
}

/** Build the page around a script that shows it. */
export async function buildPage(entry: string): Promise<BuiltPage> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: entry, style: join(page, 'style.css') },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['es2022', 'chrome111', 'firefox114', 'safari16.4'],
    minify: true,
    metafile: true,
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    plugins: [words],
    outdir: '/page',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    write: false,
    logLevel: 'warning',
  })
  const nameOf = (path: string): string => path.split('/').at(-1)!
  const files = new Map(outputFiles.map(file => [nameOf(file.path), file.contents]))
  const main = nameOf(outputOf(metafile, entry))
  const style = nameOf(outputOf(metafile, join(page, 'style.css')))
  const text = new TextEncoder()
  const html = await readFile(join(page, 'index.html'), 'utf8')
  files.set('index.html', text.encode(html.replace('"style.css"', `"${style}"`).replace('"main.js"', `"${main}"`)))
  files.set('icon.svg', await readFile(join(page, 'icon.svg')))
  files.set('THIRD-PARTY.txt', text.encode(await licences(metafile)))

  const first = reached(metafile, main)
  const editor = reached(metafile, nameOf(outputOf(metafile, join(page, 'parts/editor/code_view.ts'))))
  const typescript = reached(metafile, nameOf(outputOf(metafile, 'node_modules/@codemirror/lang-javascript/')))
  const beside = (some: ReadonlySet<string>, ...others: ReadonlySet<string>[]): string[] =>
    [...some].filter(name => !others.some(other => other.has(name)))
  return {
    files,
    first: [...first, style],
    editor: beside(editor, first),
    typescript: beside(typescript, first, editor),
  }
}

/** Build it into a folder, which is emptied first. */
export async function writePage(entry: string, out: string): Promise<void> {
  const { files } = await buildPage(entry)
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  for (const [name, bytes] of files) await writeFile(join(out, name), bytes)
}

/** The output that an input is the entry of. */
function outputOf(metafile: Metafile, entry: string): string {
  const path = isAbsolute(entry) ? relative(root, entry) : entry
  const found = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint?.startsWith(path))
  if (!found) throw new Error(`the page has no part that begins with ${path}`)
  return found[0]
}

/** An output and what it imports before it runs. */
function reached(metafile: Metafile, name: string): Set<string> {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [path.split('/').at(-1)!, output]))
  const found = new Set<string>()
  const visit = (next: string): void => {
    if (found.has(next)) return
    found.add(next)
    for (const { path, kind } of outputs.get(next)?.imports ?? [])
      if (kind === 'import-statement') visit(path.split('/').at(-1)!)
  }
  visit(name)
  return found
}

/** The licences of the packages that the page contains. */
async function licences(metafile: Metafile): Promise<string> {
  const packages = new Set<string>()
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)
    if (match) packages.add(match[1])
  }
  const parts = await Promise.all([...packages].sort().map(licence))
  return `Ristretto Studio's page contains these packages.\n\n${parts.join('\n')}`
}

async function licence(name: string): Promise<string> {
  const folder = join(root, 'node_modules', name)
  const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'licence'])
    try {
      const text = await readFile(join(folder, file), 'utf8')
      return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text.trim()}\n`
    } catch {
      // another name
    }
  throw new Error(`${name}: no licence in ${dirname(folder)}`)
}
