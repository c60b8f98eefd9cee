/** TypeScript of scripts and tests for plain Node: tsx takes seconds for all of the library's modules. */
import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Loads a module (its path from the root) and all that it imports as one file. */
export async function load(path) {
  const { build } = await import('esbuild')
  const outfile = new URL(`../.cache/bundled/load.${process.pid}.mjs?${path}`, import.meta.url)
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
