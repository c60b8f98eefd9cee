/**
 * A process that measures one engine: prepares a job, times passes when asked to. Started by lanes.ts with the engine
 * and its threads.
 */
import { firstLine } from './peers/load.js'
import { type Job, type Pace, type Peer, Refusal, type Reply, type Request, type Task, type Times } from './protocol.js'

const [engine, threads] = process.argv.slice(2)

/** Each is imported in the process that uses it alone. */
const peers: Record<string, () => Promise<Peer>> = {
  wasm: async () => (await import('./peers/ristretto.js')).ristretto('wasm'),
  native: async () => (await import('./peers/ristretto.js')).ristretto('native'),
  'onnxruntime-web': async () => (await import('./peers/onnxruntime.js')).onnxruntime('web'),
  'onnxruntime-node': async () => (await import('./peers/onnxruntime.js')).onnxruntime('node'),
  'tfjs-wasm': async () => (await import('./peers/tfjs.js')).tfjs('wasm'),
  'tfjs-cpu': async () => (await import('./peers/tfjs.js')).tfjs('cpu'),
  'jax-js': async () => (await import('./peers/jax.js')).jax,
  convnetjs: async () => (await import('./peers/convnetjs.js')).convnetjs,
  'brain.js': async () => (await import('./peers/brain.js')).brain,
  pytorch: async () => (await import('./peers/pytorch.js')).pytorch,
  caffe: async () => (await import('./peers/caffe.js')).caffe,
}

const MOST_PASSES = 1000
/** V8 optimizes what runs: passes of a tenth of a millisecond get faster for about so long, in ms. */
const WARM_UP = 1000
/** Warm-up and the search for the number of passes end here, in ms. */
const WARM_UP_LIMIT = 1500
/** Passes before a sample, in ms: another process has had the caches, and threads have gone to sleep. */
const WAKE = 15

let task: Task | undefined
let passes = 1

async function prepare(job: Job, pace: Pace): Promise<Reply> {
  const peer = await peers[engine]()
  task = await peer.create(job, Number(threads))
  const begun = performance.now()
  let pass = 0
  for (let i = 0, gone = 0; i === 0 || gone < WARM_UP || (i < pace.warmUp && gone < WARM_UP_LIMIT); i++) {
    const start = performance.now()
    await task.run()
    pass = performance.now() - start
    gone = start + pass - begun
  }
  passes = Math.max(1, Math.min(MOST_PASSES, Math.ceil(pace.sample / pass)))
  return { kind: 'ready', detail: task.detail, deviation: task.deviation, pass }
}

/** The mean of `passes` passes of a loop that is already going, as in training or under load. */
async function sample(): Promise<{ times: Times; least: Times }> {
  if (!task) throw new Error('nothing is prepared')
  const begun = performance.now()
  while (passes > 1 && performance.now() - begun < WAKE) await task.run()
  const times: Times = {}
  const least: Times = {}
  for (let i = 0; i < passes; i++)
    for (const [name, ms] of Object.entries(await task.run())) {
      const key = name as keyof Times
      times[key] = (times[key] ?? 0) + ms / passes
      least[key] = Math.min(least[key] ?? ms, ms)
    }
  return { times, least }
}

async function answer(request: Request): Promise<Reply> {
  try {
    if (request.kind === 'prepare') return await prepare(request.job, request.pace)
    if (request.kind === 'sample') return { kind: 'times', ...(await sample()) }
    await task?.dispose?.()
    task = undefined
    return { kind: 'released' }
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Refusal ? error.message : `it failed: ${firstLine(error)}` }
  }
}

process.on('message', async (request: Request) => process.send!(await answer(request)))
// the parent is gone
process.on('disconnect', () => process.exit())
