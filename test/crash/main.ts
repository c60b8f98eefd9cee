/**
 * npm run test:crash: kills a training process 50 times (CRASH_KILLS) at random points (CRASH_SEED). Exit code 1 if a
 * snapshot is broken.
 */
import { crash } from './crash.js'

const { CRASH_KILLS = '50', CRASH_SEED = '1' } = process.env
const report = await crash({ kills: Number(CRASH_KILLS), seed: Number(CRASH_SEED), log: console.log })
console.log(
  `${report.kills} kills, ${report.torn} of them in the middle of a file; ${report.checked} snapshots checked, ${report.problems.length} problems`,
)
process.exit(report.problems.length || !report.checked ? 1 : 0)
