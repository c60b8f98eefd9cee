/**
 * kernels/wasm compiled once, with the compiler's flags as arguments; the text of its entry comes from standard input, the
 * module's bytes go to standard output as base64.
 * Plain JavaScript: under a loader for TypeScript the compiler takes half as long again.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const entry = fileURLToPath(new URL('../kernels/wasm/entry.ts', import.meta.url))
const text = readFileSync(0, 'utf8')
let bytes
const { error, stderr } = await asc.main([entry, '-o', 'kernels.wasm', '--baseDir', '/', ...process.argv.slice(2)], {
  readFile: name => {
    const path = `/${name}`.replace('//', '/')
    return path === entry ? text : readFile(path, 'utf8').catch(() => null)
  },
  writeFile: (name, contents) => {
    if (name.endsWith('.wasm')) bytes = contents
  },
  listFiles: () => [],
})
if (error || bytes === undefined)
  throw new Error(`kernels/wasm does not compile: ${error?.message}\n${stderr.toString()}`)
process.stdout.write(Buffer.from(bytes).toString('base64'))
