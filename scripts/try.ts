/**
 * npm run try NAME: what holds for one layer type or one kernel, on every engine that starts here. A layer's golden
 * cases, the cases of the kernels that it calls, and its own test file with its gradients. Exit code 1 if a case fails.
 * Without --all it leaves out what takes long: large kernel cases, what half a second an engine is not enough for, and
 * the own tests on engines other than wasm.
 */
import { findSubject, goldenRow, kernelRow, type Row, startEngines } from './try/cases.js'
import { ownTests } from './try/own_tests.js'
import { table } from './try/table.js'

const all = process.argv.includes('--all')
const [name, ...more] = process.argv.slice(2).filter(argument => argument !== '--all')
const limit = all ? undefined : 500
if (name === undefined || more.length > 0) {
  console.error('npm run try NAME [-- --all]: a layer type (InnerProduct, inner_product) or a kernel (maxPool)')
  process.exit(2)
}
try {
  const { type, kernels } = findSubject(name)
  const { engines, missing } = await startEngines(['js', 'wasm', 'native', 'gpu:webasm', 'gpu:cpu'])
  const hosts = engines.filter(({ isHost }) => isHost).map(engine => engine.name)
  // beside what this process computes
  const own = type === undefined ? undefined : ownTests(type, all ? hosts : ['wasm'])
  const rows: (Row | undefined)[] = []
  for (const engine of engines) {
    if (type !== undefined) rows.push(await goldenRow(type, engine))
    rows.push(await kernelRow(kernels, engine, limit))
  }
  rows.push(await own)
  const done = rows.filter(row => row !== undefined)
  console.log(table(done))
  const left = done.reduce((sum, row) => sum + (row.left ?? 0), 0)
  if (left > 0) console.log(`${left} kernel cases were left out for want of time; --all runs them`)
  for (const line of missing) console.log(`not here: ${line}`)
  const failures = done.flatMap(({ engine, failures }) => failures.map(failure => `${engine}: ${failure}`))
  for (const failure of failures) console.error(`FAILED ${failure}`)
  if (done.length === 0)
    console.error(`nothing to run: '${type ?? name}' has no recorded case, no kernel and no test of its own`)
  process.exit(failures.length > 0 || done.length === 0 ? 1 : 0)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
