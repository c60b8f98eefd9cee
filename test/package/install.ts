import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with nothing but the packed library installed. */
    consumer: string
    /** The tarball. */
    tarball: string
  }
}

/** Pack the library and install the tarball, without scripts, in an empty folder: what a user gets. */
export default function setup(project: TestProject): () => void {
  const root = join(import.meta.dirname, '../..')
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-package-'))
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  // prepack builds, unless dist is known to be new
  const scripts = process.env.RISTRETTO_BUILT ? ['--ignore-scripts'] : []
  const printed = npm(['pack', '--silent', ...scripts, '--pack-destination', folder], root)
  const tarball = join(folder, printed.trim().split('\n').at(-1)!)
  const consumer = join(folder, 'consumer')
  execFileSync('mkdir', [consumer])
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', tarball], consumer)
  project.provide('consumer', consumer)
  project.provide('tarball', tarball)
  return () => rmSync(folder, { recursive: true, force: true })
}
