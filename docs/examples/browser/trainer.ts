/** The worker: trains LeNet, classifies what is drawn, loads models. The page's own thread never computes. */
import { Net, parseNet, parseSolver, SGDSolver } from 'ristretto'
import { deployText, solverText } from './lenet.js'
import type { Reply, Request } from './protocol.js'

const BATCH = 64
const TEST_BATCH = 100
const TEST_EVERY = 50

interface Digits {
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

const reply = (message: Reply): void => (globalThis as unknown as Worker).postMessage(message)

let solver: SGDSolver | undefined
let net: Net | undefined
let test: Net | undefined
let run = 0

async function fetchDigits(set: 'train' | 't10k'): Promise<Digits> {
  const [pixels, labels] = await Promise.all(
    [`${set}-images-idx3-ubyte`, `${set}-labels-idx1-ubyte`].map(async file => {
      const response = await fetch(new URL(file, self.location.origin))
      if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`)
      return new Uint8Array(await response.arrayBuffer())
    }),
  )
  return { pixels: pixels.subarray(16), labels: labels.subarray(8) }
}

/** Batches over and over: pixels from 0 to 1, or labels. */
function* batches(source: Uint8Array, size: number, scale: number): Generator<Float32Array> {
  for (let at = 0; ; at = at + 2 * size > source.length ? 0 : at + size)
    yield Float32Array.from(source.subarray(at, at + size), v => v * scale)
}

/** Nets on an engine; their weights are the solver's own. */
async function build(engine: string): Promise<void> {
  for (const old of [solver, net, test]) old?.dispose()
  solver = await SGDSolver.create(parseSolver(solverText(BATCH)), { engine, seed: 1 })
  net = await Net.create(parseNet(deployText(1)), { phase: 'TEST', engine })
  test = await Net.create(parseNet(deployText(TEST_BATCH)), { phase: 'TEST', engine })
  for (const other of [net, test]) other.shareWith(solver.net)
  reply({
    type: 'ready',
    engine: solver.net.engine.name,
    detail: solver.net.engine.detail,
    explanation: solver.net.explain(),
  })
}

async function train(engine: string, iterations: number): Promise<void> {
  const mine = ++run
  const [digits, tests] = await Promise.all([fetchDigits('train'), fetchDigits('t10k')])
  await build(engine)
  if (!solver) return
  solver.net.feed('data', batches(digits.pixels, BATCH * 784, 1 / 256))
  solver.net.feed('label', batches(digits.labels, BATCH, 1))
  for (let i = 0; i < iterations && mine === run; i++) {
    const start = performance.now()
    await solver.step(1)
    reply({ type: 'loss', iter: solver.iter, loss: await solver.loss(), msPerIteration: performance.now() - start })
    if (solver.iter % TEST_EVERY === 0 || i === iterations - 1)
      reply({ type: 'accuracy', iter: solver.iter, accuracy: await accuracy(tests) })
    // requests from the page come in between
    await new Promise(resolve => setTimeout(resolve, 0))
  }
  reply({ type: 'stopped', iter: solver.iter })
}

/** Share of right answers on one batch of the test set. */
async function accuracy({ pixels, labels }: Digits): Promise<number> {
  const { prob } = await test!.forward({ data: Float32Array.from(pixels.subarray(0, TEST_BATCH * 784), v => v / 256) })
  let right = 0
  for (let n = 0; n < TEST_BATCH; n++) {
    const scores = prob.data.subarray(10 * n, 10 * n + 10)
    if (scores.indexOf(Math.max(...scores)) === labels[n]) right++
  }
  return right / TEST_BATCH
}

async function handle(request: Request): Promise<void> {
  switch (request.type) {
    case 'start':
      return train(request.engine, request.iterations)
    case 'stop':
      run++
      return
    case 'classify': {
      if (!net) await build('wasm')
      const { prob } = await net!.forward({ data: request.pixels })
      return reply({ type: 'probabilities', values: prob.data })
    }
    case 'weights': {
      if (!solver) await build('wasm')
      const { loaded } = await solver!.net.copyFrom(request.bytes)
      return reply({ type: 'loaded', name: request.name, layers: loaded })
    }
  }
}

self.addEventListener('message', (event: MessageEvent<Request>) => {
  handle(event.data).catch(error => reply({ type: 'error', message: (error as Error).message }))
})
