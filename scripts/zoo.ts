/**
 * How many prototxts of a folder can be read, made, and run forward and backward, and what keeps the others from it.
 *   npx tsx scripts/zoo.ts FOLDER [--most MB]
 * Nets whose activations take more than --most (default 600) are made and not run.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonsOf } from '../lib/cli/check.js'
import { checkNet } from '../lib/tools/index.js'

const [folder, , most = '600'] = process.argv.slice(2)
if (!folder) throw new Error('npx tsx scripts/zoo.ts FOLDER [--most MB]')
const files = (readdirSync(folder, { recursive: true }) as string[]).filter(name => /\.prototxt$/.test(name)).sort()
const count = { read: 0, nets: 0, made: 0, run: 0, forward: 0, losses: 0, backward: 0 }
const reasons = new Map<string, number>()
for (const file of files) {
  const text = readFileSync(join(folder, file), 'utf8')
  let check = await checkNet(text, { file })
  const made = check.phases.length > 0 && check.phases.every(phase => phase.built)
  const size = Math.max(0, ...check.phases.map(({ summary }) => summary?.memory.total ?? 0))
  if (made && size < Number(most) * 2 ** 20) {
    check = await checkNet(text, { file, run: true })
    count.run++
    if (check.phases.every(phase => phase.forward)) count.forward++
    if (check.phases.some(phase => phase.backward !== undefined)) count.losses++
    if (check.phases.some(phase => phase.backward) && check.phases.every(phase => phase.backward !== false))
      count.backward++
  }
  if (check.parsed) count.read++
  if (check.kind === 'net') count.nets++
  if (made) count.made++
  for (const reason of reasonsOf(check)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  for (const { phase, forward, backward } of check.phases)
    if (forward === false || backward === false) console.log(`${file}: ${phase} is not finite`)
}
const { read, nets, made, run, forward, losses, backward } = count
console.log(`${files.length} files: ${read} read; of ${nets} nets ${made} made in every phase`)
console.log(`${run} run: ${forward} forward finite; of ${losses} with a loss ${backward} backward finite`)
for (const [reason, n] of [...reasons].sort((a, b) => b[1] - a[1])) console.log(`${String(n).padStart(4)}  ${reason}`)
