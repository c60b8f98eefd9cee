/**
 * npm run generate: everything under lib/generated is made of what it is made of now. generate.ts reads all of that to find
 * out; where no file was written since it last did, as nearly always, the system's word for that is enough.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { load } from './load.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const stamp = `${root}.cache/generated`
/** What anything generated is made of; the last says which version of each package is installed. */
const sources = ['kernels/wasm', 'lib', 'proto', 'scripts', 'node_modules/.package-lock.json']

if (read(stamp) !== [...sources, 'lib/generated'].map(listing).join('')) {
  // a source that is written meanwhile is one that has changed since
  const before = sources.map(listing).join('')
  await load('scripts/generate.ts')
  mkdirSync(`${root}.cache`, { recursive: true })
  writeFileSync(stamp, before + listing('lib/generated'))
}

/** Every file below a path but what is generated, with its size and when it, or what the system knows of it, was changed. */
function listing(path) {
  const stats = statSync(root + path, { throwIfNoEntry: false })
  if (stats === undefined) return `${path} is missing\n`
  if (!stats.isDirectory()) return `${path} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}\n`
  const names = readdirSync(root + path).filter(name => name !== 'generated')
  return names.map(name => listing(`${path}/${name}`)).join('')
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
