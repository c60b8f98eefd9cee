/** Runs cases from … to−1 in a process of its own, so that a crash or a hang is survived and has a number. */
import { openSync, writeFileSync, writeSync } from 'node:fs'
import { makeCase, type Outcome, runCase } from './cases.js'
import { control } from './targets.js'

export interface ChildReport {
  outcomes: Record<string, Record<string, number>>
  failures: { case: number; target: string; file: string; message: string }[]
  /** Resident memory when whole files had been read once, and at the end, in bytes. */
  rss: [before: number, after: number]
}

const [seed, from, to, progressFile, reportFile, only] = process.argv.slice(2)
const progress = openSync(progressFile, 'w')
const report: ChildReport = { outcomes: {}, failures: [], rss: [0, 0] }
let current = makeCase(Number(seed), Number(from), only)

const fail = (message: string) => {
  report.failures.push({ case: current.number, target: current.target.name, file: current.file, message })
}
process.on('unhandledRejection', error => fail(`unhandled rejection: ${(error as Error)?.stack ?? error}`))
process.on('uncaughtException', error => fail(`uncaught exception: ${error.stack}`))

await control()
report.rss[0] = process.memoryUsage.rss()
for (let number = Number(from); number < Number(to); number++) {
  current = makeCase(Number(seed), number, only)
  // written at once, so that it stands there even if this process never comes back
  writeSync(progress, String(number).padEnd(12), 0)
  const outcome: Outcome = await runCase(current)
  // rejections that nobody took are reported in between
  await new Promise(resolve => setImmediate(resolve))
  if (outcome.kind === 'failure') fail(outcome.message!)
  const counts = (report.outcomes[current.target.name] ??= {})
  counts[outcome.kind] = (counts[outcome.kind] ?? 0) + 1
  if (process.env.FUZZ_VERBOSE)
    console.log(`${number} ${current.target.name} ${current.file}: ${outcome.kind} ${outcome.message ?? ''}`)
  if (number % 500 === 0) writeFileSync(reportFile, JSON.stringify(report))
}
await control().catch(error => fail(`a whole file can no longer be read: ${error.stack}`))
report.rss[1] = process.memoryUsage.rss()
writeFileSync(reportFile, JSON.stringify(report))
process.exit(0)
