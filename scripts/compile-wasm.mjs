/**
 * kernels/wasm compiled once, with the compiler's flags as arguments; the module's bytes go to standard output as base64.
 * Plain JavaScript: under a loader for TypeScript the compiler takes half as long again.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const entry = fileURLToPath(new URL('../kernels/wasm/index.ts', import.meta.url))
let bytes
const { error, stderr } = await asc.main([entry, '-o', 'kernels.wasm', '--baseDir', '/', ...process.argv.slice(2)], {
  readFile: name => readFile(`/${name}`.replace('//', '/'), 'utf8').catch(() => null),
  writeFile: (name, contents) => {
    if (name.endsWith('.wasm')) bytes = contents
  },
  listFiles: () => [],
})
if (error || bytes === undefined)
  throw new Error(`kernels/wasm does not compile: ${error?.message}\n${stderr.toString()}`)
process.stdout.write(Buffer.from(bytes).toString('base64'))
