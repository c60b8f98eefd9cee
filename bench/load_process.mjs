/**
 * One start from files in a process that has done nothing else, as plain JavaScript on the built package, so that no
 * compiler of TypeScript is measured: imports the library, creates a net with its weights, runs one pass, prints the
 * times in ms and the peak memory.
 *
 *   node bench/load_process.mjs library prototxt weights engine threads
 */
import { readFileSync } from 'node:fs'

const [library, prototxt, weights, engine, threads] = process.argv.slice(2)
const begun = performance.now()
/**
 * Most bytes that were resident so far. Linux hands maxRSS of the parent process on, so its own count is read where
 * there is one.
 */
const peak = () => {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}
const { Net } = await import(library)
const imported = performance.now()
const before = peak()
const net = await Net.create(prototxt, { weights, engine, threads: Number(threads), stages: ['deploy'] })
const created = performance.now()
for (const name of net.inputs) net.blobs[name].dataArray.fill(0)
const outputs = await net.forward()
const forwarded = performance.now()
const { params, activations } = net.memory()
const sum = Object.values(outputs)[0].data.reduce((a, b) => a + b, 0)
console.log(
  JSON.stringify({
    start: begun,
    import: imported - begun,
    create: created - imported,
    forward: forwarded - created,
    total: forwarded - begun,
    before,
    peak: peak(),
    params,
    activations,
    // the one output is a softmax: whatever the weights, it adds up to 1
    sum,
    detail: net.engine.detail,
  }),
)
process.exit(0)
