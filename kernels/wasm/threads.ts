/**
 * How one kernel call becomes chunks of work that any thread may take.
 *
 * A kernel writes its arguments to the job, cuts the work into chunks by shape alone (never by the number of threads,
 * so that the same bits come out for any number of them), and calls `run`. The calling thread takes chunks like every
 * worker does.
 *
 * One 64-bit word says which job is open (high half) and how many of its chunks are still to be taken (low half).
 * Taking a chunk is one compare-exchange of both halves, so a worker that comes late can neither take a chunk of a
 * finished job (none is left) nor take one of a new job with an old word (the job's number differs). The job's
 * arguments change only while no chunk is out.
 */

// The control block, one per engine; what different threads write lies on different cache lines.
const TICKET: usize = 0 // u64: job number, chunks left
const DONE: usize = 64 // i32: chunks finished, and who sleeps until all are
const SLEEPERS: usize = 128 // i32: workers in atomic.wait
const FAILED: usize = 192 // i32: a worker has died
const QUIT: usize = 196 // i32: workers are to return
const JOB: usize = 256 // what to do, then the arguments of the kernel

/** Iterations without news after which a thread goes to sleep: about 0.1 ms. */
const WORKER_SPINS: i32 = 100_000
const MAIN_SPINS: i32 = 20_000
/**
 * The main thread looks for dead workers this often (ns), and gives up after so many looks without progress: a minute.
 */
const PATIENCE: i64 = 100_000_000
const LOOKS: i32 = 600

/** A chunk of work: which one, and the thread's own workspace. */
export type Task = (chunk: i32, workspace: usize) => void

@unmanaged
class Job {
  task: u32
  chunks: i32
  workspace: usize
  workspaceStep: usize
  /** Pages of the memory. */
  pages: i32
}

let control: usize = 0
let threads: i32 = 1
let mayWait: bool = true
let number: u32 = 0
let isOpen: bool = false
let handed: i32 = 0
let chunksHanded: i32 = 0
/** Pages of the memory as far as this thread knows. */
let knownPages: i32 = 0

/** Where a kernel puts its arguments. */
export let job: usize = 0

/** A block of at least `bytes` for the engine's own use; what an earlier call with the same slot returned is void. */
@external('engine', 'reserve')
declare function reserve(slot: i32, bytes: usize): usize

/** Throws the error that says a worker has died. */
@external('engine', 'workerDied')
declare function workerDied(): void

/** Starts the workers, on the main thread: before the first job that they can take part in. */
@external('engine', 'wake')
declare function wake(): void

/** Whether the time of the pass is up. */
@external('engine', 'isLate')
declare function isLate(): bool

/** Throws the error that says so. */
@external('engine', 'outOfTime')
declare function outOfTime(): void

/** On the calling thread alone: whether isLate is asked before each chunk. */
let limited: bool = false

export function limitTime(on: bool): void {
  limited = on
}

let isAwake: bool = false

/** 0, and no compiler knows. */
let nothing: usize = 0

/**
 * The same address, as a sum. V8 knows of sums that they are 32 bits wide. Of a parameter it does not, nor of a pointer
 * that starts as one and moves on in a loop: it clears the upper half again before each use, which in the loop of a
 * tile is one instruction in five.
 */
@inline
export function asSum(address: usize): usize {
  return address + nothing
}

let ownBase: usize = 0
let ownStep: usize = 0
let sharedBase: usize = 0
let sharedSize: usize = 0

/** Gives every thread `bytes` of its own in the next `run`. */
export function needWorkspace(bytes: usize): void {
  const step = (<u64>bytes + 127) & ~63
  if (step > <u64>ownStep) {
    // the old block is void as soon as another one is asked for, even if there is none
    ownStep = 0
    ownBase = reserve(0, all(isDry() ? step : step * <u64>threads))
    ownStep = <usize>step
  }
}

/** So many bytes, or more than any memory has. */
@inline
function all(bytes: u64): usize {
  return bytes < 0xffffffc0 ? <usize>bytes : 0xffffffc0
}

/** `bytes` that all threads see, until the next call. */
export function sharedWorkspace(bytes: usize): usize {
  if (bytes > sharedSize) {
    sharedSize = 0
    sharedBase = reserve(1, bytes)
    sharedSize = bytes
  }
  return sharedBase
}

/**
 * Called once on the main thread. `block` is the zeroed control block. With no thread at all kernels run dry: they cut
 * their work and ask for workspace, and nothing is computed. Calling it again forgets what they have asked for.
 */
export function start(block: usize, threadCount: i32, mainMayWait: bool): void {
  control = block
  nothing = atomic.load<i32>(block + FAILED)
  job = block + JOB + 64
  threads = threadCount
  mayWait = mainMayWait
  isAwake = false
  ownStep = 0
  sharedSize = 0
}

/** Whether this is a dry run, in which the workspace that was asked for is not there: kernels must not write to it. */
export function isDry(): bool {
  return threads == 0
}

/** Runs all chunks on the calling thread. */
export function runAlone(task: Task, chunks: i32): void {
  if (isDry()) return
  for (let i = 0; i < chunks; i++) {
    if (limited && isLate()) outOfTime()
    call_indirect<void>(task.index, i, ownBase)
  }
}

