/** kernels/wasm in two builds, as text inside the package: lib/generated/wasm_modules.ts. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = new URL('../', import.meta.url)

const flags = [
  '-O3',
  '--converge',
  '--noAssert',
  ...['--runtime', 'stub'],
  ...['--use', 'abort='],
  '--importMemory',
  '--sharedMemory',
  ...['--initialMemory', '1'],
  ...['--maximumMemory', '65536'],
  ...['--enable', 'simd'],
  ...['--enable', 'threads'],
]

/** One build: the module's bytes. */
async function compile(extra: string[]): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  const entry = fileURLToPath(new URL('kernels/wasm/index.ts', root))
  const { error, stderr } = await asc.main([entry, '-o', 'kernels.wasm', '--baseDir', '/', ...flags, ...extra], {
    readFile: name => readFile(`/${name}`.replace('//', '/'), 'utf8').catch(() => null),
    writeFile: (name: string, contents: string | Uint8Array) => {
      if (name.endsWith('.wasm')) bytes = contents as Uint8Array
    },
    listFiles: () => [],
  })
  if (error || bytes === undefined) throw new Error(`kernels/wasm does not compile: ${error?.message}\n${stderr.toString()}`)
  return bytes
}

export async function generateWasm(): Promise<void> {
  // one after the other: the compiler keeps its state in module variables
  const builds = { fma: await compile(['--enable', 'relaxed-simd']), plain: await compile([]) }
  const lines = Object.entries(builds).map(([name, bytes]) => `export const ${name} = '${Buffer.from(bytes).toString('base64')}'\n`)
  const text = `// generated from kernels/wasm: the build with fused multiply-add, and the one without\n${lines.join('')}`
  await writeFile(new URL('lib/generated/wasm_modules.ts', root), text)
}
