/**
 * npm run try NAME: what holds for one layer type or one kernel, on every engine that starts here. A layer's golden
 * cases, the cases of the kernels that it calls, and its own test file with its gradients. Exit code 1 if a case fails.
 * Without --all it leaves out what takes long: large kernel cases, what a quarter of a second an engine is not enough
 * for, and the own tests on engines other than wasm.
 *
 * Plain Node runs it, and what it loads is one file each: tsx takes seconds for all of the library's modules.
 */
import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const all = process.argv.includes('--all')
const [name, ...more] = process.argv.slice(2).filter(argument => argument !== '--all')
if (name === undefined || more.length > 0) {
  console.error('npm run try NAME [-- --all]: a layer type (InnerProduct, inner_product) or a kernel (maxPool)')
  process.exit(2)
}
// before anything is loaded that is made of it
await load('scripts/generate.ts')
// the own tests begin while the library is still to be loaded
const { ownTests } = await load('scripts/try/own_tests.ts')
const own = all ? undefined : ownTests(name, ['wasm'])
const { tryOut } = await load('scripts/try/main.ts')
process.exit(await tryOut(name, all, own))

/** Loads a module (its path from the root) and all that it imports as one file. */
async function load(path) {
  const outfile = new URL(`../.cache/bundled/try.${process.pid}.mjs?${path}`, import.meta.url)
  await build({
    entryPoints: [fileURLToPath(new URL(`../${path}`, import.meta.url))],
    outfile: fileURLToPath(outfile),
    plugins: [{ name: 'places', setup: places }],
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'error',
  })
  try {
    return await import(outfile.href)
  } finally {
    await rm(outfile)
  }
}

/** What a module finds by its own place is found from the bundle, too; rooms that ask for no place are read faster. */
function places({ onLoad }) {
  onLoad({ filter: /[/\\](cli|native|group|scripts|studio|test)[/\\].*\.ts$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8')
    return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' }
  })
}
