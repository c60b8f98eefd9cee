/**
 * The last lines of .ci/run: what failed and why, and how many checks passed and failed, from vitest's JSON reports.
 *
 *   node scripts/ci-summary.mjs <steps without a report> "<failed steps>" <step>=<report>…
 */
import { readFileSync } from 'node:fs'

const [others, failedSteps, ...reports] = process.argv.slice(2)
const names = failedSteps.split(' ').filter(Boolean)
const reported = reports.map(report => report.split('=')[0])
const failedOthers = names.filter(name => !reported.includes(name)).length
let passed = Number(others) - failedOthers
let failed = failedOthers
for (const report of reports) {
  const path = report.slice(report.indexOf('=') + 1)
  try {
    const results = JSON.parse(readFileSync(path, 'utf8'))
    passed += results.numPassedTests
    for (const file of results.testResults)
      for (const test of file.assertionResults.filter(({ status }) => status === 'failed'))
        console.log(`${file.name}: ${test.fullName}\n  ${test.failureMessages.join('\n  ').slice(0, 1000)}`)
    // a file that could not be loaded has no tests, and an error outside of a test belongs to none
    const broken = results.testResults.filter(
      file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
    )
    for (const { name, message } of broken) console.log(`${name}: ${message?.slice(0, 1000)}`)
    failed += results.numFailedTests + broken.length
    if (!results.success && !results.numFailedTests && !broken.length) failed++
  } catch (error) {
    console.error(`${path}: ${error.message}`)
    failed++
  }
}
// a run that failed without a failed check (an unhandled error) must not pass for a good one
if (names.length && !failed) failed = names.length
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
