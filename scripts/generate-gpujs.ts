/**
 * gpu.js as one module inside the package: its own dependencies (an 85 MB build of Dawn and a native `gl`) never reach
 * a user. lib/generated/gpujs.ts exports `load(external)`, which runs the library; `external` answers for the modules
 * that it may ask for.
 */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Generated } from './generated.js'
import { licenceOf } from './licence.js'

const require = createRequire(import.meta.url)

/** Modules that gpu.js asks for only in Node: the native GL context, and workers for its own threads. */
const outside = ['gl', 'os', 'worker_threads']

export const gpuJs: Generated = {
  name: 'gpujs',
  from: 'gpu.js, which contains acorn and gpu-mock.js',
  sources: ['scripts/generate-gpujs.ts', 'scripts/licence.ts'],
  packages: ['gpu.js', 'acorn', 'gpu-mock.js', 'esbuild'],
  make,
}

async function make(): Promise<string> {
  const entry = require.resolve('gpu.js')
  const { build } = await import('esbuild')
  const result = await build({
    // its parser is used for kernels as well
    stdin: {
      contents: "module.exports = { ...require('./index.js'), acorn: require('acorn') }",
      resolveDir: dirname(entry),
    },
    bundle: true,
    minifyWhitespace: true,
    legalComments: 'none',
    format: 'cjs',
    platform: 'neutral',
    mainFields: ['main'],
    external: outside,
    target: 'es2022',
    write: false,
  })
  // a laptop has two adapters, and a net wants the faster
  const adapter = /navigator\.gpu\.requestAdapter\(\)/g
  const text = result.outputFiles[0].text
  if (!adapter.test(text)) throw new Error('gpu.js asks for its adapter in another way than before')
  const asking = text.replace(adapter, 'navigator.gpu.requestAdapter({powerPreference:"high-performance"})')
  // a bundler that meets `require` would look for the module
  const code = asking.replace(/\brequire\((["'])(gl|os|worker_threads)\1\)/g, 'external("$2")')
  const beside = createRequire(entry)
  const licences = await Promise.all(
    ['gpu.js', 'acorn', 'gpu-mock.js'].map(name => licenceOf(name, name === 'gpu.js' ? require : beside)),
  )
  const lines = [
    '// @ts-nocheck',
    ...licences,
    'export function load(external: (name: string) => unknown): unknown {',
    'const module = { exports: {} }',
    'const { exports } = module',
    code,
    'return module.exports',
    '}',
  ]
  return `${lines.join('\n')}\n`
}
