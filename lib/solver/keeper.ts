import { NetError } from '../errors.js'
import type { Solver, TestResult, Watch } from '../solver.js'
import { listNames } from '../system/names.js'
import { importNode } from '../system/nodejs.js'
import type { Snapshot } from './snapshot.js'

/** Which snapshots of a run stay, and when waiting for a better test result ends. */
export class Keeper {
  private readonly written: { model: string; state: string }[] = []
  private best: number | undefined
  private bestPatience: number | undefined
  private worseTests = 0

  constructor(private readonly solver: Solver) {}

  /** After a snapshot: remove the oldest ones of this run beyond keepLast. */
  async saved(snapshot: Snapshot): Promise<void> {
    const { keepLast } = this.solver.options
    if (typeof snapshot.model !== 'string' || keepLast === undefined) return
    this.written.push(snapshot as { model: string; state: string })
    const { rm } = await importNode('node:fs/promises')
    while (this.written.length > Math.max(1, keepLast)) {
      const old = this.written.shift()!
      await rm(old.state, { force: true })
      await rm(old.model, { force: true })
    }
  }

  /** After a test: keep the best model; true if patience has run out. */
  async tested(results: readonly TestResult[]): Promise<boolean> {
    const { keepBest, patience } = this.solver.options
    if (keepBest) {
      const result = find(results, keepBest)
      if (improves(result, keepBest, this.best)) {
        this.best = result.value
        await this.solver.snapshotAs('best')
      }
    }
    if (!patience) return false
    const result = find(results, patience)
    if (improves(result, patience, this.bestPatience)) {
      this.bestPatience = result.value
      this.worseTests = 0
      return false
    }
    if (++this.worseTests < patience.tests) return false
    this.solver.log(
      `Stopping early: ${patience.output} has not improved on ${this.bestPatience} for ${this.worseTests} tests.`,
    )
    return true
  }
}

function find(results: readonly TestResult[], watch: Watch): TestResult {
  const found = results.find(result => result.name === watch.output)
  if (!found)
    throw new NetError(
      `solver: the test net has no output '${watch.output}' to watch; its outputs are ${listNames(results.map(r => r.name))}`,
    )
  return found
}

function improves(result: TestResult, watch: Watch, best: number | undefined): boolean {
  if (best === undefined) return true
  const better = watch.better ?? (result.lossWeight ? 'min' : 'max')
  return better === 'max' ? result.value > best : result.value < best
}
