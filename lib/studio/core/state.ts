import type { JobEvent, JobProgress, JobState } from '../api/index.js'

/** `state.json`: what can be told again from the job's events is kept beside what cannot. */
export interface StateFile extends Omit<JobProgress, 'untrusted'> {
  readonly version: 1
  /** Attempts in a row that were interrupted and brought nothing. */
  readonly fruitless: number
  /** Bytes of `events.jsonl` that are told in here. */
  readonly read: number
  readonly iterationsPerEpoch?: number
  readonly watch?: Watched
  /** The current attempt: when and at which iteration it began, what the ones before took. */
  readonly begun?: { readonly t: number; readonly iter: number; readonly seconds: number }
  /** The farthest point so far, of iterations or of a dataset's pictures; and that of earlier attempts. */
  readonly farthest: number
  readonly before: number
  /** Iterations that have a snapshot: how many there were. */
  readonly snapshots: number
  readonly snapshotsBefore: number
}

export type Watched = NonNullable<(JobEvent & { kind: 'start' })['watch']>

/** What a test said: the watched output, and the loss that decides between equal ones. */
export interface Score {
  readonly value: number
  readonly loss?: number
}

export const newState = (state: JobState = 'queued'): StateFile => ({
  version: 1,
  state,
  attempt: 0,
  progress: 0,
  seconds: 0,
  fruitless: 0,
  read: 0,
  farthest: 0,
  before: 0,
  snapshots: 0,
  snapshotsBefore: 0,
})

/** What a test said of what is watched; undefined where it did not give that output. */
export function scoreOf(outputs: Readonly<Record<string, number>>, { output, loss }: Watched): Score | undefined {
  const value = outputs[output]
  if (value === undefined) return undefined
  return loss === undefined || outputs[loss] === undefined ? { value } : { value, loss: outputs[loss] }
}

/**
 * Whether a test is better than the best so far; what is no number is not. Small sets are soon all right: of equal
 * accuracies the one with the lower loss is better, the first to reach it is often hardly trained.
 */
export function isBetter({ value, loss }: Score, best: Score | undefined, { better }: Watched): boolean {
  if (!Number.isFinite(value) || best === undefined) return Number.isFinite(value)
  if (value !== best.value) return better === 'max' ? value > best.value : value < best.value
  return loss !== undefined && best.loss !== undefined && loss < best.loss
}

/** Whether the current attempt has got further than those before. */
export const hasGained = (state: StateFile): boolean =>
  state.farthest > state.before || state.snapshots > state.snapshotsBefore

/** What an event changes. */
export function foldEvent(state: StateFile, event: JobEvent): StateFile {
  const at = timed(state, event)
  switch (event.kind) {
    case 'start':
      return started(state, event)
    case 'train':
      return withIteration({ ...at, loss: event.loss }, event.iter, event.t)
    case 'test': {
      const tested = withIteration({ ...at, outputs: event.outputs }, event.iter, event.t)
      const { watch, best } = tested
      const score = watch && scoreOf(event.outputs, watch)
      if (!score || event.iter === 0 || !isBetter(score, best, watch)) return tested
      return {
        ...tested,
        best: { output: watch.output, ...score, iter: event.iter, epoch: epochOf(tested, event.iter) },
      }
    }
    case 'snapshot':
      return event.best ? at : withIteration({ ...at, snapshots: at.snapshots + 1 }, event.iter, event.t)
    case 'progress': {
      const progress = event.total > 0 ? Math.min(1, event.done / event.total) : 0
      const farthest = Math.max(at.farthest, event.done)
      return { ...at, progress, farthest, ...etaOf(at, progress, 0, event.t) }
    }
    case 'done':
      return ended({ ...at, progress: 1 }, 'done')
    case 'stopped':
      return ended(event.iter === undefined ? at : withIteration(at, event.iter, event.t), 'stopped')
    case 'failed':
      return { ...ended(at, 'failed'), error: event.error }
    default:
      return at
  }
}

function started(state: StateFile, event: JobEvent & { kind: 'start' }): StateFile {
  const { attempt, iter, maxIter, iterationsPerEpoch, watch, t } = event
  const { error, eta, best, ...rest } = state
  const next: StateFile = {
    ...rest,
    // a test that happens again tells again whether it was the best
    ...(best && best.iter < iter ? { best } : {}),
    state: 'running',
    attempt,
    before: state.farthest,
    snapshotsBefore: state.snapshots,
    begun: { t, iter, seconds: state.seconds },
    ...(maxIter === undefined ? {} : { maxIter }),
    ...(iterationsPerEpoch === undefined ? {} : { iterationsPerEpoch }),
    ...(maxIter !== undefined && iterationsPerEpoch ? { epochs: maxIter / iterationsPerEpoch } : {}),
    ...(watch === undefined ? {} : { watch }),
  }
  return maxIter === undefined ? { ...next, progress: 0 } : withIteration(next, iter, t)
}

function timed(state: StateFile, { t }: JobEvent): StateFile {
  if (!state.begun) return state
  return { ...state, seconds: state.begun.seconds + Math.max(0, t - state.begun.t) / 1000 }
}

function withIteration(state: StateFile, iter: number, t: number): StateFile {
  const { maxIter } = state
  const progress = maxIter ? Math.min(1, iter / maxIter) : state.progress
  return {
    ...state,
    iter,
    progress,
    farthest: Math.max(state.farthest, iter),
    ...(state.iterationsPerEpoch ? { epoch: epochOf(state, iter) } : {}),
    ...etaOf(state, progress, maxIter ? (state.begun?.iter ?? 0) / maxIter : 0, t),
  }
}

const epochOf = ({ iterationsPerEpoch }: StateFile, iter: number): number =>
  iterationsPerEpoch ? iter / iterationsPerEpoch : 0

/** From the pace of this attempt; nothing is said before a hundredth of a second has gone by. */
function etaOf(state: StateFile, progress: number, from: number, t: number): { eta?: number } {
  const spent = state.begun ? (t - state.begun.t) / 1000 : 0
  if (progress <= from || spent < 0.01) return {}
  return { eta: (spent / (progress - from)) * (1 - progress) }
}

function ended(state: StateFile, to: JobState): StateFile {
  const { eta, ...rest } = state
  return { ...rest, state: to, fruitless: 0 }
}
