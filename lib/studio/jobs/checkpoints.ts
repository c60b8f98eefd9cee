import type { TrainingRun } from '../../solver/positions.js'
import { snapshotSolver } from '../../solver/snapshot.js'
import type { JobContext } from '../core/job_context.js'
import { checkpointNames, checkpointOf, pathsOf } from '../core/job_files.js'

/** Saving may take one part in so many of the time. */
const SHARE = 20

/** What a checkpoint is made of, and when nobody else is at it. */
type Training = TrainingRun & { readonly net: { exclusive<T>(task: () => Promise<T>): Promise<T> } }

/**
 * Saves a training now and then, apart from its snapshots, where it may end at any moment without a word: with its tab. There is
 * one checkpoint at a time, and none once a snapshot is newer.
 */
export class Checkpoints {
  private due: number

  /** @param every milliseconds between two of them, more where saving takes long; 0: after every iteration; undefined: none */
  constructor(
    private readonly context: Pick<JobContext, 'store' | 'id'>,
    private readonly every: number | undefined,
    private readonly now: () => number = Date.now,
  ) {
    this.due = now() + (every ?? 0)
  }

  /** After an iteration: save it if it is time. */
  async after(solver: Training): Promise<void> {
    if (this.every === undefined || this.now() < this.due) return
    const begun = this.now()
    const { iter } = solver
    await solver.net.exclusive(() => snapshotSolver(solver, `checkpoint_${iter}`))
    await this.remove(iter)
    const took = this.now() - begun
    this.due = this.every === 0 ? 0 : begun + took + Math.max(this.every, SHARE * took)
  }

  /** Iterations that have one, in order. */
  async list(): Promise<number[]> {
    const files = await this.context.store.list(pathsOf(this.context.id).snapshots)
    const names = new Set(files.map(({ name }) => name))
    const iters = new Set([...names].map(checkpointOf).filter(iter => iter !== undefined))
    return [...iters]
      .filter(iter => Object.values(checkpointNames(iter)).every(name => names.has(name)))
      .sort((a, b) => a - b)
  }

  /** Remove all but that of an iteration. */
  async remove(but?: number): Promise<void> {
    const { store, id } = this.context
    const { snapshots } = pathsOf(id)
    for (const { name } of await store.list(snapshots)) {
      const iter = checkpointOf(name)
      if (iter !== undefined && iter !== but) await store.remove(`${snapshots}/${name}`)
    }
  }
}
