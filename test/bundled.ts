/** Programs that tests start as processes of their own. */
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))

/**
 * A script (its path from the root) as one file that plain Node starts in a fifth of the time that tsx needs for all of
 * the library's modules; resolves to its path. It lies in .cache, where packages and this one's own name are found.
 */
export async function bundled(script: string): Promise<string> {
  const outfile = join(root, '.cache/bundled', `${basename(script, '.ts')}.${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, script)],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'error',
  })
  return outfile
}
