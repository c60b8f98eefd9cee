import { Blob } from '../blob.js'
import { kernelsOf } from '../engines/complete.js'
import { RistrettoError } from '../errors.js'
import { mustBeFunction } from '../system/arguments.js'
import type { LayerHook } from './options.js'
import { type Statistics, statisticsOf } from './statistics.js'
import { NetStructure } from './structure.js'

/** A net's values between passes, and who is called while passes run. */
export abstract class WatchedNet extends NetStructure {
  /** The objective after the last forward: Σ loss weight × top over all tops that have one. */
  async loss(): Promise<number> {
    this.runner.mustLive()
    let total = 0
    for (const { top, lossWeights } of this.built.nodes)
      for (let i = 0; i < top.length; i++) {
        if (!lossWeights[i]) continue
        await top[i].memory.data.pull()
        let sum = 0
        for (const value of top[i].memory.data.values) sum += value
        total += lossWeights[i] * sum
      }
    return total
  }

  /**
   * Mean, standard deviation, range and histogram of a blob (by name) or param (the Blob itself), of its data or diff.
   */
  async statistics(blob: string | Blob, part: 'data' | 'diff' = 'data'): Promise<Statistics> {
    this.runner.mustLive()
    const { memory } = blob instanceof Blob ? blob : this.blob(blob)
    if (part !== 'data' && part !== 'diff')
      throw new RistrettoError(`statistics are of 'data' or of 'diff', not of ${String(part)}`)
    await memory[part].pull()
    return statisticsOf(memory[part].values)
  }

  /** Set every param's gradient to zero. */
  clearParamDiffs(): void {
    this.runner.mustLive()
    for (const { blob } of this.built.learnable) kernelsOf(this.engine).fill(blob.count, 0, blob.memory.diff)
  }

  /** Bring every blob and param home, data and diff; nothing to do on a host engine. */
  async pull(): Promise<void> {
    this.runner.mustLive()
    for (const blob of [...this.built.blobs, ...this.built.params.map(p => p.blob)]) await blob.pull()
  }

  /** Shape every blob from the inputs as they stand, without running. */
  reshape(): void {
    this.runner.reshape()
  }

  /**
   * Call `hook` before every layer's forward (Input and Split included). Hooks may wait; they must not start passes on
   * this net.
   */
  beforeForward(hook: LayerHook): void {
    this.runner.hooks.beforeForward.push(mustBeFunction(hook, 'beforeForward'))
  }
  /** Call `hook` after every layer's forward, when its tops hold their values. */
  afterForward(hook: LayerHook): void {
    this.runner.hooks.afterForward.push(mustBeFunction(hook, 'afterForward'))
  }
  /** Call `hook` before the backward of every layer that has one to run, last layer first. */
  beforeBackward(hook: LayerHook): void {
    this.runner.hooks.beforeBackward.push(mustBeFunction(hook, 'beforeBackward'))
  }
  /** Call `hook` after every layer's backward, when its bottoms' diffs hold their gradients. */
  afterBackward(hook: LayerHook): void {
    this.runner.hooks.afterBackward.push(mustBeFunction(hook, 'afterBackward'))
  }

  /** Log the mean absolute value of every blob and param as it is computed. */
  get debugInfo(): boolean {
    return this.runner.debugInfo
  }
  /** Log them from the next pass on, or no longer. */
  set debugInfo(on: boolean) {
    this.runner.debugInfo = on
  }

  /** Run `task` when the passes before it are done; nothing else runs on this net meanwhile. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.runner.exclusive(mustBeFunction(task, 'exclusive'))
  }
}
