/**
 * npm run try NAME: what holds for one layer type or one kernel, on every engine that starts here. A layer's golden
 * cases, the cases of the kernels that it calls, and its own test file with its gradients. Exit code 1 if a case fails.
 * Without --all it leaves out what takes long: large kernel cases, what a quarter of a second an engine is not enough for, and
 * the own tests on engines other than wasm.
 */
const all = process.argv.includes('--all')
const [name, ...more] = process.argv.slice(2).filter(argument => argument !== '--all')
if (name === undefined || more.length > 0) {
  console.error('npm run try NAME [-- --all]: a layer type (InnerProduct, inner_product) or a kernel (maxPool)')
  process.exit(2)
}
// in this process, and before anything is loaded that is made of it
await import('./generate.js')
// the own tests begin while this process still loads all of the library
const { ownTests } = await import('./try/own_tests.js')
const own = all ? undefined : ownTests(name, ['wasm'])
// as one file: tsx takes seconds for all of the library's modules
const { load } = await import('./try/load.js')
const { tryOut } = await load<typeof import('./try/main.js')>('scripts/try/main.ts')
process.exit(await tryOut(name, all, own))

export {}
