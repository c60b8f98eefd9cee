import type { JobEvent } from '../api/index.js'
import { starsOf } from '../core/details.js'
import { parseEvents } from '../core/events.js'
import type { JobContext } from '../core/job_context.js'
import { checkpointNames, iterationOf, type JobFile, pathsOf, snapshotNames } from '../core/job_files.js'
import { isBetter, type Score, scoreOf, type Watched } from '../core/state.js'
import { Checkpoints } from './checkpoints.js'

/** What a person who says nothing keeps beside the best and starred ones. */
const KEEP = 2

interface Test extends Score {
  readonly iter: number
}

/** Which snapshots of a training stay: the newest few, the best one, and those that a person keeps. */
export class SnapshotKeeper {
  private best: Test | undefined
  private tests: Test[]
  private work: Promise<void> = Promise.resolve()
  private failure: unknown
  readonly checkpoints: Checkpoints

  private constructor(
    private readonly job: JobFile<'model'>,
    private readonly context: JobContext,
    /** What decides which is best; undefined where nothing is tested. */
    readonly watch: Watched | undefined,
    earlier: readonly JobEvent[],
  ) {
    this.checkpoints = new Checkpoints(context, context.checkpointEvery)
    this.tests = watch ? testsIn(earlier, watch) : []
  }

  static async open(job: JobFile<'model'>, context: JobContext, watch: Watched | undefined): Promise<SnapshotKeeper> {
    const events = (await context.store.read(pathsOf(job.id).events)) ?? new Uint8Array(0)
    return new SnapshotKeeper(job, context, watch, parseEvents(events).events)
  }

  /** Put the solver where the newest whole snapshot or checkpoint was made; the name of its file, undefined where there is none. */
  async resume(solver: { restore(state: string): Promise<void> }): Promise<string | undefined> {
    const { place, log } = this.context
    const saved = [
      ...(await this.whole()).map(iter => ({ iter, state: snapshotNames(iter).state })),
      ...(await this.checkpoints.list()).map(iter => ({ iter, state: checkpointNames(iter).state })),
    ].sort((a, b) => b.iter - a.iter)
    for (const { iter, state } of saved) {
      try {
        await solver.restore(place(`${pathsOf(this.job.id).snapshots}/${state}`))
        return state
      } catch (error) {
        log(`The snapshot of iteration ${iter} cannot be used: ${(error as Error).message}`)
      }
    }
    return undefined
  }

  /** Training goes on from an iteration: what was tested there or later is tested again. */
  begin(iter: number): void {
    this.tests = this.tests.filter(test => test.iter < iter)
    this.best = undefined
    for (const test of this.tests) this.consider(test)
  }

  /** How many tests there were since the best one. */
  get testsSinceBest(): number {
    return this.tests.filter(({ iter }) => iter > (this.best?.iter ?? 0)).length
  }

  /** Both files of a snapshot stand. */
  saved(iter: number): void {
    this.after(async () => {
      this.context.emit({ kind: 'snapshot', iter, best: false, bytes: await this.bytesOf(iter) })
      await this.checkpoints.remove()
    })
    this.tidy()
  }

  async tested(iter: number, outputs: Readonly<Record<string, number>>): Promise<void> {
    // what an untrained net guesses is no result
    if (!this.watch || iter === 0) return
    const test = { iter, value: Number.NaN, ...scoreOf(outputs, this.watch) }
    this.tests.push(test)
    if (this.consider(test))
      this.after(async () => {
        this.context.emit({ kind: 'snapshot', iter, best: true, bytes: await this.bytesOf(iter) })
      })
    this.tidy()
    await this.settled()
  }

  /** Remove what need not stay. */
  tidy(): void {
    this.after(async () => {
      const { store } = this.context
      const paths = pathsOf(this.job.id)
      const stars = await starsOf(store, paths.stars)
      const whole = await this.whole()
      const newest = whole.slice(-(this.job.form.keep ?? KEEP))
      for (const iter of whole) {
        if (newest.includes(iter) || stars.has(iter) || iter === this.best?.iter) continue
        const { state, model } = snapshotNames(iter)
        // without its state a snapshot is none: it goes first
        await store.remove(`${paths.snapshots}/${state}`)
        await store.remove(`${paths.snapshots}/${model}`)
      }
    })
  }

  /** Everything is told and removed; throws what went wrong. */
  async settled(): Promise<void> {
    await this.work
    if (this.failure !== undefined) throw this.failure
  }

  private after(task: () => Promise<void>): void {
    this.work = this.work.then(task).catch(error => {
      this.failure ??= error
    })
  }

  private consider(test: Test): boolean {
    if (!this.watch || !isBetter(test, this.best, this.watch)) return false
    this.best = test
    return true
  }

  /** Iterations whose two files stand, in order. */
  private async whole(): Promise<number[]> {
    const names = new Set((await this.context.store.list(pathsOf(this.job.id).snapshots)).map(({ name }) => name))
    const iters = new Set([...names].map(iterationOf).filter(iter => iter !== undefined))
    return [...iters]
      .filter(iter => Object.values(snapshotNames(iter)).every(name => names.has(name)))
      .sort((a, b) => a - b)
  }

  private async bytesOf(iter: number): Promise<number> {
    const { snapshots } = pathsOf(this.job.id)
    return (await this.context.store.size(`${snapshots}/${snapshotNames(iter).model}`)) ?? 0
  }
}

/** Values of the watched output; an attempt that tells a test again has the last word. */
function testsIn(events: readonly JobEvent[], watch: Watched): Test[] {
  const tests = new Map<number, Score>()
  for (const event of events) {
    if (event.kind === 'start') for (const iter of tests.keys()) if (iter >= event.iter) tests.delete(iter)
    const score = event.kind === 'test' ? scoreOf(event.outputs, watch) : undefined
    if (event.kind === 'test' && event.iter > 0 && score) tests.set(event.iter, score)
  }
  return [...tests].map(([iter, score]) => ({ iter, ...score }))
}
