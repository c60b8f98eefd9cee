/**
 * The last line of .ci/run: how many checks passed and failed, from vitest's JSON reports.
 *
 *   node scripts/ci-summary.mjs <other steps> "<failed steps>" <report>…
 */
import { readFileSync } from 'node:fs'

const [others, failedSteps, ...reports] = process.argv.slice(2)
const names = failedSteps.split(' ').filter(Boolean)
const failedOthers = names.filter(name => name !== 'test' && name !== 'package').length
let passed = Number(others) - failedOthers
let failed = failedOthers
for (const path of reports) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    passed += report.numPassedTests
    // a file that could not be loaded has no tests, and an error outside of a test belongs to none
    const broken = report.testResults.filter(
      file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
    )
    failed += report.numFailedTests + broken.length
    if (!report.success && !report.numFailedTests && !broken.length) failed++
  } catch (error) {
    console.error(`${path}: ${error.message}`)
    failed++
  }
}
// a run that failed without a failed check (an unhandled error) must not pass for a good one
if (names.length && !failed) failed = names.length
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
