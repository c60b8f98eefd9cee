/** The story of a training run, told once: whoever shows a run (a log, a bar, a page) reads these. */

/** One output value of a net: of a test, averaged over its iterations. */
export interface OutputValue {
  readonly name: string
  readonly value: number
  readonly lossWeight: number
}

/** The file names of a snapshot. */
export interface SnapshotFiles {
  readonly model: string
  readonly state: string
}

/** Why `solve` ended. */
export type EndReason = 'done' | 'stopped' | 'patience' | 'error'

/**
 * What happens in a run, in the order in which it happens; `iter` is the number of updates so far.
 *
 * - `begin`: `solve` starts, before a snapshot is restored.
 * - `notice`: a line of the nets', for people: weights that were loaded, `debug_info`; `tag` as in Log.
 * - `restored`: it goes on from the solver state in `file`.
 * - `display`: an iteration that `display` asks for has its loss, and before the update: `loss` is smoothed over
 *   `average_loss` iterations, `lastLoss` is this one's, `lr` the rate that its update will use, `iterations` and
 *   `seconds` since the display before.
 * - `rate`: an update at rate `lr` begins, where it is displayed or where `lr_policy: "multistep"`, `"plateau"` or `"stepearly"` has just
 *   moved to `stage`.
 * - `clip`: gradients of L2 norm `norm` are scaled down to `limit`.
 * - `testBegin`, `test`: outputs averaged over test_iter batches; `loss` where `test_compute_loss` asks for it.
 * - `testStopped`: the signal stopped a test; it has no results.
 * - `epoch`: a feed of the train net has given all its items once more.
 * - `patience`: `tests` tests in a row were no better than `best`; training ends.
 * - `snapshot`: both files stand (no `files`: the solver has no prefix, they were given as bytes).
 * - `hint`: a usual mistake, with its fix.
 * - `numerics`: training left the finite numbers, and the NumericsError with this message follows.
 * - `final`: the smoothed loss after the last update.
 * - `end`: `solve` is over.
 */
export type SolverEvent =
  | {
      readonly type: 'begin'
      readonly iter: number
      readonly maxIter: number
      readonly net: string
      readonly policy: string
    }
  | { readonly type: 'notice'; readonly text: string; readonly tag?: string }
  | { readonly type: 'restored'; readonly iter: number; readonly file: string }
  | {
      readonly type: 'display'
      readonly iter: number
      readonly loss: number
      readonly lastLoss: number
      readonly lr: number
      readonly iterations: number
      readonly seconds: number
      readonly interval: number
      readonly outputs: readonly OutputValue[]
    }
  | {
      readonly type: 'rate'
      readonly iter: number
      readonly lr: number
      readonly displayed: boolean
      readonly policy: string
      readonly stage?: number
    }
  | { readonly type: 'clip'; readonly iter: number; readonly norm: number; readonly limit: number }
  | { readonly type: 'testBegin'; readonly iter: number; readonly net: number }
  | {
      readonly type: 'test'
      readonly iter: number
      readonly net: number
      readonly outputs: readonly OutputValue[]
      readonly loss?: number
    }
  | { readonly type: 'testStopped'; readonly iter: number; readonly net: number }
  | { readonly type: 'epoch'; readonly iter: number; readonly epoch: number; readonly inputs: readonly string[] }
  | {
      readonly type: 'patience'
      readonly iter: number
      readonly output: string
      readonly best: number
      readonly tests: number
    }
  | {
      readonly type: 'snapshot'
      readonly iter: number
      readonly format: 'binary proto' | 'HDF5'
      readonly files?: SnapshotFiles
      /** The best so far of the output that keepBest watches, under `<prefix>_best`. */
      readonly best: boolean
    }
  | { readonly type: 'hint'; readonly iter: number; readonly text: string }
  | { readonly type: 'numerics'; readonly iter: number; readonly loss: number; readonly message: string }
  | { readonly type: 'final'; readonly iter: number; readonly loss: number }
  | { readonly type: 'end'; readonly iter: number; readonly reason: EndReason }

/** Told of every event, at once; what it throws ends the run. */
export type SolverListener = (event: SolverEvent) => void
