/**
 * Training steps of LeNet and of a small CaffeNet on a GPU through the browser, beside tfjs and jax-js on the same
 * adapter, and single kernels.
 *
 * npx tsx bench/gpu/main.ts [--batch 64] [--steps 5] [--net LeNet,CaffeNet/4] [--only ristretto/gpu:webgpu,jax/webgpu]
 * [--no-kernels] [--hardware]
 *
 * --hardware leaves the browser its own choice of adapter; without it the software adapters are used.
 * RISTRETTO_CHROMIUM names a browser. The other libraries come from bench/node_modules: npm install --ignore-scripts
 * --prefix bench.
 */
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { chromiumPath, openSite } from '../../test/browser/harness.js'
import type { NetName, Result } from './nets.js'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    batch: { type: 'string', default: '64' },
    steps: { type: 'string', default: '5' },
    hardware: { type: 'boolean', default: false },
    net: { type: 'string', default: 'LeNet,CaffeNet/4' },
    only: { type: 'string' },
    kernels: { type: 'boolean', default: true },
  },
})
const [batch, steps] = [Number(values.batch), Number(values.steps)]
if (!chromiumPath) throw new Error('there is no Chromium: apt-get install chromium, or set RISTRETTO_CHROMIUM')

const root = new URL('../../', import.meta.url).pathname
const { outputFiles } = await build({
  entryPoints: [`${root}bench/gpu/page.ts`],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  nodePaths: [`${root}bench/node_modules`],
  external: ['node:*', 'sharp', 'koffi', 'h5wasm', 'ndarray-pixels'],
  write: false,
  logLevel: 'error',
})
const site = await openSite({ '/main.js': outputFiles[0].text }, { hardware: values.hardware })
await site.page.waitForFunction(() => 'bench' in globalThis)

const call = <T>(name: string, ...args: (string | number)[]): Promise<T> =>
  site.page.evaluate(
    ([which, given]) => {
      const { bench } = globalThis as unknown as { bench: Record<string, (...all: unknown[]) => unknown> }
      return bench[which](...given)
    },
    [name, args] as const,
  ) as Promise<T>

const pick = values.only?.split(',')
const lanes = [
  ['ristretto', 'wasm'],
  ['ristretto', 'gpu:webgl2'],
  ['ristretto', 'gpu:webgpu'],
  ['tfjs', 'webgl'],
  ['tfjs', 'webgpu'],
  ['jax', 'webgl'],
  ['jax', 'webgpu'],
].filter(([library, backend]) => !pick || pick.includes(`${library}/${backend}`))

for (const net of values.net.split(',') as NetName[]) {
  console.log(`\n${net}, batch ${batch}: forward, backward, update and reading the loss; median of ${steps} steps, ms`)
  console.log('library    backend       ms  first  loss            adapter or version')
  for (const [library, backend] of lanes)
    try {
      const { ms, firstMs, losses, detail } = await call<Result>(library, net, backend, batch, steps)
      const loss = `${losses[0].toFixed(3)} → ${losses.at(-1)!.toFixed(3)}`
      console.log(
        `${library.padEnd(10)} ${backend.padEnd(10)} ${ms.toFixed(0).padStart(6)} ${firstMs.toFixed(0).padStart(6)}  ${loss}  ${detail}`,
      )
    } catch (error) {
      console.log(
        `${library.padEnd(10)} ${backend.padEnd(10)}      –      –  ${(error as Error).message.split('\n')[0].slice(0, 160)}`,
      )
    }
}

if (values.kernels) {
  console.log(
    `\nkernels of LeNet, batch ${batch}, median of ${steps} calls, ms`.padEnd(51),
    ...['webgl2', 'webgpu'].map(mode => mode.padStart(8)),
  )
  const columns: Record<string, number>[] = []
  for (const mode of ['webgl2', 'webgpu']) columns.push(await call('kernels', mode, batch, steps))
  for (const name of Object.keys(columns[0]))
    console.log(name.padEnd(50), ...columns.map(column => column[name].toFixed(1).padStart(8)))
}
await site.close()
