/** kernels/wasm in two builds, as text inside the package: a module each, so that a page loads only the one it uses. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Generated } from './generated.js'
import { wasmEntry } from './wasm-entry.js'

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

const entry = wasmEntry()

/** Both builds. The optimizer takes 20 s of one core for each, so each runs in a process of its own. */
export const wasm: Generated[] = [build('fma', [...flags, '--enable', 'relaxed-simd']), build('plain', flags)]

function build(name: string, options: string[]): Generated {
  return {
    name: `wasm_${name}`,
    from: 'kernels/wasm',
    sources: ['kernels/wasm', 'scripts/compile-wasm.mjs', 'scripts/generate-wasm.ts', 'scripts/wasm-entry.ts'],
    packages: ['assemblyscript', 'binaryen'],
    options: [...options, entry],
    // with its type written, the declaration of 170 kB of text is one line
    make: async () => `export const ${name}: string = '${await compile(options)}'\n`,
  }
}

/** The module's bytes as base64. */
function compile(options: string[]): Promise<string> {
  const script = fileURLToPath(new URL('compile-wasm.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(entry)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', part => (text += part))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => (code ? reject(new Error('kernels/wasm does not compile')) : resolve(text)))
  })
}
