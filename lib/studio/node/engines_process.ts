/**
 * Which engines can be made here: `node engines_process.js native gpu` prints those of them that start, a line each. A process
 * of its own, since they load native libraries, which may end it.
 */
import { createEngine, type EngineName } from '../../engines/index.js'

async function main(): Promise<void> {
  for (const name of process.argv.slice(2))
    try {
      await createEngine(name as EngineName)
      process.stdout.write(`${name}\n`)
    } catch {
      // it says why to who trains with it
    }
}

// threads and drivers may hold something open
main().then(() => process.exit(0))
