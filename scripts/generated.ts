/**
 * Files of lib/generated, each made only when something that it is made of has changed: its sources, the script that
 * makes it, or the version of a package that does the work. Its first line says what it was made of, as a hash, and
 * hashes the text below, so that neither an old nor a broken file passes for a good one.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const folder = new URL('lib/generated/', root)
const require = createRequire(import.meta.url)

/** What one file of lib/generated is made of, and how. */
export interface Generated {
  /** Its name in lib/generated, without extension. */
  readonly name: string
  /** What the first line names. */
  readonly from: string
  /** Files and folders, relative to the project; of a folder, every file below it but lib/generated itself. */
  readonly sources: readonly string[]
  /** Packages whose version decides the result. */
  readonly packages: readonly string[]
  /** Whatever else decides it. */
  readonly options?: unknown
  make(): Promise<string>
}

/** Make the file unless it is there and made of the same. Says whether it was made. */
export async function generate({ name, from, sources, packages, options, make }: Generated): Promise<boolean> {
  const path = new URL(`${name}.ts`, folder)
  const made = await madeOf(sources, packages, options)
  const header = (text: string) => `// Generated from ${from}. Do not edit. Inputs ${made}, text ${hash(text)}.\n`
  const old = await readFile(path, 'utf8').catch(() => '')
  const body = old.slice(old.indexOf('\n') + 1)
  if (body && old === header(body) + body) return false
  const text = await make()
  await mkdir(folder, { recursive: true })
  // two runs at once must not read each other's half a file
  const temporary = new URL(`${name}.${process.pid}.tmp`, folder)
  try {
    await writeFile(temporary, header(text) + text)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  return true
}

async function madeOf(sources: readonly string[], packages: readonly string[], options: unknown): Promise<string> {
  const files = (await Promise.all(['scripts/generated.ts', ...sources].map(filesOf))).flat().sort()
  const contents = await Promise.all(files.map(file => readFile(new URL(file, root), 'utf8')))
  const versions = await Promise.all(packages.map(async name => JSON.parse(await manifest(name)).version as string))
  return hash(JSON.stringify([files, contents, packages, versions, options]))
}

async function filesOf(path: string): Promise<string[]> {
  if (/\.(m?[jt]s|proto)$/.test(path)) return [path]
  const entries = await readdir(new URL(`${path}/`, root), { withFileTypes: true })
  const below = entries
    .filter(entry => !(entry.isDirectory() && entry.name === 'generated'))
    .map(entry => (entry.isDirectory() ? filesOf(`${path}/${entry.name}`) : [`${path}/${entry.name}`]))
  return (await Promise.all(below)).flat()
}

/** package.json of an installed package, also of one that does not export it. */
async function manifest(name: string): Promise<string> {
  for (const place of require.resolve.paths(name) ?? []) {
    const text = await readFile(`${place}/${name}/package.json`, 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  throw new Error(`package ${name} is not installed in ${fileURLToPath(root)}: npm ci`)
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