/** Runs all chunks of a job and returns when the last one is finished. */
export function run(task: Task, chunks: i32): void {
  if (threads <= 1 || chunks <= 1) {
    runAlone(task, chunks)
    return
  }
  if (!isAwake) {
    isAwake = true
    wake()
  }
  // a job that is still open was left by a trap, and workers may still be at it
  if (isOpen || atomic.load<i32>(control + FAILED)) workerDied()
  isOpen = true
  handed++
  chunksHanded += chunks
  const head = changetype<Job>(control + JOB)
  head.task = task.index
  head.chunks = chunks
  head.workspace = ownBase
  head.workspaceStep = ownStep
  head.pages = knownPages = memory.size()
  atomic.store<i32>(control + DONE, 0)
  number++
  atomic.store<u64>(control + TICKET, ((<u64>number) << 32) | (<u64>chunks))
  if (atomic.load<i32>(control + SLEEPERS) > 0) atomic.notify(control + TICKET + 4, -1)
  work(0)
  if (!reached(control + DONE, chunks)) workerDied()
  isOpen = false
  if (limited && isLate()) outOfTime()
}

/** Jobs that were offered to the workers so far, and their chunks: tests count them. */
export function dispatches(): i32 {
  return handed
}
export function chunksDispatched(): i32 {
  return chunksHanded
}

/**
 * Waits until the counter is `value` or more; false if a thread died. The word after the counter counts who sleeps
 * until `passed`.
 */
export function reached(counter: usize, value: i32): bool {
  for (let i = 0; i < MAIN_SPINS; i++) if (atomic.load<i32>(counter) >= value) return true
  let looks = 0
  let seen = atomic.load<i32>(counter)
  while (seen < value && looks < LOOKS && !atomic.load<i32>(control + FAILED)) {
    if (mayWait) {
      atomic.add<i32>(counter + 4, 1)
      looks = atomic.wait<i32>(counter, seen, PATIENCE) == AtomicWaitResult.TIMED_OUT ? looks + 1 : 0
      atomic.sub<i32>(counter + 4, 1)
    }
    seen = atomic.load<i32>(counter)
  }
  return seen >= value
}

/** Adds to a counter; whoever sleeps until it is `value` is woken when it gets there. */
export function passed(counter: usize, ran: i32, value: i32): void {
  if (atomic.add<i32>(counter, ran) + ran == value && atomic.load<i32>(counter + 4) > 0) atomic.notify(counter, -1)
}

/** Threads of the pool, the calling one included; right on that one only. */
export function threadCount(): i32 {
  return threads
}

/** Takes and runs chunks of the open job until none is left. */
function work(thread: i32): void {
  const head = changetype<Job>(control + JOB)
  let ran = 0
  let chunks = 0
  for (;;) {
    const ticket = atomic.load<u64>(control + TICKET)
    const left = <i32>ticket
    if (left == 0) break
    if (limited && isLate()) {
      // what nobody has taken is left undone, and counts as done
      if (atomic.cmpxchg<u64>(control + TICKET, ticket, ticket - <u64>left) != ticket) continue
      chunks = head.chunks
      ran += left
      break
    }
    if (atomic.cmpxchg<u64>(control + TICKET, ticket, ticket - 1) != ticket) continue
    chunks = head.chunks
    if (head.pages != knownPages) seeGrowth(head.pages)
    call_indirect<void>(head.task, chunks - left, head.workspace + <usize>thread * head.workspaceStep)
    ran++
  }
  // chunks was read while a chunk was out; after the addition the job may belong to the next kernel
  if (ran > 0) passed(control + DONE, ran, chunks)
}

/**
 * A thread hears of a memory that grew on another one by an interrupt, which V8 serves some time later. Until then
 * memory.copy and memory.fill, which look at the size, trap beyond the old end. Growing by nothing makes the thread
 * look now.
 */
function seeGrowth(pages: i32): void {
  memory.grow(0)
  knownPages = pages
}

function changed(address: usize, old: i32): bool {
  for (let i = 0; i < WORKER_SPINS; i++) if (atomic.load<i32>(address) != old) return true
  return false
}

/** A worker's life: run chunks, look for the next job for a moment, then sleep until there is one. */
export function serve(block: usize, thread: i32): void {
  control = block
  job = block + JOB + 64
  let seen: i32 = 0
  while (!atomic.load<i32>(control + QUIT)) {
    if (!changed(control + TICKET + 4, seen)) {
      atomic.add<i32>(control + SLEEPERS, 1)
      atomic.wait<i32>(control + TICKET + 4, seen, -1)
      atomic.sub<i32>(control + SLEEPERS, 1)
    }
    seen = atomic.load<i32>(control + TICKET + 4)
    work(thread)
  }
}

// ---- what the stress test dispatches: every chunk adds one to its own counter
// ------------------------------------------------

@unmanaged
class CountJob {
  counters: usize
}

export function countChunks(chunks: i32, counters: usize): void {
  changetype<CountJob>(job).counters = counters
  run(countChunk, chunks)
}

function countChunk(chunk: i32, _workspace: usize): void {
  const counter = changetype<CountJob>(job).counters + ((<usize>chunk) << 2)
  store<i32>(counter, load<i32>(counter) + 1)
}
