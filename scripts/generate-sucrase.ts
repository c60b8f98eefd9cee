/**
 * sucrase's transform as one module inside the package: what makes JavaScript of custom layers that a person types into
 * Studio. Loaded when the first one is.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Generated } from './generated.js'
import { licenceOf } from './licence.js'

const require = createRequire(import.meta.url)
/** What of it is bundled beside itself. */
const inside = ['lines-and-columns', 'ts-interface-checker', '@jridgewell/gen-mapping']

export const sucrase: Generated = {
  name: 'sucrase',
  from: 'sucrase',
  sources: ['scripts/generate-sucrase.ts', 'scripts/licence.ts'],
  packages: ['sucrase', 'esbuild'],
  make,
}

async function make(): Promise<string> {
  const { build } = await import('esbuild')
  const result = await build({
    stdin: {
      contents: "export { transform } from 'sucrase'",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    minify: true,
    legalComments: 'none',
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    write: false,
  })
  const beside = createRequire(require.resolve('sucrase'))
  const licences = await Promise.all(
    ['sucrase', ...inside].map(name => licenceOf(name, name === 'sucrase' ? require : beside)),
  )
  return `// @ts-nocheck\n${licences.join('\n')}\n${result.outputFiles[0].text}`
}
