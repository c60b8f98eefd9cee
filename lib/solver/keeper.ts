import { NetError, systemError } from '../errors.js'
import { listNames } from '../system/names.js'
import { importNode } from '../system/nodejs.js'
import type { SolverOptions, TestResult, Watch } from './options.js'
import type { Snapshot } from './snapshot.js'

/** Which snapshots of a run stay, and when waiting for a better test result ends. */
export class Keeper {
  private readonly written: { model: string; state: string }[] = []
  private best: number | undefined
  private bestPatience: number | undefined
  private worseTests = 0

  /** @param saveBest writes the files of keepBest */
  constructor(
    private readonly options: SolverOptions,
    private readonly saveBest: () => Promise<unknown>,
  ) {}

  /** After a snapshot: remove the oldest ones of this run beyond keepLast. */
  async saved(snapshot: Snapshot): Promise<void> {
    const { keepLast } = this.options
    if (typeof snapshot.model !== 'string' || keepLast === undefined) return
    this.written.push(snapshot as { model: string; state: string })
    const { rm } = await importNode('node:fs/promises')
    while (this.written.length > Math.max(1, keepLast)) {
      const old = this.written.shift()!
      for (const file of [old.state, old.model])
        await rm(file, { force: true }).catch(error => {
          throw systemError(`keepLast: cannot remove '${file}'`, error)
        })
    }
  }

  /** After a test: keep the best model; resolves to what was waited for if patience has run out. */
  async tested(results: readonly TestResult[]): Promise<{ output: string; best: number; tests: number } | undefined> {
    const { keepBest, patience } = this.options
    if (keepBest) {
      const result = find(results, keepBest)
      if (improves(result, keepBest, this.best)) {
        this.best = result.value
        await this.saveBest()
      }
    }
    if (!patience) return undefined
    const result = find(results, patience)
    if (improves(result, patience, this.bestPatience)) {
      this.bestPatience = result.value
      this.worseTests = 0
      return undefined
    }
    if (++this.worseTests < patience.tests) return undefined
    return { output: patience.output, best: this.bestPatience!, tests: this.worseTests }
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
  if (Number.isNaN(result.value)) return false
  if (best === undefined) return true
  const better = watch.better ?? (result.lossWeight ? 'min' : 'max')
  return better === 'max' ? result.value > best : result.value < best
}
