/**
 * Misbehaves as a broken reader would, to try the watchdog: case 1 hangs, case 3 ends the process, case 5 prints.
 * Arguments as for child.ts.
 */
import { openSync, writeFileSync, writeSync } from 'node:fs'

const [, from, to, progressFile, reportFile] = process.argv.slice(2)
const progress = openSync(progressFile, 'w')
for (let number = Number(from); number < Number(to); number++) {
  writeSync(progress, String(number).padEnd(12), 0)
  if (number === 1) for (;;);
  if (number === 3) process.exit(7)
  if (number === 5) console.log('oh')
}
writeFileSync(reportFile, JSON.stringify({ outcomes: { target: { value: 2 } }, failures: [], rss: [0, 0] }))
