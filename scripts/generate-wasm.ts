/** kernels/wasm in two builds, as text inside the package: a module each, so that a page loads only the one it uses. */
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
  if (error || bytes === undefined)
    throw new Error(`kernels/wasm does not compile: ${error?.message}\n${stderr.toString()}`)
  return bytes
}

export async function generateWasm(): Promise<void> {
  // one after the other: the compiler keeps its state in module variables
  const builds = { fma: await compile(['--enable', 'relaxed-simd']), plain: await compile([]) }
  for (const [name, bytes] of Object.entries(builds)) {
    const text = `// generated from kernels/wasm\nexport const ${name} = '${Buffer.from(bytes).toString('base64')}'\n`
    await writeFile(new URL(`lib/generated/wasm_${name}.ts`, root), text)
  }
}
