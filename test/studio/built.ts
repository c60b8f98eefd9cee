/** The library as plain JavaScript, file by file as the package has it: jobs are started as programs of their own. */
import { readdirSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Builds into .cache, where packages are found; resolves to the address of `lib/studio/`. */
export async function builtStudio(): Promise<URL> {
  const outdir = join(root, '.cache/studio', String(process.pid))
  await build({
    entryPoints: ['lib', 'kernels/js'].flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(file => /\.tsx?$/.test(file) && !file.startsWith('studio/page'))
        .map(file => join(root, folder, file)),
    ),
    outbase: root,
    outdir,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }))
  return pathToFileURL(join(outdir, 'lib/studio/'))
}

/** A folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ristretto-studio-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}
