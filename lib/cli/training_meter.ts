import type { Solver } from '../solver.js'

/** What a run sets out to do. */
export interface RunFacts {
  readonly name: string
  readonly iter: number
  readonly maxIter: number
  /** Iterations from test to test; Infinity where nothing is tested. */
  readonly testInterval: number
  readonly testNets: number
}

/** How far a run has come. */
export interface Progress {
  readonly iter: number
  readonly lr: number
  /** Running mean. */
  readonly loss: number
  /** Iterations of this run, and the milliseconds that they took, tests left out. */
  readonly count: number
  readonly time: number
}

export const factsOf = ({ net, iter, param, testNets }: Solver): RunFacts => ({
  name: net.name || 'training',
  iter,
  maxIter: param.max_iter ?? 0,
  testInterval: (testNets.length && param.test_interval) || Number.POSITIVE_INFINITY,
  testNets: testNets.length,
})

/** How much of the loss that is shown the last iteration makes: the loss of one batch jumps too much to be read. */
const NEWEST = 0.05
/** Milliseconds between two looks. */
const PACE = 100

/** Tell how far a solver has come, ten times a second; returns a function that tells where it ended. */
export function measureTraining(solver: Solver, tell: (progress: Progress) => void): () => void {
  let started = 0
  let told = 0
  let newest: Progress = { iter: solver.iter, lr: 0, loss: Number.NaN, count: 0, time: 0 }
  solver.onStart(() => {
    started = performance.now()
  })
  solver.onIteration(async ({ iter, lr }) => {
    const now = performance.now()
    const due = now - told > PACE
    let { loss } = newest
    // a device's loss is only fetched when it is shown
    if (solver.engine.isHost || due) {
      const last = await solver.loss()
      loss = Number.isNaN(loss) ? last : loss + NEWEST * (last - loss)
    }
    newest = { iter, lr, loss, count: newest.count + 1, time: newest.time + now - started }
    if (!due) return
    told = now
    tell(newest)
  })
  return () => {
    if (newest.count) tell(newest)
  }
}
