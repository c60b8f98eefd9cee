/**
 * dist/: everything generated, bundled to JavaScript and compiled to declarations, and the command line made executable.
 *
 * What nets and solvers load at once is one file: 220 modules took three times as long to import. What is loaded on demand
 * stays in files of its own, and a bundler still leaves out what a program does not use. Studio's page is dist/studio/page,
 * and what makes a site of it that needs no server dist/studio/site.
 */
import { spawnSync } from 'node:child_process'
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type OutputAsset, type OutputChunk, rolldown } from 'rolldown'
import './generate.js'
import { licenceOf } from './licence.js'
import { buildPage, serverEntry, writePage } from './studio_page/build.js'
import { writeSite } from './studio_page/site.js'

const root = fileURLToPath(new URL('../', import.meta.url))
// its package exports no bin
const tsc = `${root}node_modules/typescript7/bin/tsc`

await rm(`${root}dist`, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

/** dist/lib/index.js is made from lib/index.ts. */
const { exports, bin, version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'))
const outputs: string[] = [...Object.values<{ default?: string }>(exports).map(entry => entry.default), bin.ristretto]
  .filter(path => path?.startsWith('./dist/'))
  .map(path => path!.slice('./dist/'.length).replace(/\.js$/, ''))
const face = `${root}lib/index.ts`
/** What the face gives and no net needs, with what that imports: apart from what every page loads. */
const aside = `${root}lib/proto/public.ts`

/** Where parts lie that are loaded on demand: a thread's program is looked for beside the part that starts it. */
const PARTS = 'lib/parts'
const programs = Object.fromEntries([
  [`${PARTS}/train_member`, `${root}lib/group/train_member.ts`],
  ...['job', 'inspector', 'engines'].map(name => [
    `lib/studio/node/${name}_process`,
    `${root}lib/studio/node/${name}_process.ts`,
  ]),
])
/** Packages that Studio's server is made of: no user installs them. */
const bundled = ['hono', '@hono/node-server', 'valibot']

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null
}

/** A module with all that it imports, and what these import, at once; but for what stands aside. */
const loadedWith = (from: string) => {
  let loaded: Set<string> | undefined
  return (graph: Graph): Set<string> => {
    if (loaded) return loaded
    loaded = new Set()
    const visit = (id: string): void => {
      if (id === aside || loaded!.has(id)) return
      loaded!.add(id)
      for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) visit(imported)
    }
    visit(from)
    return loaded
  }
}
const core = loadedWith(face)
/** What reads and writes models: in pieces, as others share them, it took 8 ms longer to load. */
const model = loadedWith(`${root}lib/net/files.ts`)

/** UTF-16 units beyond ASCII as strings, templates and regular expressions write them. */
function toAscii(file: OutputAsset | OutputChunk): void {
  if (file.type === 'chunk')
    file.code = file.code.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const input = { ...Object.fromEntries(outputs.map(path => [path, `${root}${path}.ts`])), ...programs }
const entries = new Set(Object.values(input))
const bundle = await rolldown({
  input,
  // packages are the user's own
  external: id =>
    !/^[./]/.test(id) && !entries.has(id) && !bundled.some(name => id === name || id.startsWith(`${name}/`)),
  platform: 'neutral',
  // what groups without their dependencies ask for; every entry is a face that only programs import
  preserveEntrySignatures: 'allow-extension',
  onLog(level, log, handle) {
    // a module that is loaded on demand in one place and at once in another is loaded at once, as everywhere
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') handle(level, log)
  },
})
await bundle.write({
  dir: `${root}dist`,
  // V8 reads a file of ASCII alone as bytes, in three quarters of the time
  plugins: [{ name: 'ascii', generateBundle: (_options, files) => Object.values(files).forEach(toAscii) }],
  entryFileNames: '[name].js',
  chunkFileNames: `${PARTS}/[name]-[hash].js`,
  // errors and Python's classes are told apart by their names
  keepNames: true,
  codeSplitting: {
    // else what stands aside would come with those that import it
    includeDependenciesRecursively: false,
    groups: [
      { debugName: 'core', name: (id, graph) => (core(graph).has(id) ? 'core' : null) },
      { debugName: 'model_files', name: (id, graph) => (model(graph).has(id) ? 'model_files' : null) },
      { name: 'public', test: id => id === aside },
    ],
  },
})
await chmod(`${root}dist/lib/cli/main.js`, 0o755)

// Net and Solver are disposable; a consumer whose `lib` is older than that needs the types, and tsc drops such lines
// from the source
for (const entry of ['index.d.ts', 'pycaffe/index.d.ts', 'tools/index.d.ts', 'testing.d.ts']) {
  const path = `${root}dist/lib/${entry}`
  await writeFile(path, `/// <reference lib="esnext.disposable" />\n${await readFile(path, 'utf8')}`)
}

// of Studio's declarations those of what its face exports
const studio = `${root}dist/lib/studio/`
const declared = new Set(['index.d.ts', 'start_options.d.ts'])
for (const entry of await readdir(studio, { withFileTypes: true }))
  if (entry.isFile() && entry.name.endsWith('.d.ts') && !declared.has(entry.name)) await rm(`${studio}${entry.name}`)
for (const room of ['browser', 'core', 'jobs', 'node'])
  for (const file of await readdir(`${studio}${room}`, { recursive: true }))
    if (file.endsWith('.d.ts')) await rm(`${studio}${room}/${file}`)
await writePage(serverEntry, `${root}dist/studio/page`)
await writeSite(await buildPage(serverEntry), version, `${root}dist/studio/site`)
const licences = await Promise.all(bundled.map(name => licenceOf(name, createRequire(import.meta.url))))
await writeFile(
  `${root}dist/studio/THIRD-PARTY.txt`,
  `Studio's server contains these packages.\n\n${licences.join('\n\n')}\n`,
)
