import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Allowed {
  readonly read: readonly string[]
  readonly write: readonly string[]
  /** Native libraries: code outside of what Node watches over. */
  readonly addons: boolean
}

/** Node's name of its permission model; undefined where it has none. */
export function permissionFlag(version = process.versions.node): string | undefined {
  const [major, minor] = version.split('.').map(Number)
  if (major >= 24 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13)) return '--permission'
  return major >= 20 ? '--experimental-permission' : undefined
}

/** Arguments of a Node that may read and write only here, and start no process. */
export function permissions({ read, write, addons }: Allowed): string[] {
  const flag = permissionFlag()
  if (flag === undefined) return []
  const real = (path: string) => (existsSync(path) ? [...new Set([path, realpathSync(path)])] : [path])
  const readable = outermost([...packageFolders(), ...read, ...write].flatMap(real))
  return [
    flag,
    '--no-warnings',
    ...readable.map(path => `--allow-fs-read=${folder(path)}`),
    ...write.flatMap(real).map(path => `--allow-fs-write=${folder(path)}`),
    '--allow-worker',
    ...(addons ? ['--allow-addons'] : []),
  ]
}

/** Folders that lie in none of the others: beside a folder and one inside it, Node 20 refuses what lies in the outer one. */
function outermost(paths: readonly string[]): string[] {
  const all = [...new Set(paths)]
  return all.filter(
    path => !all.some(other => other !== path && path.startsWith(other.endsWith('/') ? other : `${other}/`)),
  )
}

/** All below it: a folder is meant with what is in it. */
const folder = (path: string): string => (path.endsWith('/') ? `${path}*` : `${path}/*`)

/** The folder of this package, and those above it that hold the packages it may need. */
function packageFolders(): string[] {
  let here = dirname(fileURLToPath(import.meta.url))
  const found: string[] = []
  for (;;) {
    const above = dirname(here)
    if (found.length === 0 && isPackage(here)) found.push(here)
    if (existsSync(join(here, 'node_modules'))) found.push(join(here, 'node_modules'))
    if (above === here) break
    here = above
  }
  return found
}

function isPackage(path: string): boolean {
  try {
    return (JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { name?: string }).name === 'ristretto'
  } catch {
    return false
  }
}

/** Variables that a job may know: none of the server's secrets are among them. */
const KEPT = /^(PATH|HOME|TMPDIR|LANG|LC_\w+|SystemRoot|RISTRETTO_\w+)$/

export const environment = (given: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(given).filter(([name]) => KEPT.test(name)))
