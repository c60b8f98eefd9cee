/**
 * npm run fuzz: at least 20,000 damaged files, nets and solvers. Exit code 1 if any of them is a bug.
 * Then FUZZ_WINDOWS windows of extreme sizes on every engine that computes with addresses.
 * FUZZ_CASES, FUZZ_SEED, FUZZ_FROM and FUZZ_ONLY (a target) choose others; FUZZ_VERBOSE=1 prints every case.
 */
import { createNativeEngine } from '../../lib/engines/native.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { EngineError } from '../../lib/errors.js'
import { fuzz } from './fuzz.js'
import { fuzzWindows } from './windows.js'

const { FUZZ_CASES = '24000', FUZZ_SEED = '1', FUZZ_FROM = '0', FUZZ_ONLY, FUZZ_PROCESSES = '2' } = process.env
const seed = Number(FUZZ_SEED)
const start = performance.now()
const report = await fuzz({
  seed,
  from: Number(FUZZ_FROM),
  cases: Number(FUZZ_CASES),
  only: FUZZ_ONLY,
  processes: Number(FUZZ_PROCESSES),
  log: console.log,
})
console.table(report.outcomes)
const sums: Record<string, number> = {}
for (const counts of Object.values(report.outcomes))
  for (const [kind, n] of Object.entries(counts)) sums[kind] = (sums[kind] ?? 0) + n
console.log(`${report.cases} cases in ${((performance.now() - start) / 1000).toFixed(0)} s:`, sums)
console.log(
  `resident memory grew by at most ${((report.rss[1] - report.rss[0]) / 2 ** 20).toFixed(0)} MiB in one process`,
)
for (const failure of report.failures) {
  console.log(`\n${failure.target} (${failure.file}): ${failure.message}`)
  console.log(
    `again: FUZZ_SEED=${seed} FUZZ_FROM=${failure.case} FUZZ_CASES=1 ${FUZZ_ONLY ? `FUZZ_ONLY='${FUZZ_ONLY}' ` : ''}FUZZ_VERBOSE=1 npm run fuzz`,
  )
}

const windows = Number(process.env.FUZZ_WINDOWS ?? (FUZZ_ONLY ? 0 : 20000))
let failures = report.failures.length
for (const create of windows ? [createWasmEngine, createNativeEngine] : []) {
  try {
    const engine = await create({ threads: 2 })
    const { failures: found, ...outcomes } = fuzzWindows(engine, seed, Number(FUZZ_FROM), windows)
    console.log(`${windows} windows on ${engine.name}, ${engine.detail}:`, outcomes)
    for (const failure of found) console.log(failure)
    failures += found.length
  } catch (error) {
    // a machine may have no BLAS
    if (!(create === createNativeEngine && error instanceof EngineError)) throw error
    console.log(`no windows on native: ${error.message}`)
  }
}
process.exit(failures ? 1 : 0)
