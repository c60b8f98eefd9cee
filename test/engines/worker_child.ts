/** Trains in a worker thread, and in the program that starts it at the same time: each has a net, a heap and threads. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { trainer } from '../crash/trainer.js'

async function train(seed: number): Promise<string> {
  const solver = await trainer(undefined, { engine: 'wasm', threads: 2, seed })
  await solver.step(20)
  const weights = solver.net.params['ip1'][0].dataArray
  const text = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).toString('base64')
  solver.dispose()
  return text
}

if (isMainThread) {
  const alone = [await train(1), await train(2)]
  const start = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}) })`
  const inWorker = new Promise<string>((resolve, reject) => {
    const worker = new Worker(start, { eval: true })
    worker.on('message', resolve)
    worker.on('error', reject)
    worker.on('exit', code => reject(new Error(`the worker ended with ${code}`)))
  })
  const together = [await train(1), await inWorker]
  if (alone[0] === alone[1]) throw new Error('the seeds make no difference')
  console.log(together.every((weights, i) => weights === alone[i]) ? 'the same' : 'different')
  process.exit(0)
} else parentPort!.postMessage(await train(2))
