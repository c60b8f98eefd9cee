/** dist/: everything generated, compiled to JavaScript and declarations, and the command line made executable. */
import { spawnSync } from 'node:child_process'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import './generate.js'

const root = new URL('../', import.meta.url)
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

await rm(new URL('dist', root), { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: fileURLToPath(root),
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
await chmod(new URL('dist/lib/cli/main.js', root), 0o755)

// Net and Solver are disposable; a consumer whose `lib` is older than that needs the types, and tsc drops such lines
// from the source
for (const entry of ['index.d.ts', 'pycaffe/index.d.ts', 'tools/index.d.ts', 'testing.d.ts']) {
  const path = new URL(`dist/lib/${entry}`, root)
  await writeFile(path, `/// <reference lib="esnext.disposable" />\n${await readFile(path, 'utf8')}`)
}
