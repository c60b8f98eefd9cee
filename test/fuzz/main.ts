/**
 * npm run fuzz: at least 20,000 damaged files, nets and solvers. Exit code 1 if any of them is a bug.
 * FUZZ_CASES, FUZZ_SEED, FUZZ_FROM and FUZZ_ONLY (a target) choose others; FUZZ_VERBOSE=1 prints every case.
 */
import { fuzz } from './fuzz.js'

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
process.exit(report.failures.length ? 1 : 0)
