/**
 * A job of many steps, each of which needs what all chunks of the step before have computed. Threads wait for each
 * other between steps without going back to the caller, and each keeps to chunks of its own as long as the others keep
 * up: what a chunk reads in every step stays in the cache of its core. How the work is cut depends on shapes alone, so
 * that the same bits come out for any number of threads.
 */
import { isDry, job, passed, reached, run, runAlone, threadCount } from './threads'
import { smaller } from './vector'

/** A chunk of a step, and the thread's own workspace. */
export type StepTask = (step: i32, chunk: i32, workspace: usize) => void

/** Looks at the others' progress, a few µs, before a thread that has nothing left takes over chunks of theirs. */
const PATIENCE: i32 = 3000

// The state of a job; what different threads write lies on different cache lines.
const DONE: usize = 64 // i32: chunks finished in all steps, and who sleeps until a step is
const CLAIMED: usize = 128 // i32 for each chunk: steps in which somebody has taken it
const LINE: usize = 64

@unmanaged
class Steps {
  task: u32
  steps: i32
  chunks: i32
  parts: i32
}

/** What the arguments of such a job begin with. */
@unmanaged
export class SteppedJob {
  state: usize
}

/** Bytes that all threads must see. */
export function stateOf(chunks: i32): usize {
  return CLAIMED + LINE * <usize>chunks
}

/**
 * Runs all chunks of every step, in order, with the `stateOf(chunks)` bytes at `state`; on the calling thread alone
 * where it is not worth more.
 */
export function runSteps(task: StepTask, steps: i32, chunks: i32, state: usize, alone: bool): void {
  if (isDry()) return
  memory.fill(state, 0, stateOf(chunks))
  changetype<SteppedJob>(job).state = state
  const s = changetype<Steps>(state)
  s.task = task.index
  s.steps = steps
  s.chunks = chunks
  s.parts = alone ? 1 : smaller(threadCount(), chunks)
  if (s.parts == 1) runAlone(part, 1)
  else run(part, s.parts)
}

/**
 * What one thread does; a late one goes on where the others are, and one that comes after the end has nothing to do.
 */
function part(index: i32, workspace: usize): void {
  const state = changetype<SteppedJob>(job).state
  const s = changetype<Steps>(state)
  const chunks = s.chunks
  const first = (index * chunks) / s.parts
  const mine = ((index + 1) * chunks) / s.parts - first
  for (let step = atomic.load<i32>(state + DONE) / chunks; step < s.steps; step++) {
    const end = (step + 1) * chunks
    if (!reached(state + DONE, end - chunks)) return
    let ran = 0
    for (let i = 0; i < mine; i++) ran += attempt(s, step, first + i, workspace)
    if (ran > 0) passed(state + DONE, ran, end)
    if (keptUp(state + DONE, end)) continue
    for (let i = mine; i < chunks; i++) {
      if (attempt(s, step, (first + i) % chunks, workspace)) passed(state + DONE, 1, end)
    }
  }
}

/** The same of chunks none of which needs what another one computes: each goes through all steps at its own pace. */
export function runApart(task: StepTask, steps: i32, chunks: i32, state: usize): void {
  if (isDry()) return
  changetype<SteppedJob>(job).state = state
  const s = changetype<Steps>(state)
  s.task = task.index
  s.steps = steps
  run(apart, chunks)
}

function apart(chunk: i32, workspace: usize): void {
  const s = changetype<Steps>(changetype<SteppedJob>(job).state)
  for (let step = 0; step < s.steps; step++) call_indirect<void>(s.task, step, chunk, workspace)
}

/** Runs a chunk of a step unless somebody has taken it: 1 or 0. */
function attempt(s: Steps, step: i32, chunk: i32, workspace: usize): i32 {
  const claim = changetype<usize>(s) + CLAIMED + LINE * <usize>chunk
  if (atomic.load<i32>(claim) != step || atomic.cmpxchg<i32>(claim, step, step + 1) != step) return 0
  call_indirect<void>(s.task, step, chunk, workspace)
  return 1
}

function keptUp(counter: usize, value: i32): bool {
  for (let i = 0; i < PATIENCE; i++) if (atomic.load<i32>(counter) >= value) return true
  return false
}
