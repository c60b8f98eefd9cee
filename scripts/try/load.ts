import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What a module finds by its own place is found from the bundle, too. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      // generated files are large, and ask for no place
      if (/[/\\]generated[/\\]/.test(path)) return undefined
      const text = await readFile(path, 'utf8')
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' }
    })
  },
}

/** Loads a module (its path from the root) and all that it imports as one file. */
export async function load<Module>(path: string): Promise<Module> {
  const outfile = join(root, '.cache/bundled', `try.${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, path)],
    outfile,
    plugins: [places],
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'error',
  })
  try {
    return (await import(pathToFileURL(outfile).href)) as Module
  } finally {
    await rm(outfile)
  }
}
