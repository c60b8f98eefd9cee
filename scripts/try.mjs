/**
 * npm run try NAME: what holds for one layer type or one kernel, on every engine that starts here. A layer's golden
 * cases, the cases of the kernels that it calls, and its own test file with its gradients. Exit code 1 if a case fails.
 * Without --all it leaves out what takes long: large kernel cases, what a quarter of a second an engine is not enough
 * for, and the own tests on engines other than wasm.
 */
import { load } from './load.mjs'

const all = process.argv.includes('--all')
const [name, ...more] = process.argv.slice(2).filter(argument => argument !== '--all')
if (name === undefined || more.length > 0) {
  console.error('npm run try NAME [-- --all]: a layer type (InnerProduct, inner_product) or a kernel (maxPool)')
  process.exit(2)
}
// before anything is loaded that is made of it
await import('./generate.mjs')
// the own tests begin while the library is still to be loaded
const { ownTests } = await load('scripts/try/own_tests.ts')
const own = all ? undefined : ownTests(name, ['wasm'])
const { tryOut } = await load('scripts/try/main.ts')
process.exit(await tryOut(name, all, own))
