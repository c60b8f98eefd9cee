/**
 * Trains for ever with a snapshot after every iteration, from the given state on: what crash.ts kills. Arguments:
 * prefix, state or ''.
 */
import { trainer } from './trainer.js'

const [prefix, state] = process.argv.slice(2)
const solver = await trainer(prefix, { keepLast: 3 })
if (state) await solver.restore(state)
// a first snapshot stands before the clock starts, however slow the machine
if (!state) await solver.step(1)
process.stdout.write('training\n')
await solver.step(1_000_000)
